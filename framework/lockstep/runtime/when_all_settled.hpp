// when_all_settled(): running several tasks at the same time and taking what each came to.
#pragma once

#include <lockstep/runtime/result.hpp>
#include <lockstep/runtime/when_all.hpp>

#include <tuple>
#include <utility>
#include <vector>

namespace lockstep {

namespace detail {

// Counts as read.
failure failure_of(agent& finished);

template <class T>
result<T> settled(join_handle<T>& finished) {
  agent& who = finished.get();
  if (who.failure(detail::unseen) != nullptr || who.was_cancelled(detail::unseen)) return failure_of(who);
  if constexpr (std::is_void_v<T>) {
    finished.result();
    return {};
  } else {
    return result<T>(finished.result());
  }
}

template <class... T, std::size_t... I>
task<std::tuple<result<T>...>> when_all_settled(std::index_sequence<I...>, task<T>... works) {
  const source where = users_line();
  std::tuple<join_handle<T>...> handles;
  crowd all;
  ((std::get<I>(handles) = spawn(std::move(works), where), all.watch(std::get<I>(handles).get())), ...);
  co_await all.run_until(crowd::until::all, {});
  co_return std::tuple<result<T>...>{settled(std::get<I>(handles))...};
}

}  // namespace detail

// Runs all at the same time, to the end of each, and returns what each came to, as a tuple in the order of the
// arguments: a value, an exception or a cancellation. It never throws for one of them, and one that fails leaves the
// others alone. They start in the order of the arguments; a shared_task may stand for a task, also more than once.
// Cancelling the caller cancels all of them, and is delivered when all have ended, whatever they came to; one that
// fails instead is a verdict, an exception that nobody read. Source: JavaScript's Promise.allSettled,
// asyncio.gather(return_exceptions=True).
template <detail::runnable... Work>
  requires(sizeof...(Work) > 0)
auto when_all_settled(Work... works) {
  return detail::when_all_settled(std::index_sequence_for<Work...>(), detail::task_of(std::move(works))...);
}

// The same for any number of tasks of one type, also none: a vector in the order given.
template <class T>
task<std::vector<result<T>>> when_all_settled(std::vector<task<T>> works, source where = source::current()) {
  std::vector<join_handle<T>> handles;
  detail::crowd all;
  detail::spawn_into(handles, all, works, where);
  co_await all.run_until(detail::crowd::until::all, {});
  std::vector<result<T>> results;
  results.reserve(handles.size());
  for (join_handle<T>& handle : handles) results.push_back(detail::settled(handle));
  co_return results;
}

}  // namespace lockstep
