#include <lockstep/explore/observed.hpp>

#include <algorithm>

namespace lockstep {

using detail::step_event;

void observed_choices::begin(oracle* base) {
  base_ = base;
  steps_.clear();
  made_.clear();
  options_.clear();
  ready_.begin_run();
  std::fill(records_.begin(), records_.end(), 0);
  quiet_before_ = 0;
  step_open_ = attempted_ = false;
}

void observed_choices::end_run() {
  close_step();
  races_.clear();
  steps_.judge(races_);
}

double observed_choices::weight_of_values(std::uint64_t values_max) const noexcept {
  double product = 1;
  for (const std::uint64_t each : options_) product *= static_cast<double>(std::min(each, values_max));
  return product;
}

std::size_t observed_choices::pick_task(const candidates& from) {
  return base_ != nullptr ? base_->pick_task(from) : 0;
}

std::uint64_t observed_choices::pick_value(choice_point point, std::uint64_t options) {
  options_.push_back(options);
  return base_ != nullptr ? base_->pick_value(point, options) : 0;
}

bool observed_choices::step_begins(const candidates& ready, std::size_t picked) {
  close_step();
  const auto number = static_cast<std::uint32_t>(steps_.size());
  const std::uint32_t before = number == 0 ? step_event::none : steps_[number - 1].task;
  for (std::size_t i = 0; i < ready.size(); ++i) {
    const std::uint32_t task = tasks_.of(ready[i].task);
    if (task >= records_.size()) records_.resize(task + 1, 0);
    ready_.note(task, number, before);
  }
  const candidate who = ready[picked];
  const std::uint32_t task = tasks_.of(who.task);
  made_.push_back({who.task, who.step, ++records_[task], who.operation, who.object});
  step_event& made = steps_.add(task);
  made.enabled_by = ready_.enabled_by(task);
  made.quiet_before = quiet_before_;
  made.reads = objects_.of(who.task);
  step_open_ = true;
  attempted_ = false;
  return true;
}

void observed_choices::touches(identity object, access how) {
  if (step_open_) detail::add_to(steps_.last().touches, {objects_.of(object), how});
}

void observed_choices::close_step() {
  if (!step_open_) return;
  step_open_ = false;
  if (attempted_ || all_shared_declared_) return;
  steps_.last().touches.push_back({objects_.of(plain_variables), access::write});
}

}  // namespace lockstep
