#include <lockstep/explore/causality.hpp>

#include <lockstep/base/hash.hpp>

#include <algorithm>
#include <functional>
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

bool covers(const footprint& more, const footprint& less) noexcept {
  return std::all_of(less.begin(), less.end(), [&more](const touched& wanted) {
    return wanted.how == access::after || std::any_of(more.begin(), more.end(), [&wanted](const touched& each) {
             return each.object == wanted.object && (each.how == wanted.how || each.how == access::write);
           });
  });
}

bool depend(const footprint& one, std::uint32_t reads, const footprint& other, std::uint32_t other_reads) noexcept {
  const auto changes = [](const footprint& what, std::uint32_t object) {
    return std::any_of(what.begin(), what.end(), [object](const touched& each) {
      return (each.object == object || each.object == number_of_everything) && !commute(each.how, access::read);
    });
  };
  return changes(one, other_reads) || changes(other, reads) || depend(one, other);
}

step_event& causality::add(std::uint32_t task) {
  if (size_ == events_.size()) [[unlikely]] {
    events_.emplace_back();
    clocks_.resize(events_.size() * width_);
  }
  if (task >= width_) [[unlikely]]
    widen_clocks(task + 1);
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

// Measured: by fours, which the compiler makes a few instructions of where a clock is no wider.
inline void causality::join(std::uint32_t* clock, const std::uint32_t* one, const std::uint32_t* other,
                            std::size_t width) noexcept {
  for (const std::uint32_t* const end = one + width; one != end; one += 4, other += 4, clock += 4) {
    const std::uint32_t later[4] = {std::max(one[0], other[0]), std::max(one[1], other[1]), std::max(one[2], other[2]),
                                    std::max(one[3], other[3])};
    std::copy_n(later, 4, clock);
  }
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
  now.clock.assign(width_, 0);
  for (std::size_t i = 0; i < last_of_task_.size(); ++i) now.clock[i] = last_of_task_[i] + 1;  // 0 for none
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
    join(clock, one, other, width_);
  }
  if (quiet_count_ != 0) {
    const std::vector<std::uint32_t>& then = quiets_[quiet_count_ - 1].clock;
    join(clock, clock, then.data(), then.size());
  }
  candidates_.clear();
  find_candidates(at, now.task, {number_of_everything, access::read});
  if (now.reads != step_event::none) find_candidates(at, now.task, {now.reads, access::read});
  for (const touched& each : now.touches) find_candidates(at, now.task, each);
  const auto is_later = [](const last_access& one, const last_access& other) { return one.at > other.at; };
  if (candidates_.size() == 2) {
    if (is_later(candidates_[1], candidates_[0])) std::swap(candidates_[0], candidates_[1]);
  } else if (candidates_.size() > 2) {
    std::sort(candidates_.begin(), candidates_.end(), is_later);
  }
  for (const last_access& earlier : candidates_) {
    if (clock[earlier.task] > earlier.at) continue;
    found.push_back({earlier.at, static_cast<std::uint32_t>(at)});
    join(at, earlier.at);
  }
  clock[now.task] = static_cast<std::uint32_t>(at + 1);
}

// Those that a step of that task may depend on directly which does that.
inline void causality::find_candidates(std::size_t at, std::uint32_t task, touched made) {
  if (made.object < accesses_.size()) {
    for (const last_access& other : accesses_[made.object]) find_candidate(at, task, made.how, other);
  }
  if (made.how != access::read && (made.object == number_of_everything || made.object < tasks_.size())) {
    find_hidden_candidates(at, task, made);
  }
}

// The steps that read it without saying so.
void causality::find_hidden_candidates(std::size_t at, std::uint32_t task, touched made) {
  const auto find_last_of = [&](std::uint32_t other) {
    const std::uint32_t last = last_of_task_[other];
    if (last != step_event::none) find_candidate(at, task, made.how, {last, other, access::read});
  };
  if (made.object == number_of_everything) {
    for (std::uint32_t other = 0; other < last_of_task_.size(); ++other) find_last_of(other);
  } else if (tasks_[made.object] != step_event::none) {
    find_last_of(tasks_[made.object]);
  }
}

inline void causality::find_candidate(std::size_t at, std::uint32_t task, access how, const last_access& other) {
  if (other.task == task || clock_of(at)[other.task] > other.at) return;
  if (how == access::after) join(at, other.at);
  if (!commute(how, other.how)) candidates_.push_back(other);
}

