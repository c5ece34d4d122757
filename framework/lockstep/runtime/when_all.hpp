// when_all(): running several tasks at the same time and waiting for all of them.
#pragma once

#include <lockstep/runtime/crowd.hpp>
#include <lockstep/runtime/result.hpp>

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep {

namespace detail {

// What a combinator runs: a task, or what gives one each time that it is awaited, as a shared_task does.
template <class T>
task<T> task_of(task<T> work) {
  return work;
}
template <class Shared>
  requires is_task<decltype(std::declval<const Shared&>().get())>
auto task_of(const Shared& shared) { return shared.get(); }
template <class Work>
concept runnable = requires(Work work) {
  detail::task_of(std::move(work));
};

template <class T>
regular<T> result_of(join_handle<T>& finished) {
  if constexpr (std::is_void_v<T>) {
    finished.result();
    return {};
  } else {
    return finished.result();
  }
}

// In their order; `all` watches each. Whoever calls it owns the handles before anything can fail.
template <class T>
void spawn_into(std::vector<join_handle<T>>& handles, crowd& all, std::vector<task<T>>& works, const source& where) {
  handles.reserve(works.size());
  for (task<T>& work : works) {
    handles.push_back(spawn(std::move(work), where));
    all.watch(handles.back().get());
  }
}

template <class... T, std::size_t... I>
task<std::tuple<regular<T>...>> when_all(std::index_sequence<I...>, task<T>... works) {
  const source where = users_line();
  std::tuple<join_handle<T>...> handles;
  crowd all;
  ((std::get<I>(handles) = spawn(std::move(works), where), all.watch(std::get<I>(handles).get())), ...);
  co_await all.run_until(crowd::until::first_failure, "another task of when_all failed");
  if (const agent* failed = all.first_failed(); failed != nullptr) {
    (std::get<I>(handles).get().observe(), ...);
    ((&std::get<I>(handles).get() == failed ? static_cast<void>(result_of(std::get<I>(handles))) : void()), ...);
  }
  co_return std::tuple<regular<T>...>{result_of(std::get<I>(handles))...};
}

}  // namespace detail

// Runs all at the same time and returns their results as a tuple in the order of the arguments, std::monostate for
// void. They start in the order of the arguments; a shared_task may stand for a task, also more than once.
// If one fails or is cancelled, the others are cancelled, and when all have ended the first failure is thrown; one that
// failed later is not told of.
// Cancelling the caller cancels all of them, and is delivered when all have ended, whatever they returned; one that
// fails instead is a verdict, an exception that nobody read. If one had failed before, that is thrown all the same, and
// the cancellation is delivered at the next await.
// Source: asyncio.gather, but that it cancels the others.
template <detail::runnable... Work>
  requires(sizeof...(Work) > 0)
auto when_all(Work... works) {
  return detail::when_all(std::index_sequence_for<Work...>(), detail::task_of(std::move(works))...);
}

// The same for any number of tasks of one type, also none: a vector of results in the order given, of
// std::reference_wrapper for references, nothing for void.
template <class T>
task<std::conditional_t<std::is_void_v<T>, void, std::vector<detail::kept<T>>>> when_all(
    std::vector<task<T>> works, source where = source::current()) {
  std::vector<join_handle<T>> handles;
  detail::crowd all;
  detail::spawn_into(handles, all, works, where);
  co_await all.run_until(detail::crowd::until::first_failure, "another task of when_all failed");
  if (const agent* failed = all.first_failed(); failed != nullptr) {
    for (join_handle<T>& handle : handles) handle.get().observe();
    for (join_handle<T>& handle : handles) {
      if (&handle.get() == failed) handle.result();
    }
  }
  if constexpr (std::is_void_v<T>) {
    for (join_handle<T>& handle : handles) handle.result();
  } else {
    std::vector<detail::kept<T>> results;
    results.reserve(handles.size());
    for (join_handle<T>& handle : handles) results.push_back(handle.result());
    co_return results;
  }
}

}  // namespace lockstep
