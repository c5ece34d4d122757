// result<T>: what work came to, as a value; and as_result(), the other way to await a task. Plain throws,
// as_result() returns.
//
//   const result<page> got = co_await as_result(fetch(url));
//   if (!got) log(text_of(got.error()));
#pragma once

#include <lockstep/runtime/errors.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/runtime/verdict.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep {

namespace detail {

// A result as an element of a tuple, where a reference may stand; and of what holds values only.
template <class T>
using regular = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
template <class T>
using kept = std::conditional_t<std::is_reference_v<T>, std::reference_wrapper<std::remove_reference_t<T>>, regular<T>>;

// A result that is looked at and stays where it is.
template <class T>
using seen = std::conditional_t<std::is_void_v<T>, void, std::add_lvalue_reference_t<const T>>;

// What ended work, and the tasks that it had left before.
struct failure {
  explicit failure(std::exception_ptr what, std::vector<task_snapshot> left = {})
      : error(std::move(what)), trail(std::move(left)) {}
  // In the name of the running task, if there is one, which tells where it comes from.
  [[noreturn]] void rethrow() const;

  std::exception_ptr error;
  std::vector<task_snapshot> trail;
};

}  // namespace detail

// A value, an exception, or a cancellation. T is as in task<T>. An exception that stands in a result counts as read.
// Source: std::expected, whose error is an exception here.
template <class T>
class [[nodiscard("look at what the work came to")]] result {
 public:
  using value_type = T;

  result() requires std::is_void_v<T>
  = default;
  template <class U = T>
    requires(!std::is_void_v<T> && std::constructible_from<detail::kept<T>, U&&> &&
             !std::same_as<std::remove_cvref_t<U>, result> && !std::same_as<std::remove_cvref_t<U>, detail::failure>)
  result(U && value) : held_(std::in_place_index<0>, std::forward<U>(value)) {}
  // For the library.
  result(detail::failure failed) : held_(std::in_place_index<1>, std::move(failed)) {}
  // Requires an exception; one that is `cancelled` stands for a cancellation.
  static result failed(std::exception_ptr error) { return detail::failure(std::move(error)); }

  bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // The value, as often as it is asked for. Throws the exception if there is none.
  std::add_lvalue_reference_t<T> value()& { return get(checked().held_); }
  detail::seen<T> value() const& { return get(checked().held_); }
  T value()&& {
    checked();
    if constexpr (std::is_object_v<T>) {
      return std::move(std::get<0>(held_));
    } else {
      return get(held_);
    }
  }

  // What ended the work instead; null if there is a value.
  std::exception_ptr error() const noexcept { return has_value() ? nullptr : std::get<1>(held_).error; }
  bool was_cancelled() const { return !has_value() && holds<cancelled>(error()); }

 private:
  using storage = std::variant<detail::kept<T>, detail::failure>;

  const result& checked() const {
    if (!has_value()) std::get<1>(held_).rethrow();
    return *this;
  }
  result& checked() {
    std::as_const(*this).checked();
    return *this;
  }
  template <class Held>
  static decltype(auto) get(Held & held) {
    if constexpr (std::is_reference_v<T>) {
      return std::get<0>(held).get();
    } else if constexpr (!std::is_void_v<T>) {
      return (std::get<0>(held));
    }
  }

  storage held_;
};

namespace detail {

// Around work that the running task awaits, to tell its cancellations from those of the work.
class result_scope {
 public:
  result_scope();
  // In a handler of `cancelled`: whether the task itself was asked to stop, and this is how it is told.
  bool is_of_task() const noexcept;
  // In a handler of anything else, and of `cancelled` otherwise. A request to stop that was delivered meanwhile is
  // delivered again at the next await: what it gave way to is in the result.
  failure caught() const;

 private:
  agent& owner_;
  unsigned requests_before_;
};

}  // namespace detail

// Awaits `work` and returns what it came to, instead of throwing that.
// If the running task is cancelled meanwhile, that is no result: `cancelled` passes, and what came of the work with it.
// A result is only what the work itself came to: also a cancellation, of a task that it joined. If the work answers the
// cancellation of the task with another error, that is the result, and the cancellation is delivered at the next await.
template <class T>
task<result<T>> as_result(task<T> work) {
  const detail::result_scope scope;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(work);
      co_return result<void>();
    } else {
      co_return result<T>(co_await std::move(work));
    }
  } catch (const cancelled&) {
    if (scope.is_of_task()) throw;
    co_return result<T>(scope.caught());
  } catch (...) {
    co_return result<T>(scope.caught());
  }
}

namespace detail {

template <class Operation>
auto performing(Operation& what) -> task<decltype(what.await_resume())> {
  co_return co_await std::move(what);
}

}  // namespace detail

// The same for one operation, such as reading from a socket. It stays where it is, so co_await this where it is made:
//   const result<std::size_t> got = co_await as_result(peer.read_some(buffer));
template <operation_of_ours Operation>
  requires(!std::is_reference_v<Operation>)
auto as_result(Operation&& work) { return as_result(detail::performing(work)); }

}  // namespace lockstep
