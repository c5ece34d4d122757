// wait(): waiting for tasks that stay the caller's.
//
//   auto first = spawn(fetch(one)), second = spawn(fetch(two));
//   const waited after = co_await wait(wait_until::first_completed, 5s, first, second);
//   for (const std::size_t each : after.pending) ...
#pragma once

#include <lockstep/runtime/spawn.hpp>
#include <lockstep/time/clock.hpp>

#include <concepts>
#include <cstddef>
#include <ranges>
#include <vector>

namespace lockstep {

enum class wait_until {
  first_completed,  // one has ended, in whatever way
  first_exception,  // one has failed, or all have ended; a cancellation is no failure
  all_completed,
};

// The places of the tasks in the order of the arguments, counted from 0; each is in one of the two.
struct waited {
  std::vector<std::size_t> done;
  std::vector<std::size_t> pending;
};

namespace detail {

task<waited> wait(std::vector<const agent_owner*> tasks, wait_until condition, duration limit);

template <class R>
concept range_of_handles = std::ranges::input_range<R> &&
    std::derived_from<std::remove_cvref_t<std::ranges::range_reference_t<R>>, agent_owner>;

template <range_of_handles R>
std::vector<const agent_owner*> owners_in(const R& handles) {
  std::vector<const agent_owner*> owners;
  for (const auto& each : handles) owners.push_back(&each);
  return owners;
}

}  // namespace detail

// Waits until the condition holds, or all have ended, or the limit is over, and returns which have ended. It throws
// nothing of theirs, cancels none, and reads nothing: results and exceptions are the caller's to look at. Several may
// wait for the same task.
// The handles must own their tasks, and stay where they are, until it returns. Of none, it returns at once.
// Cancelling the waiter ends the wait and leaves the tasks alone. The limit, in nanoseconds or anything coarser, is
// exact to the nanosecond; zero or less lets others run once. It is no error when it is over. Source: asyncio.wait.
template <std::derived_from<agent_owner>... Handle>
  requires(sizeof...(Handle) > 0)
task<waited> wait(wait_until condition, duration limit, const Handle&... handles) {
  return detail::wait({&handles...}, condition, limit);
}
template <coarser_duration D, std::derived_from<agent_owner>... Handle>
  requires(sizeof...(Handle) > 0)
task<waited> wait(wait_until condition, D limit, const Handle&... handles) {
  return detail::wait({&handles...}, condition, saturating_cast(limit));
}
template <std::derived_from<agent_owner>... Handle>
  requires(sizeof...(Handle) > 0)
task<waited> wait(wait_until condition, const Handle&... handles) {
  return detail::wait({&handles...}, condition, duration::max());
}
// The same for a vector or any other range of handles.
template <detail::range_of_handles R>
task<waited> wait(wait_until condition, duration limit, const R& handles) {
  return detail::wait(detail::owners_in(handles), condition, limit);
}
template <coarser_duration D, detail::range_of_handles R>
task<waited> wait(wait_until condition, D limit, const R& handles) {
  return detail::wait(detail::owners_in(handles), condition, saturating_cast(limit));
}
template <detail::range_of_handles R>
task<waited> wait(wait_until condition, const R& handles) {
  return detail::wait(detail::owners_in(handles), condition, duration::max());
}

}  // namespace lockstep
