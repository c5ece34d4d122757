#include <lockstep/explore/systematic.hpp>

#include <algorithm>
#include <utility>

namespace lockstep {

using detail::footprint;
using detail::race;
using detail::step_event;
using detail::touched;

namespace {

constexpr double leaves_per_part = 32;  // at least, so that the parts are about equal

}  // namespace

// -- one run ----------------------------------------------------------------------------------------------------------

bool systematic_search::begin_run() {
  if (departed_) return false;
  if (!std::exchange(first_, false)) {
    step_back();
    if (depth_ == 0) return false;
  }
  prefix_ = depth_;
  at_ = 0;
  quiet_before_ = made_ = 0;
  attempted_ = step_open_ = gave_up_ = not_ours_ = false;
  ready_.begin_run();
  // The last step that is repeated goes on otherwise: it is another task's, or has another value in it.
  known_ = depth_ == 0 ? 0 : places_[depth_ - 1].step;
  steps_.cut_to(known_);
  places_of_steps_.resize(known_);
  choose_where_to_observe();
  return true;
}

// A step is observed from its begin on, so it is a choice before the first that is not known which has that begin.
void systematic_search::choose_where_to_observe() {
  std::size_t choices = known_ == 0 ? 0 : places_of_steps_.back() + 1;
  while (choices != 0 && (places_[choices - 1].is_value || !places_[choices - 1].asked)) --choices;
  observes_ = choices == 0;
  if (!observes_) observe_from_ = choices - 1;
}

// Where one task is ready, nobody asks.
inline systematic_search::place& systematic_search::next_asked() noexcept {
  while (!places_[at_].asked) ++at_;
  return places_[at_++];
}

std::size_t systematic_search::repeat_unobserved(const candidates& from) {
  const place& here = next_asked();
  if (here.is_value || here.count != from.size() ||
      tasks_[here.branches[here.chosen].task] != from.step(here.chosen).task) {
    departed_ = true;
    return 0;
  }
  if (at_ > observe_from_) {
    observes_ = true;
    made_ = here.step + 1;
    quiet_before_ = steps_[here.step].quiet_before;
    from.observe(*this);
  }
  return here.chosen;
}

void systematic_search::number_as_objects(std::uint32_t up_to_task) {
  while (up_to_task >= tasks_as_objects_.size()) {
    tasks_as_objects_.push_back(objects_.of(tasks_[static_cast<std::uint32_t>(tasks_as_objects_.size())]));
  }
}

void systematic_search::add_place() { places_.emplace_back(); }

inline systematic_search::place& systematic_search::next_place() {
  if (at_ == places_.size()) [[unlikely]]
    add_place();
  place& here = places_[at_++];
  if (at_ > depth_) depth_ = at_;
  return here;
}

// What share of the tree begins here, and whether that is little enough to be left to one part.
void systematic_search::find_leaf(place& here) {
  const auto at = static_cast<std::size_t>(&here - places_.data());
  here.share = 1;
  here.in_leaf = options_.parts == 1;
  if (at != 0 && !here.in_leaf) {
    const place& before = places_[at - 1];
    std::uint64_t ways = before.is_value ? std::min(before.options, options_.values_max) : 0;
    for (std::size_t i = 0; i < before.count; ++i) ways += before.branches[i].sleeping ? 0 : 1;
    here.share = before.share / static_cast<double>(std::max<std::uint64_t>(ways, 1));
    here.in_leaf = before.in_leaf;
  }
  if (here.is_value || here.in_leaf) return;
  here.in_leaf = here.share * leaves_per_part * options_.parts <= 1;
  if (here.in_leaf) not_ours_ = enters_leaf_of_another();
}

bool systematic_search::enters_leaf_of_another() { return leaves_++ % options_.parts != options_.part; }

std::size_t systematic_search::pick_task(const candidates& from) {
  if (departed_) return 0;
  if (!observes_) return repeat_unobserved(from);
  close_step();
  if (repeating()) {
    const place& here = places_[at_];
    if (here.is_value || here.chosen >= from.size() || here.count != from.size()) {
      departed_ = true;
      return 0;
    }
    return here.chosen;
  }
  place& here = next_place();
  --at_;  // until the step begins
  open(here, from);
  here.asked = true;
  return here.chosen;
}

bool systematic_search::step_begins(const candidates& ready, std::size_t picked) {
  if (departed_) return false;
  close_step();
  const bool repeated = repeating();
  place& here = next_place();
  if (repeated) {
    if (here.is_value || here.count != ready.size() ||
        tasks_[here.branches[here.chosen].task] != ready.step(picked).task) {
      departed_ = true;
      return false;
    }
    if (here.step < steps_.size()) {  // all of it is known
      ++made_;
      return true;
    }
    for (std::size_t i = 0; i < here.count; ++i) {
      ready_.restore(here.branches[i].task, here.step, here.branches[i].enabled_by);
    }
  } else if (ready.size() == 1) {
    open(here, ready);
    here.asked = false;
  }
  branch& chosen = here.branches[here.chosen];
  if (chosen.sleeping || not_ours_) {
    gave_up_ = true;
    --at_;
    depth_ = at_;
    if (here.is_limited && at_ != 0) places_[at_ - 1].is_limited = true;
    return false;
  }
  chosen.done = true;
  step_event& step = steps_.add(chosen.task);
  places_of_steps_.push_back(static_cast<std::uint32_t>(at_ - 1));
  step.enabled_by = chosen.enabled_by;
  step.quiet_before = quiet_before_;
  ++made_;
  step.reads = object_of(chosen.task);
  attempted_ = false;
  step_open_ = true;
  return true;
}

// All that is ready, of which the first that does not sleep is chosen.
void systematic_search::open(place& here, const candidates& ready) {
  here.is_value = here.has_sleeping = here.is_limited = false;
  find_leaf(here);
  here.step = static_cast<std::uint32_t>(steps_.size());
  here.count = ready.size();
  if (here.branches.size() < here.count) here.branches.resize(here.count);
  const bool all_wanted = options_.reduced_by != reduction::source_sets || !here.in_leaf;
  const std::uint32_t before = here.step == 0 ? step_event::none : steps_[here.step - 1].task;
  for (std::size_t i = 0; i < here.count; ++i) {
    branch& each = here.branches[i];
    each.task = tasks_.of(ready.step(i).task);
    each.wanted = all_wanted;
    each.done = each.sleeping = each.limited = false;
    each.waits = {};
    each.touches.clear();
    ready_.note(each.task, here.step, before);
    each.enabled_by = ready_.enabled_by(each.task);
  }
  note_disabled(here);
  inherit_sleep(here);
  if (here.step > options_.yields_max) [[unlikely]]
    see_who_waits(here, ready);
  choose_first(here);
}

// Where all sleep that need not give way, one of them is chosen, and the run is given up.
void systematic_search::choose_first(place& here) {
  here.chosen = here.count;
  bool any_gives_way = false;
  for (std::size_t i = 0; i < here.count; ++i) {
    const branch& each = here.branches[i];
    if (each.waits.gives_way) {
      any_gives_way |= !each.sleeping;
      continue;
    }
    if (here.chosen == here.count || here.branches[here.chosen].sleeping) here.chosen = i;
    if (!each.sleeping) break;
  }
  left_starving_out_ |= any_gives_way && here.branches[here.chosen].sleeping;
  here.branches[here.chosen].wanted = true;
}

// Counts from the first place on for which it is called.
void systematic_search::see_who_waits(place& here, const candidates& ready) {
  const place& before = places_[place_of_step(here.step - 1)];
  const branch& made = before.branches[before.chosen];
  const waiting* longest = nullptr;
  std::size_t at = 0;  // in the place before, where they stood in nearly the same order
  for (std::size_t i = 0; i < here.count; ++i) {
    branch& each = here.branches[i];
    each.waits.will_yield = ready[i].operation == operation_kind::yield;
    std::size_t left = before.count;
    for (; left != 0 && before.branches[at].task != each.task; --left) at = at + 1 == before.count ? 0 : at + 1;
    if (left != 0 && at != before.chosen) {
      const waiting& was = before.branches[at].waits;
      each.waits.steps = was.steps + 1;
      each.waits.yields = was.yields + (made.waits.will_yield ? 1 : 0);
    }
    const bool too_long = each.waits.yields >= options_.yields_max || each.waits.steps >= options_.patience;
    if (too_long && (longest == nullptr || each.waits.steps > longest->steps)) longest = &each.waits;
  }
  if (longest == nullptr) return;
  for (std::size_t i = 0; i < here.count; ++i) {
    waiting& each = here.branches[i].waits;
    each.gives_way = &each != longest && (each.will_yield || longest->steps >= options_.patience);
    here.is_limited |= each.gives_way;
  }
  limits_decide_ |= here.is_limited;
}

// Who was ready before the last step and is not any more was destroyed by it: there is no step that would race.
void systematic_search::note_disabled(const place& here) {
  if (options_.reduced_by != reduction::source_sets || here.step == 0) return;
  place& before = places_[place_of_step(here.step - 1)];
  for (std::size_t i = 0; i < before.count; ++i) {
    if (!ready_.was_noted_before(before.branches[i].task, here.step)) before.branches[i].wanted = true;
  }
}

// What was tried at the place before, or slept there, sleeps on unless the step in between touches what it touches.
void systematic_search::inherit_sleep(place& here) {
  if (options_.reduced_by == reduction::none || here.step == 0) return;
  const place& before = places_[place_of_step(here.step - 1)];
  const footprint& made = steps_[here.step - 1].touches;
  for (std::size_t i = 0; i < before.count; ++i) {
    const branch& other = before.branches[i];
    if (i == before.chosen || other.limited || (!other.sleeping && !other.done)) continue;
    if (detail::depend(other.touches, object_of(other.task), made, steps_[here.step - 1].reads)) continue;
    for (std::size_t j = 0; j < here.count; ++j) {
      if (here.branches[j].task != other.task) continue;
      here.branches[j].sleeping = here.has_sleeping = true;
      here.branches[j].touches = other.touches;
    }
  }
}

std::uint64_t systematic_search::pick_value(choice_point point, std::uint64_t options) {
  if (departed_) return 0;
  const bool repeated = repeating();
  place& here = observes_ ? next_place() : next_asked();
  if (repeated) {
    if (!here.is_value || here.options != options) {
      departed_ = true;
      return 0;
    }
    return here.answer;
  }
  asked_for_arms_ = asked_for_arms_ || point.name.starts_with("select-");
  here.is_value = here.asked = true;
  here.has_sleeping = here.is_limited = false;
  find_leaf(here);
  here.step = static_cast<std::uint32_t>(steps_.size() == 0 ? 0 : steps_.size() - 1);
  here.count = 0;
  here.answer = 0;
  here.options = options;
  if (options > options_.values_max) values_left_out_ = std::max(values_left_out_, options);
  return 0;
}

void systematic_search::touches(identity object, access how) {
  if (step_open_) detail::add_to(steps_.last().touches, {objects_.of(object), how});
}

void systematic_search::close_step() {
  if (!std::exchange(step_open_, false)) return;
  if (!attempted_ && !options_.all_shared_declared) {
    steps_.last().touches.push_back({plain_variables_, access::write});
  }
}

// Whoever was ready would have made a step if the last one had not ended the run.
void systematic_search::run_ends(const candidates&) {
  close_step();
  if (departed_ || gave_up_ || steps_.size() == 0 || options_.reduced_by != reduction::source_sets) return;
  place& last = places_[places_of_steps_.back()];
  for (std::size_t i = 0; i < last.count; ++i) last.branches[i].wanted = true;
}

// -- between runs -----------------------------------------------------------------------------------------------------

void systematic_search::end_run() {
  close_step();
  if (departed_) return;
  if (at_ < prefix_) {  // it ended before it had come to where it was to differ
    departed_ = true;
    return;
  }
  const bool in_leaf = depth_ != 0 && places_[depth_ - 1].in_leaf;
  if (!gave_up_ && !in_leaf) gave_up_ = enters_leaf_of_another();  // one that ended above the cut
  ++(gave_up_ ? given_up_ : runs_);
  races_.clear();
  steps_.judge(races_);
  if (limits_decide_) leave_nothing_out_before_limits();
  if (options_.reduced_by != reduction::source_sets) return;
  for (const race& each : races_) reverse(each);
  for (std::size_t i = 0; i < depth_; ++i) {
    if (places_[i].has_sleeping && places_[i].step < steps_.size()) reverse_what_slept(places_[i]);
  }
}

// How long somebody has waited depends on the order of steps that are independent. So where it decides who may go next,
// races do not tell all that there is to try before, and what was tried does not stand for what it would commute with.
void systematic_search::leave_nothing_out_before_limits() {
  std::size_t limited = depth_;
  while (limited != 0 && !places_[limited - 1].is_limited) --limited;
  for (std::size_t i = 0; i < limited; ++i) {
    place& each = places_[i];
    for (std::size_t j = 0; j < each.count; ++j) each.branches[j].wanted = true;
    if (each.count != 0) each.branches[each.chosen].limited = true;
  }
}

// The later step, or one that can come before it, is to be tried where the earlier one was made. Among the steps in
// between, those that do not depend on the earlier one can all be made without it; whoever of them can be first may
// stand for all.
void systematic_search::reverse(const race& found) {
  place& at = places_[place_of_step(found.first)];
  others_.clear();
  const auto comes_after_another = [&](std::uint32_t step) {
    return std::any_of(others_.begin(), others_.end(),
                       [&](std::uint32_t other) { return steps_.happens_before(other, step); });
  };
  std::uint32_t chosen = step_event::none;
  const auto consider = [&](std::uint32_t step) {
    const bool can_be_first = !comes_after_another(step);
    others_.push_back(step);
    if (!can_be_first) return false;
    const std::uint32_t task = steps_[step].task;
    for (std::size_t i = 0; i < at.count; ++i) {
      if (at.branches[i].task == task && at.branches[i].wanted) return true;
    }
    if (chosen == step_event::none || step == found.second) chosen = task;
    return false;
  };
  for (std::uint32_t step = found.first + 1; step < found.second; ++step) {
    if (!steps_.happens_before(found.first, step) && consider(step)) return;
  }
  if (others_.empty() && consider(found.second)) return;
  if (chosen != step_event::none) want(at, chosen);
}

// A task that slept here and was woken by the step that was made may then have done something else, or nothing. Its
// races are those of the step that it would have made here: what that depends on may come before it, and before what
// woke it.
void systematic_search::reverse_what_slept(place& at) {
  const auto size = static_cast<std::uint32_t>(steps_.size());
  for (std::size_t i = 0; i < at.count; ++i) {
    const branch& slept = at.branches[i];
    const auto depends_on = [&](std::uint32_t step) {
      return detail::depend(slept.touches, object_of(slept.task), steps_[step].touches, steps_[step].reads);
    };
    if (!slept.sleeping || !depends_on(at.step)) continue;
    std::uint32_t own = at.step + 1;
    while (own < size && steps_[own].task != slept.task) ++own;
    if (own < size && detail::covers(steps_[own].touches, slept.touches)) continue;  // then it has those races itself
    // If that is known, so is what it says of known steps.
    const auto first = own < known_ ? std::max(at.step + 1, static_cast<std::uint32_t>(known_)) : at.step + 1;
    for (std::uint32_t other = first; other < size; ++other) {
      if (steps_[other].task == slept.task || steps_.happens_before(at.step, other)) continue;
      if (depends_on(other)) want_before(at, other);
    }
  }
}

// Of the steps that lead to the later one, whoever can be first is to be tried.
void systematic_search::want_before(place& at, std::uint32_t later) {
  others_.clear();
  std::uint32_t chosen = step_event::none;
  for (std::uint32_t step = at.step + 1; step <= later; ++step) {
    if (step != later && !steps_.happens_before(step, later)) continue;
    const bool can_be_first = std::none_of(others_.begin(), others_.end(),
                                           [&](std::uint32_t other) { return steps_.happens_before(other, step); });
    others_.push_back(step);
    if (!can_be_first) continue;
    const std::uint32_t task = steps_[step].task;
    for (std::size_t i = 0; i < at.count; ++i) {
      if (at.branches[i].task == task && at.branches[i].wanted) return;
    }
    if (chosen == step_event::none) chosen = task;
  }
  want(at, chosen);
}

// If that one must give way, any other may lead to what it would have led to.
void systematic_search::want(place& at, std::uint32_t task) {
  bool gives_way = false;
  for (std::size_t i = 0; i < at.count; ++i) {
    if (at.branches[i].task != task) continue;
    at.branches[i].wanted = true;
    gives_way = at.branches[i].waits.gives_way;
  }
  for (std::size_t i = 0; gives_way && i < at.count; ++i) at.branches[i].wanted = true;
}

// Goes back to the last place where something is left to try.
void systematic_search::step_back() {
  for (; depth_ > 0; --depth_) {
    place& last = places_[depth_ - 1];
    if (last.is_value) {
      if (last.answer + 1 >= std::min(last.options, options_.values_max)) continue;
      ++last.answer;
      keep_footprint(last.step);
      return;
    }
    for (std::size_t i = 0; i < last.count; ++i) {
      branch& each = last.branches[i];
      if (!each.wanted || each.done || each.sleeping) continue;
      if (each.waits.gives_way) {
        left_starving_out_ = true;
        continue;
      }
      keep_footprint(last.step);
      last.chosen = i;
      each.touches.clear();
      return;
    }
  }
}

// The last run's step goes on otherwise, or is another's in the next. Of a task that is tried with several values, the
// step is known by all that it touches with any.
void systematic_search::keep_footprint(std::uint32_t step) {
  if (step >= steps_.size()) return;  // of a run in fifo order, only values are known
  place& at = places_[place_of_step(step)];
  for (const touched& each : steps_[step].touches) detail::add_to(at.branches[at.chosen].touches, each);
}

double systematic_search::progress() const noexcept {
  double share = 1;
  double behind = 0;
  for (std::size_t i = 0; i < depth_; ++i) {
    const place& each = places_[i];
    if (each.is_value) {
      const auto options = static_cast<double>(std::min(each.options, options_.values_max));
      behind += share * static_cast<double>(each.answer) / options;
      share /= options;
      continue;
    }
    double done = 0;
    double wanted = 0;
    for (std::size_t j = 0; j < each.count; ++j) {
      if (!each.branches[j].wanted || each.branches[j].sleeping || each.branches[j].waits.gives_way) continue;
      ++wanted;
      if (each.branches[j].done && j != each.chosen) ++done;
    }
    if (wanted < 2) continue;
    behind += share * done / wanted;
    share /= wanted;
  }
  return behind;
}

std::vector<std::uint64_t> systematic_search::answers() const {
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < depth_; ++i) {
    const place& each = places_[i];
    if (each.asked) all.push_back(each.is_value ? each.answer : each.chosen);
  }
  return all;
}

}  // namespace lockstep
