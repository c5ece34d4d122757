// Told of every step of a run and of what the steps touch: how a search knows which steps depend on each other.
//
// A step begins when a task is resumed, or goes on at an await at which others could have run, and ends at the task's
// next such await. Steps of different tasks whose accesses are to different objects, or of kinds that commute, lead to
// the same end in either order.
// In any_order only; it lives as long as the run and is told on the loop's thread.
#pragma once

#include <lockstep/choice/identity.hpp>

#include <cstddef>
#include <cstdint>

namespace lockstep {

class candidates;

// What a step does to an object. Two accesses to one object depend on each other unless both are reads, or both
// updates.
enum class access : std::uint8_t {
  read,
  update,  // a change that is the same in either order, such as the end of one of several tasks that are waited for
  write,
  after,  // it is after all that was done to the object, because it waited for that or would have
};

// `after` depends on nothing: it could not have come before.
constexpr bool commute(access one, access other) noexcept {
  return one == access::after || other == access::after || (one == other && one != access::write);
}

// What is touched where nothing is known of what is touched: a step that writes it depends on every other.
inline constexpr identity everything = domain_identity("lockstep: everything");
// The variables that are not seen: whoever searches adds them to each step in which the user's code ran.
inline constexpr identity plain_variables = domain_identity("lockstep: plain variables");
// The time of day, the line of those who wait for quiet, and the order of points in force.
inline constexpr identity the_clock = domain_identity("lockstep: clock");
inline constexpr identity the_settlers = domain_identity("lockstep: settlers");
inline constexpr identity the_points = domain_identity("lockstep: points");

// Tasks that are waited for together, of which this is the first.
constexpr identity group_identity(identity first) noexcept { return roll(first, ~0ull); }
// The end of a task, or the ends of those of a group: an object of its own, as who waits for it is after nothing else
// that is done to the task.
constexpr identity end_identity(identity of) noexcept { return roll(of, ~2ull); }

// What is not overridden is of no interest.
class step_observer {
 public:
  step_observer() = default;
  step_observer(const step_observer&) = delete;
  step_observer& operator=(const step_observer&) = delete;

  // A step begins: of those that are ready, that one makes it. There may be only one. Returns false to give the run up:
  // then no step is made any more, and the run says nothing.
  virtual bool step_begins(const candidates& ready, std::size_t picked) = 0;
  // The step touches that object. A task is touched as the object of its identity: every step of its own reads it.
  virtual void touches(identity /*object*/, access /*how*/) {}
  // The step came to nothing but an attempt: the task waits now, and no code of the user's was run.
  virtual void only_attempted() {}
  // No task is ready, and time moves, or somebody is told of the quiet: whatever comes is after all that was.
  virtual void all_quiet() {}
  // No further step is made, though these could: the main task has ended, or the run was stopped. There may be none.
  virtual void run_ends(const candidates& /*left*/) {}

 protected:
  ~step_observer() = default;
};

}  // namespace lockstep
