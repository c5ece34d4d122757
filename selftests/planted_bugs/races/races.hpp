// Planted races: small programs that fail in some orders only, each with a twin in which the race is mended.
//
//   for (const planted_race& each : planted_races()) world.drive(each.buggy());
//
// The plain run of every program passes. A buggy one fails in some other order, by an exception or by a deadlock, never
// by undefined behaviour; a fixed one never fails. All that a program touches is in the frame of its main task, so it
// may run again and again, and depends on nothing but the oracle. The race is what stands above each program.
// No GoogleTest in here: the bench uses them too.
#pragma once

#include <lockstep/runtime/task.hpp>
#include <lockstep/sync/mutex.hpp>

#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace lockstep::planted {

struct planted_race {
  std::string_view name;
  std::string_view race;      // one sentence: what races
  std::string_view failure;   // a part of what the exception says, or the report of the deadlock
  bool deadlocks;             // the failure is a deadlock verdict, not an exception
  unsigned least_deviations;  // the fewest answers that differ from the plain run's and make it fail
  task<void> (*buggy)();
  task<void> (*fixed)();
};

// All of them, in an order that stays.
std::span<const planted_race> planted_races();

// By area, for the list of all.
std::span<const planted_race> classic_races();
std::span<const planted_race> state_races();
std::span<const planted_race> lock_races();
std::span<const planted_race> permit_races();
std::span<const planted_race> queue_races();
std::span<const planted_race> channel_races();
std::span<const planted_race> event_races();
std::span<const planted_race> timer_races();
std::span<const planted_race> cancellation_races();
std::span<const planted_race> result_races();
std::span<const planted_race> combinator_races();

inline constexpr std::string_view deadlock_text = "every task waits";

// What a program finds out about itself.
inline void require(bool holds, const char* otherwise) {
  if (!holds) throw std::logic_error(otherwise);
}

// A visit to something outside, as a disk or a log: others may run before it.
inline task<void> visit(mutex& of) { const auto turn = co_await of.lock(); }

}  // namespace lockstep::planted
