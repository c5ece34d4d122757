// when_any(): running several tasks at the same time and taking the first that finishes.
#pragma once

#include <lockstep/runtime/when_all.hpp>

#include <utility>
#include <variant>
#include <vector>

namespace lockstep {

// Which task was first, counted from 0, and its result, std::monostate for void and std::reference_wrapper for a
// reference: value.index() == index.
template <class... T>
struct first_of {
  std::size_t index;
  std::variant<detail::kept<T>...> value;
};

// The same where all are of one type.
template <class T>
struct first_among {
  std::size_t index;
  detail::kept<T> value;
};

namespace detail {

// The children of a race may be cancelled at any time: a cycle of waits among them is not final.
class rescue_scope {
 public:
  rescue_scope() noexcept;
  rescue_scope(const rescue_scope&) = delete;
  rescue_scope& operator=(const rescue_scope&) = delete;
  ~rescue_scope();

 private:
  agent& owner_;
};

template <std::size_t N, class... T>
std::variant<kept<T>...> result_of_first(const agent& first, std::tuple<join_handle<T>...>& handles) {
  if constexpr (N + 1 < sizeof...(T)) {
    if (&std::get<N>(handles).get() != &first) return result_of_first<N + 1>(first, handles);
  }
  return std::variant<kept<T>...>(std::in_place_index<N>, result_of(std::get<N>(handles)));
}

template <class... T, std::size_t... I>
task<first_of<T...>> when_any(std::index_sequence<I...>, task<T>... works) {
  const source where = users_line();
  const rescue_scope race;
  std::tuple<join_handle<T>...> handles;
  crowd all;
  ((std::get<I>(handles) = spawn(std::move(works), where), all.watch(std::get<I>(handles).get())), ...);
  co_await all.run_until(crowd::until::first, "another task of when_any was first");
  std::variant<kept<T>...> value = result_of_first<0>(*all.first_finished(), handles);
  const std::size_t index = value.index();
  co_return first_of<T...>{index, std::move(value)};
}

}  // namespace detail

// Runs all at the same time; when the first has finished, cancels the others, waits for their end, and returns which
// was first and its result. If the first one failed or was cancelled, its exception is thrown. A later one that fails
// instead of ending by the cancellation is a verdict: an exception that nobody read.
// They start in the order of the arguments; which is first may depend on the schedule. A shared_task may stand for a
// task: one that is not first lets go of its work, which ends with the last who waits for it.
// Cancelling the caller cancels all of them, and is delivered when all have ended, whatever they returned.
// Source: asyncio.wait(return_when=FIRST_COMPLETED), but that it cancels the others.
template <detail::runnable... Work>
  requires(sizeof...(Work) > 0)
auto when_any(Work... works) {
  return detail::when_any(std::index_sequence_for<Work...>(), detail::task_of(std::move(works))...);
}

// The same for any number, at least one, of tasks of one type. Misuse for none, which would wait for ever.
template <class T>
task<first_among<T>> when_any(std::vector<task<T>> works, source where = source::current()) {
  const detail::rescue_scope race;
  std::vector<join_handle<T>> handles;
  detail::crowd all;
  detail::spawn_into(handles, all, works, where);
  if (handles.empty()) detail::here().owner->misused("when_any() of no tasks would wait for ever", where);
  co_await all.run_until(detail::crowd::until::first, "another task of when_any was first");
  std::size_t index = 0;
  while (&handles[index].get() != all.first_finished()) ++index;
  co_return first_among<T>{index, detail::result_of(handles[index])};
}

}  // namespace lockstep
