// Which steps of a run happen before which, and which pairs of them race: the mathematics under systematic search.
//
// A step depends on an earlier one of another task if both touch an object in ways that do not commute. It happens
// after the steps of its own task, after the one that made its task ready, after whatever it depends on, and after
// everything that came before the last moment at which all was quiet. Two runs whose steps happen before each other in
// the same way are the same: they differ only in the order of steps that nobody can tell.
// Two steps race if the later depends on the earlier and nothing else is between them: then the other order is another
// run.
// Source: Mazurkiewicz, "Trace theory", 1987; Flanagan, Godefroid, "Dynamic partial-order reduction", POPL 2005.
#pragma once

#include <lockstep/choice/step_observer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lockstep::detail {

// What a step touched, each object at most once for each kind of access.
struct touched {
  std::uint32_t object;
  access how;

  friend bool operator==(const touched&, const touched&) = default;
};
using footprint = std::vector<touched>;

// The number of `everything`, which every step reads, as well as the task that makes it. A footprint does not say so.
inline constexpr std::uint32_t number_of_everything = 0;

bool depend(const footprint& one, const footprint& other) noexcept;
// Whether whatever depends on `less` depends on `more`.
bool covers(const footprint& more, const footprint& less) noexcept;
// The same of a step, whose task is the object `reads`, and another one.
bool depend(const footprint& one, std::uint32_t reads, const footprint& other, std::uint32_t other_reads) noexcept;
inline void add_to(footprint& what, touched more) {
  for (touched& each : what) {
    if (each.object != more.object) continue;
    if (each.how == more.how || each.how == access::write) return;
    if (each.how == access::after || more.how == access::after) continue;
    each.how = access::write;  // what both reads and changes it commutes with neither
    return;
  }
  what.push_back(more);
}

// One step. Tasks and objects are numbers.
struct step_event {
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::uint32_t task;
  std::uint32_t enabled_by = none;  // the step that made its task ready; none if that was the task's own, or the start
  std::uint32_t quiet_before = 0;   // how many steps had been made when all was quiet for the last time before
  std::uint32_t reads = none;       // its task as an object; none if nobody touches that
  footprint touches{};
};

struct race {
  std::uint32_t first;
  std::uint32_t second;
};

// The steps of one run in their order, and what follows from that. May be cut back and go on, for runs that begin
// alike: what is known of the steps that stay is not worked out again. Nothing is allocated once it has been as long.
class causality {
 public:
  std::size_t size() const noexcept { return size_; }
  const step_event& operator[](std::size_t at) const noexcept { return events_[at].step; }
  step_event& last() noexcept { return events_[size_ - 1].step; }

  void clear() noexcept { cut_to(0); }
  void cut_to(std::size_t size) noexcept {
    while (judged_ > size) take_back(--judged_);
    size_ = size;
  }
  // Adds a step, whose touches may be added until the next one comes.
  step_event& add(std::uint32_t task);

  // Works out everything about the steps from the first that is new, and adds their races to `found`.
  void judge(std::vector<race>& found);

  // After judge(): whether the one is the other, or happens before it.
  bool happens_before(std::size_t earlier, std::size_t later) const noexcept {
    return clock_of(later)[events_[earlier].step.task] > earlier;
  }
  // How many orders of the steps are this same run: linear extensions. Nothing if there are too many to be counted with
  // `states_max` sets of steps. Source: dynamic programming over down-sets.
  std::optional<double> orders(std::size_t states_max = 20'000) const;

 private:
  struct event {
    step_event step;
    std::uint32_t before;  // the one of its task
    std::size_t changes;   // that were made before it was noted
  };
  struct last_access {
    std::uint32_t at;
    std::uint32_t task;  // that made this step
    access how;
  };

  // To undo it: what was at that place in the list of an object; or that something was added behind the others, or the
  // last one was taken away.
  struct change {
    static constexpr std::uint32_t added = ~std::uint32_t{0};
    static constexpr std::uint32_t removed = added - 1;

    std::uint32_t object;
    std::uint32_t place;
    last_access was;
  };
  // After a step with that number, all was quiet.
  struct quiet {
    std::size_t at;
    std::vector<std::uint32_t> clock;
  };

  void judge_one(std::size_t at, std::vector<race>& found);
  // Of each task, how many steps of the run are up to its last that is before that one.
  std::uint32_t* clock_of(std::size_t at) noexcept { return clocks_.data() + at * width_; }
  const std::uint32_t* clock_of(std::size_t at) const noexcept { return clocks_.data() + at * width_; }
  void widen_clocks(std::uint32_t tasks);
  void find_candidates(std::size_t at, std::uint32_t task, touched made);
  void find_hidden_candidates(std::size_t at, std::uint32_t task, touched made);
  void find_candidate(std::size_t at, std::uint32_t task, access how, const last_access& other);
  void note_quiet(std::size_t at);
  void note_accesses(std::size_t at);
  void note_access(std::size_t at, touched made);
  void take_back(std::size_t at) noexcept;
  // `width` is a multiple of 4.
  static void join(std::uint32_t* clock, const std::uint32_t* one, const std::uint32_t* other,
                   std::size_t width) noexcept;
  void join(std::size_t at, std::size_t other) noexcept { join(clock_of(at), clock_of(at), clock_of(other), width_); }

  std::vector<event> events_;
  std::vector<std::uint32_t> clocks_;  // one after another
  std::size_t width_ = 0;              // of each, a multiple of 4
  std::size_t size_ = 0;
  std::size_t judged_ = 0;  // so many have clocks
  // As of the first `judged_` steps.
  std::vector<std::vector<last_access>> accesses_;  // to each object, those that a later step may depend on directly
  std::vector<change> changes_;                     // of those, in their order
  std::vector<std::uint32_t> last_of_task_;
  std::vector<std::uint32_t> tasks_;  // of each object, which task it is; none for others
  std::vector<quiet> quiets_;         // the first `quiet_count_`
  std::size_t quiet_count_ = 0;
  std::vector<last_access> candidates_;
};

}  // namespace lockstep::detail
