#include <lockstep/explore/kept_order.hpp>

namespace lockstep {

kept_order::kept_order(const std::vector<task_step>& steps, oracle& values)
    : steps_(steps), values_(values), made_(steps.size()) {
  for (std::size_t i = 0; i < steps.size(); ++i) tasks_[steps[i].task].steps.emplace_back(steps[i].step, i);
}

bool kept_order::must_wait(task_step who) const {
  const auto found = tasks_.find(who.task);
  if (found == tasks_.end() || found->second.made == found->second.steps.size()) return false;
  const auto& [step, place] = found->second.steps[found->second.made];
  return step <= who.step && place > next_;
}

std::size_t kept_order::pick_task(const candidates& from) {
  if (!must_wait(from.step(0))) return 0;
  std::size_t otherwise = 0;
  for (std::size_t i = from.size() - 1; i > 0; --i) {
    const task_step who = from.step(i);
    if (who.task == steps_[next_].task) return i;
    if (!must_wait(who)) otherwise = i;
  }
  return otherwise;
}

bool kept_order::step_begins(const candidates& ready, std::size_t picked) {
  const task_step now = ready.step(picked);
  if (const auto found = tasks_.find(now.task); found != tasks_.end()) {
    kept_task& of = found->second;
    while (of.made < of.steps.size() && of.steps[of.made].first <= now.step) made_[of.steps[of.made++].second] = true;
    while (next_ < steps_.size() && made_[next_]) ++next_;
  }
  return true;
}

}  // namespace lockstep
