#include <lockstep/explore/causality.hpp>

#include <lockstep/base/hash.hpp>

#include <algorithm>
#include <map>

namespace lockstep::detail {

bool depend(const footprint& one, const footprint& other) noexcept {
  for (const touched& mine : one) {
    for (const touched& theirs : other) {
      if (mine.object == theirs.object && !commute(mine.how, theirs.how)) return true;
    }
  }
  return false;
}

bool covers(const footprint& more, const footprint& less) noexcept {
  return std::all_of(less.begin(), less.end(), [&more](const touched& wanted) {
    return wanted.how == access::after || std::any_of(more.begin(), more.end(), [&wanted](const touched& each) {
             return each.object == wanted.object && (each.how == wanted.how || each.how == access::write);
           });
  });
}

void add_to(footprint& what, touched more) {
  for (touched& each : what) {
    if (each.object != more.object) continue;
    if (each.how == more.how || each.how == access::write) return;
    if (each.how == access::after || more.how == access::after) continue;
    each.how = access::write;  // what both reads and changes it commutes with neither
    return;
  }
  what.push_back(more);
}

step_event& causality::add(std::uint32_t task) {
  if (size_ == events_.size()) events_.emplace_back();
  step_event& made = events_[size_++].step;
  made.task = task;
  made.enabled_by = step_event::none;
  made.quiet_before = 0;
  made.touches.clear();
  return made;
}

void causality::join(std::vector<std::uint32_t>& clock, const std::vector<std::uint32_t>& other) const {
  if (other.size() > clock.size()) clock.resize(other.size(), 0);
  for (std::size_t i = 0; i < other.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

void causality::judge(std::vector<race>& found) {
  for (const std::uint32_t object : objects_touched_) accesses_[object].clear();
  objects_touched_.clear();
  std::fill(last_of_task_.begin(), last_of_task_.end(), step_event::none);
  before_quiet_.clear();
  for (std::size_t at = 0; at < size_; ++at) {
    if (at != 0 && events_[at].step.quiet_before == at) {
      before_quiet_.resize(last_of_task_.size());
      for (std::size_t i = 0; i < before_quiet_.size(); ++i) before_quiet_[i] = last_of_task_[i] + 1;  // 0 for none
    }
    if (at >= judged_) judge_one(at, &found);
    note_accesses(at);
  }
  judged_ = size_;
}

void causality::judge_one(std::size_t at, std::vector<race>* found) {
  event& now = events_[at];
  const std::uint32_t task = now.step.task;
  now.clock.clear();
  if (task < last_of_task_.size() && last_of_task_[task] != step_event::none) {
    now.clock = events_[last_of_task_[task]].clock;
  }
  if (now.step.enabled_by != step_event::none) join(now.clock, events_[now.step.enabled_by].clock);
  join(now.clock, before_quiet_);
  candidates_.clear();
  for (const touched& each : now.step.touches) {
    if (each.object >= accesses_.size()) continue;
    for (const last_access& other : accesses_[each.object]) {
      if (events_[other.at].step.task == task) continue;
      if (each.how == access::after) join(now.clock, events_[other.at].clock);
      if (!commute(each.how, other.how)) candidates_.push_back(other.at);
    }
  }
  std::sort(candidates_.begin(), candidates_.end(), std::greater<>());
  candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
  for (const std::uint32_t earlier : candidates_) {
    const std::uint32_t other = events_[earlier].step.task;
    if (other < now.clock.size() && now.clock[other] > earlier) continue;
    if (found != nullptr) found->push_back({earlier, static_cast<std::uint32_t>(at)});
    join(now.clock, events_[earlier].clock);
  }
  if (task >= now.clock.size()) now.clock.resize(task + 1, 0);
  now.clock[task] = static_cast<std::uint32_t>(at + 1);
}

// Of what one task did to an object, what comes later replaces what came before; a write replaces all that happens
// before it.
void causality::note_accesses(std::size_t at) {
  const step_event& step = events_[at].step;
  if (step.task >= last_of_task_.size()) last_of_task_.resize(step.task + 1, step_event::none);
  last_of_task_[step.task] = static_cast<std::uint32_t>(at);
  for (const touched& each : step.touches) {
    if (each.how == access::after) continue;
    if (each.object >= accesses_.size()) accesses_.resize(each.object + 1);
    std::vector<last_access>& of_object = accesses_[each.object];
    if (of_object.empty()) objects_touched_.push_back(each.object);
    if (each.how == access::write) {
      of_object.clear();
    } else {
      std::erase_if(of_object, [&](const last_access& other) {
        return other.how == each.how && events_[other.at].step.task == step.task;
      });
    }
    of_object.push_back({static_cast<std::uint32_t>(at), each.how});
  }
}

// A down-set is known by how many steps of each task are in it.
std::optional<double> causality::orders(std::size_t states_max) const {
  std::uint32_t tasks = 0;
  for (std::size_t at = 0; at < size_; ++at) tasks = std::max(tasks, events_[at].step.task + 1);
  std::vector<std::vector<std::uint32_t>> steps(tasks);
  for (std::size_t at = 0; at < size_; ++at) steps[events_[at].step.task].push_back(static_cast<std::uint32_t>(at));
  std::map<std::vector<std::uint32_t>, double> front;
  front[std::vector<std::uint32_t>(tasks, 0)] = 1;
  std::size_t states = 1;
  for (std::size_t made = 0; made < size_; ++made) {
    std::map<std::vector<std::uint32_t>, double> next;
    for (const auto& [state, ways] : front) {
      for (std::uint32_t task = 0; task < tasks; ++task) {
        if (state[task] == steps[task].size()) continue;
        const std::uint32_t at = steps[task][state[task]];
        bool can = true;
        for (std::uint32_t other = 0; other < tasks && can; ++other) {
          if (other == task || state[other] == steps[other].size()) continue;
          can = !happens_before(steps[other][state[other]], at);
        }
        if (!can) continue;
        std::vector<std::uint32_t> after = state;
        ++after[task];
        next[after] += ways;
      }
    }
    states += next.size();
    if (states > states_max) return std::nullopt;
    front = std::move(next);
  }
  return front.begin()->second;
}

}  // namespace lockstep::detail