// Of what one task did to an object, what comes later replaces what came before; a write replaces all that happens
// before it.
inline void causality::note_access(std::size_t at, touched made) {
  if (made.object >= accesses_.size()) accesses_.resize(made.object + 1);
  std::vector<last_access>& of_object = accesses_[made.object];
  const std::uint32_t task = events_[at].step.task;
  const last_access now{static_cast<std::uint32_t>(at), task, made.how};
  if (made.how == access::write && of_object.size() == 1) {
    changes_.push_back({made.object, 0, of_object.front()});
    of_object.front() = now;
    return;
  }
  if (made.how == access::write) {
    for (; !of_object.empty(); of_object.pop_back())
      changes_.push_back({made.object, change::removed, of_object.back()});
  } else {
    for (last_access& each : of_object) {
      if (each.how != made.how || each.task != task) continue;
      changes_.push_back({made.object, static_cast<std::uint32_t>(&each - of_object.data()), each});
      each = now;
      return;
    }
  }
  of_object.push_back(now);
  changes_.push_back({made.object, change::added, now});
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

namespace {

// Down-sets of one size, each known by how many steps of each task are in it, and the number of ways to it.
class level {
 public:
  explicit level(std::size_t tasks) : tasks_(tasks) { grow(); }

  std::size_t size() const noexcept { return ways_.size(); }
  const std::uint32_t* state(std::size_t i) const noexcept { return states_.data() + i * tasks_; }
  double ways(std::size_t i) const noexcept { return ways_[i]; }

  void clear() noexcept {
    for (const std::size_t each : used_) slots_[each] = none;
    used_.clear();
    states_.clear();
    ways_.clear();
  }
  void add(const std::uint32_t* state, double ways) {
    if (2 * (size() + 1) > slots_.size()) grow();
    const std::size_t at = slot_of(state);
    std::uint32_t& slot = slots_[at];
    if (slot == none) {
      slot = static_cast<std::uint32_t>(size());
      used_.push_back(at);
      states_.insert(states_.end(), state, state + tasks_);
      ways_.push_back(0);
    }
    ways_[slot] += ways;
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  // Where it is, or would be.
  std::size_t slot_of(const std::uint32_t* wanted) const noexcept {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < tasks_; ++i) hash = roll(hash, wanted[i]);
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at] != none && !std::equal(wanted, wanted + tasks_, state(slots_[at]))) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }
  void grow() {
    slots_.assign(slots_.empty() ? 16 : 2 * slots_.size(), none);
    used_.clear();
    for (std::size_t i = 0; i < size(); ++i) {
      used_.push_back(slot_of(state(i)));
      slots_[used_.back()] = static_cast<std::uint32_t>(i);
    }
  }

  std::size_t tasks_;
  std::vector<std::uint32_t> states_;
  std::vector<double> ways_;
  std::vector<std::uint32_t> slots_;  // a power of two of them, half of them free
  std::vector<std::size_t> used_;     // the others
};

}  // namespace

std::optional<double> causality::orders(std::size_t states_max) const {
  std::uint32_t tasks = 0;
  for (std::size_t at = 0; at < size_; ++at) tasks = std::max(tasks, events_[at].step.task + 1);
  std::vector<std::vector<std::uint32_t>> steps(tasks);
  std::vector<std::uint32_t> nth(size_);             // of its task's
  std::vector<std::uint32_t> needed(size_ * tasks);  // before each step, how many of each task's
  for (std::uint32_t at = 0; at < size_; ++at) {
    std::vector<std::uint32_t>& own = steps[events_[at].step.task];
    nth[at] = static_cast<std::uint32_t>(own.size());
    own.push_back(at);
    for (std::uint32_t task = 0; task < tasks; ++task) {
      const std::uint32_t before = task == events_[at].step.task ? 0 : clock_of(at)[task];
      needed[at * tasks + task] = before == 0 ? 0 : nth[before - 1] + 1;
    }
  }
  level front(tasks);
  level next(tasks);
  std::vector<std::uint32_t> after(tasks, 0);
  front.add(after.data(), 1);
  std::size_t states = 1;
  for (std::size_t made = 0; made < size_; ++made) {
    next.clear();
    for (std::size_t i = 0; i < front.size(); ++i) {
      after.assign(front.state(i), front.state(i) + tasks);
      for (std::uint32_t task = 0; task < tasks; ++task) {
        if (after[task] == steps[task].size()) continue;
        const std::uint32_t* const needs = needed.data() + std::size_t{steps[task][after[task]]} * tasks;
        if (!std::equal(after.begin(), after.end(), needs, std::greater_equal<>())) continue;
        ++after[task];
        next.add(after.data(), front.ways(i));
        --after[task];
      }
      if (states + next.size() > states_max) return std::nullopt;
    }
    states += next.size();
    std::swap(front, next);
  }
  return front.ways(0);
}

}  // namespace lockstep::detail
