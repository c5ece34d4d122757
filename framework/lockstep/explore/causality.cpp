#include <lockstep/explore/causality.hpp>

#include <lockstep/base/hash.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace lockstep::detail {

bool depend(const footprint& one, const footprint& other) noexcept {
  for (const touched& mine : one) {
    for (const touched& theirs : other) {
      if (mine.object == theirs.object && !commute(mine.how, theirs.how)) return true;
    }
  }
  return false;
}

bool depend(const footprint& one, std::uint32_t reads, const footprint& other, std::uint32_t other_reads) noexcept {
  const auto changes = [](const footprint& what, std::uint32_t object) {
    return std::any_of(what.begin(), what.end(), [object](const touched& each) {
      return (each.object == object || each.object == number_of_everything) && !commute(each.how, access::read);
    });
  };
  return changes(one, other_reads) || changes(other, reads) || depend(one, other);
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
  if (task >= width_) widen_clocks(task + 1);
  if (events_.size() * width_ > clocks_.size()) clocks_.resize(events_.size() * width_);
  step_event& made = events_[size_++].step;
  made.task = task;
  made.enabled_by = step_event::none;
  made.quiet_before = 0;
  made.reads = step_event::none;
  made.touches.clear();
  return made;
}

void causality::widen_clocks(std::uint32_t tasks) {
  const std::size_t width = (std::max<std::size_t>(tasks, width_ + width_ / 4) + 3) / 4 * 4;
  std::vector<std::uint32_t> wider(events_.size() * width, 0);
  for (std::size_t at = 0; at < judged_; ++at) {
    std::copy_n(clock_of(at), width_, wider.data() + at * width);
  }
  clocks_ = std::move(wider);
  width_ = width;
}

inline void causality::join(std::uint32_t* clock, const std::uint32_t* other, std::size_t width) noexcept {
  for (std::size_t i = 0; i < width; ++i) clock[i] = std::max(clock[i], other[i]);
}

void causality::judge(std::vector<race>& found) {
  for (; judged_ < size_; ++judged_) {
    if (judged_ != 0 && events_[judged_].step.quiet_before == judged_) note_quiet(judged_);
    judge_one(judged_, found);
    note_accesses(judged_);
  }
}

void causality::note_quiet(std::size_t at) {
  if (quiet_count_ == quiets_.size()) quiets_.emplace_back();
  quiet& now = quiets_[quiet_count_++];
  now.at = at;
  now.clock.resize(last_of_task_.size());
  for (std::size_t i = 0; i < now.clock.size(); ++i) now.clock[i] = last_of_task_[i] + 1;  // 0 for none
}

void causality::judge_one(std::size_t at, std::vector<race>& found) {
  const step_event& now = events_[at].step;
  std::uint32_t* const clock = clock_of(at);
  const std::uint32_t before = now.task < last_of_task_.size() ? last_of_task_[now.task] : step_event::none;
  if (before == step_event::none && now.enabled_by == step_event::none) {
    std::fill_n(clock, width_, 0);
  } else {
    const std::uint32_t* const one = clock_of(before != step_event::none ? before : now.enabled_by);
    const std::uint32_t* const other = clock_of(now.enabled_by != step_event::none ? now.enabled_by : before);
    for (std::size_t i = 0; i < width_; ++i) clock[i] = std::max(one[i], other[i]);
  }
  if (quiet_count_ != 0) join(clock, quiets_[quiet_count_ - 1].clock.data(), quiets_[quiet_count_ - 1].clock.size());
  candidates_.clear();
  find_candidates(at, {number_of_everything, access::read});
  if (now.reads != step_event::none) find_candidates(at, {now.reads, access::read});
  for (const touched& each : now.touches) find_candidates(at, each);
  if (candidates_.size() == 2) {
    if (candidates_[0] < candidates_[1]) std::swap(candidates_[0], candidates_[1]);
  } else if (candidates_.size() > 2) {
    std::sort(candidates_.begin(), candidates_.end(), std::greater<>());
  }
  for (const std::uint32_t earlier : candidates_) {
    if (clock[events_[earlier].step.task] > earlier) continue;
    found.push_back({earlier, static_cast<std::uint32_t>(at)});
    join(at, earlier);
  }
  clock[now.task] = static_cast<std::uint32_t>(at + 1);
}

