// GoogleMock actions for functions that return a task, and a default for them.
//
//   EXPECT_CALL(server, fetch("/a"))
//       .WillOnce(CoThrow(refused))
//       .WillOnce(CoDelay(500ms, CoReturn("hello")));
//
// A task that an action made and nobody awaits is a verdict that names the action's line. Without an action, a mock
// function that returns task<T> gives a task with a default-constructed T; where T has no default, the call throws.
#pragma once

#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/task.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace lockstep {

// How GoogleMock prints a task, whose address differs from run to run.
template <class T>
void PrintTo(const task<T>&, std::ostream* out) {
  *out << "a task";
}

namespace detail {

template <class T, class V>
task<T> deliver(V value) {
  if constexpr (std::is_void_v<T>) {
    co_return;
  } else {
    co_return T(std::move(value));
  }
}

template <class T, class E>
task<T> fail_with(E error) {
  throw std::move(error);
  co_return co_await fail_with<T, E>(std::move(error));  // makes it a coroutine
}

// What the task of CoNever waits for.
class never_ending final : public primitive<never_ending> {
 public:
  explicit never_ending(const source& where) noexcept : primitive(operation_kind::sleep), where_(where) {}

  bool try_now() const noexcept { return false; }
  void enqueue() noexcept override {}
  void withdraw() noexcept override {}
  std::string describe() const override { return "CoNever() of " + file_and_line(where_); }
  void result() const noexcept {}

 private:
  source where_;
};
template <class T>
task<T> never(source where) {
  never_ending wait(where);
  co_await wait;
  co_return co_await never<T>(where);  // not reached
}

// How a task keeps an argument of a mock function until it ends: as a copy, or by reference what the function may
// change or what cannot be copied.
template <class Arg>
struct kept_argument {
  using value = std::remove_cvref_t<Arg>;
  static constexpr bool changeable = std::is_lvalue_reference_v<Arg> && !std::is_const_v<std::remove_reference_t<Arg>>;
  using type =
      std::conditional_t<changeable || (std::is_lvalue_reference_v<Arg> && !std::is_copy_constructible_v<value>), Arg,
                         value>;
};
template <class Arg>
using argument_kept = typename kept_argument<Arg>::type;

template <class T, class Make, class... Args>
task<T> after(duration length, Make make, Args... args) {
  co_await sleep_for(length);
  co_return co_await make.template operator()<T>(std::forward<Args>(args)...);
}

// A callable for what a coroutine of ours calls with the arguments that it keeps.
template <class T, class F, class... Args>
task<T> call(F function, Args... args) {
  if constexpr (task_function<F&, Args&&...>) {
    co_return co_await std::invoke(function, std::forward<Args>(args)...);
  } else {
    co_return std::invoke(function, std::forward<Args>(args)...);
  }
}

// Reports a second use of an action for one call, and throws.
[[noreturn]] void used_twice(const source& where);
// Throws for a mock function without an action that returns a task of something without a default.
[[noreturn]] void no_default_result();

// An action that makes its task with `Make`, which is called with the result's type and the arguments.
template <class Make>
class co_action {
 public:
  co_action(Make make, source where) : make_(std::move(make)), where_(where) {}

  template <class T, class... Args>
  operator testing::Action<task<T>(Args...)>() const {  // NOLINT: GoogleMock converts
    return testing::Action<task<T>(Args...)>([make = make_, where = where_](Args&&... args) -> task<T> {
      return make.template operator()<T, Args...>(std::forward<Args>(args)...).made_by_mock_at(where);
    });
  }
  const Make& make() const noexcept { return make_; }

 private:
  Make make_;
  source where_;
};

}  // namespace detail

// A task that returns a copy of `value`; CoReturn() for task<void>.
template <class V>
auto CoReturn(V value, source where = source::current()) {
  static_assert(std::is_copy_constructible_v<V>,
                "CoReturn() copies its value; for what cannot be copied, there is CoReturnByMove()");
  auto make = [value = std::move(value)]<class T, class... Args>(Args&&...) {
    static_assert(!std::is_copy_constructible_v<V> || std::is_convertible_v<const V&, T>,
                  "CoReturn() needs a value that converts to the T of the function's task<T>, and none for task<void>");
    return detail::deliver<T>(value);
  };
  return detail::co_action<decltype(make)>(std::move(make), where);
}
inline auto CoReturn(source where = source::current()) {
  auto make = []<class T, class... Args>(Args&&...) {
    static_assert(std::is_void_v<T>, "CoReturn() without a value is for functions that return task<void>");
    return detail::deliver<T>(0);
  };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

// A task that returns `value` itself, for what cannot be copied; for one call, WillOnce(): another is misuse.
template <class V>
auto CoReturnByMove(V value, source where = source::current()) {
  auto make = [value = std::make_shared<std::optional<V>>(std::move(value)), where]<class T, class... Args>(Args&&...) {
    if (!value->has_value()) detail::used_twice(where);
    return detail::deliver<T>(*std::exchange(*value, std::nullopt));
  };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

// A task that throws a copy of `error` when it is awaited.
template <class E>
auto CoThrow(const E& error, source where = source::current()) {
  auto make = [error = error]<class T, class... Args>(Args&&...) { return detail::fail_with<T>(error); };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

// A task that calls `function`, a coroutine or a plain function, with the arguments. The callable and copies of the
// arguments live until the task ends, so a lambda coroutine may capture, and take its parameters by reference. What the
// mock function takes by reference to change it, or what cannot be copied, is passed on by reference and must live as
// long.
template <class F>
auto CoInvoke(F function, source where = source::current()) {
  auto make = [function = std::move(function)]<class T, class... Args>(Args&&... args) {
    return detail::call<T, F, detail::argument_kept<Args>...>(function, std::forward<Args>(args)...);
  };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

// A task that waits for `length` of virtual time and then does what `action` does, with the arguments as CoInvoke
// keeps them.
template <class Make>
auto CoDelay(duration length, const detail::co_action<Make>& action, source where = source::current()) {
  auto make = [length, then = action.make()]<class T, class... Args>(Args&&... args) {
    return detail::after<T, Make, detail::argument_kept<Args>...>(length, then, std::forward<Args>(args)...);
  };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

template <coarser_duration D, class Make>
auto CoDelay(D length, const detail::co_action<Make>& action, source where = source::current()) {
  return CoDelay(saturating_cast(length), action, where);
}

// A task that waits for ever; cancellation ends it.
inline auto CoNever(source where = source::current()) {
  auto make = [where]<class T, class... Args>(Args&&...) { return detail::never<T>(where); };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

}  // namespace lockstep

namespace testing::internal {

// What a mock function that returns a task gives when nothing else was said. GoogleMock has no public way to say this
// for a family of types.
template <class T>
class BuiltInDefaultValue<lockstep::task<T>> {
 public:
  static bool Exists() { return true; }
  static lockstep::task<T> Get() {
    if constexpr (std::is_void_v<T>) {
      return lockstep::detail::deliver<T>(0).made_by_mock_at({});
    } else if constexpr (std::is_default_constructible_v<T>) {
      return lockstep::detail::deliver<T>(T()).made_by_mock_at({});
    } else {
      lockstep::detail::no_default_result();
    }
  }
};

}  // namespace testing::internal