// Those that a step may depend on directly which does that.
inline void causality::find_candidates(std::size_t at, touched made) {
  if (made.object < accesses_.size()) {
    for (const last_access& other : accesses_[made.object]) find_candidate(at, made.how, other);
  }
  if (made.how != access::read && (made.object == number_of_everything || made.object < tasks_.size())) {
    find_hidden_candidates(at, made);
  }
}

// The steps that read it without saying so.
void causality::find_hidden_candidates(std::size_t at, touched made) {
  if (made.object == number_of_everything) {
    for (const std::uint32_t last : last_of_task_) find_candidate(at, made.how, {last, access::read});
  } else if (tasks_[made.object] != step_event::none) {
    find_candidate(at, made.how, {last_of_task_[tasks_[made.object]], access::read});
  }
}

inline void causality::find_candidate(std::size_t at, access how, const last_access& other) {
  if (other.at == step_event::none || events_[other.at].step.task == events_[at].step.task) return;
  if (how == access::after) join(at, other.at);
  if (!commute(how, other.how)) candidates_.push_back(other.at);
}

void causality::note_accesses(std::size_t at) {
  event& now = events_[at];
  const std::uint32_t task = now.step.task;
  if (task >= last_of_task_.size()) last_of_task_.resize(task + 1, step_event::none);
  now.before = std::exchange(last_of_task_[task], static_cast<std::uint32_t>(at));
  now.changes = changes_.size();
  if (const std::uint32_t object = now.step.reads; object != step_event::none) {
    if (object >= tasks_.size()) tasks_.resize(object + 1, step_event::none);
    tasks_[object] = task;
  }
  for (const touched& each : now.step.touches) {
    if (each.how != access::after) note_access(at, each);
  }
}

// Of what one task did to an object, what comes later replaces what came before; a write replaces all that happens
// before it.
void causality::note_access(std::size_t at, touched made) {
  if (made.object >= accesses_.size()) accesses_.resize(made.object + 1);
  std::vector<last_access>& of_object = accesses_[made.object];
  const last_access now{static_cast<std::uint32_t>(at), made.how};
  if (made.how == access::write && of_object.size() == 1) {
    changes_.push_back({made.object, 0, of_object.front()});
    of_object.front() = now;
    return;
  }
  if (made.how == access::write) {
    for (; !of_object.empty(); of_object.pop_back())
      changes_.push_back({made.object, change::removed, of_object.back()});
  } else {
    const std::uint32_t task = events_[at].step.task;
    for (last_access& each : of_object) {
      if (each.how != made.how || events_[each.at].step.task != task) continue;
      changes_.push_back({made.object, static_cast<std::uint32_t>(&each - of_object.data()), each});
      each = now;
      return;
    }
  }
  of_object.push_back(now);
  changes_.push_back({made.object, change::added, now});
}

// The last one that was noted.
void causality::take_back(std::size_t at) noexcept {
  const event& last = events_[at];
  for (; changes_.size() != last.changes; changes_.pop_back()) {
    const change& made = changes_.back();
    std::vector<last_access>& of_object = accesses_[made.object];
    if (made.place == change::added) {
      of_object.pop_back();
    } else if (made.place == change::removed) {
      of_object.push_back(made.was);  // there is room, as it was there before
    } else {
      of_object[made.place] = made.was;
    }
  }
  last_of_task_[last.step.task] = last.before;
  if (quiet_count_ != 0 && quiets_[quiet_count_ - 1].at == at) --quiet_count_;
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
