// GoogleMock actions for functions that return a task, and a default for them.
//
//   EXPECT_CALL(store, load("k")).WillOnce(CoReturn(5)).WillOnce(CoDelay(1s, CoThrow(io_error())));
//
// A task that an action made and nobody awaits is a verdict that names the action's line. Without an action, a mock
// function that returns task<T> gives a task with a default-constructed T.
#pragma once

#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/task.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace lockstep {

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

template <class T>
task<T> never() {
  co_await sleep_until(time_point::max());
  co_return co_await never<T>();
}

template <class T>
task<T> after(duration length, task<T> then) {
  co_await sleep_for(length);
  co_return co_await std::move(then);
}

template <class F, class... Args>
auto call(F function, Args... args) -> task<typename std::invoke_result_t<F&, Args&...>::value_type>
  requires task_function<F&, Args&...> { co_return co_await std::invoke(function, args...); }
template <class T, class F, class... Args>
task<T> call_plainly(F function, Args... args) {
  co_return std::invoke(function, args...);
}

// An action that makes its task with `Make`, which is called with the result's type and the arguments.
template <class Make>
class co_action {
 public:
  co_action(Make make, source where) : make_(std::move(make)), where_(where) {}

  template <class T, class... Args>
  operator testing::Action<task<T>(Args...)>() const {  // NOLINT: GoogleMock converts
    return testing::Action<task<T>(Args...)>([make = make_, where = where_](Args... args) -> task<T> {
      return make.template operator()<T>(std::forward<Args>(args)...).made_by_mock_at(where);
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
  auto make = [value = std::move(value)]<class T, class... Args>(Args&&...) {
    static_assert(std::is_convertible_v<const V&, T>,
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

// A task that returns `value` itself, for what cannot be copied; for one call.
template <class V>
auto CoReturnByMove(V value, source where = source::current()) {
  auto make = [value = std::make_shared<V>(std::move(value))]<class T, class... Args>(Args&&...) {
    return detail::deliver<T>(std::move(*value));
  };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

// A task that throws a copy of `error` when it is awaited.
template <class E>
auto CoThrow(E error, source where = source::current()) {
  auto make = [error = std::move(error)]<class T, class... Args>(Args&&...) { return detail::fail_with<T>(error); };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

// A task that calls `function`, a coroutine or a plain function, with copies of the arguments. The callable and the
// arguments live until the task ends, so a lambda coroutine may capture.
template <class F>
auto CoInvoke(F function, source where = source::current()) {
  auto make = [function = std::move(function)]<class T, class... Args>(Args&&... args) {
    if constexpr (task_function<F&, std::decay_t<Args>&...>) {
      return detail::call<F, std::decay_t<Args>...>(function, std::forward<Args>(args)...);
    } else {
      return detail::call_plainly<T, F, std::decay_t<Args>...>(function, std::forward<Args>(args)...);
    }
  };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

// A task that waits for `length` of virtual time and then does what `action` does.
template <class Make>
auto CoDelay(duration length, detail::co_action<Make> action, source where = source::current()) {
  auto make = [length, action]<class T, class... Args>(Args&&... args) {
    return detail::after<T>(length, action.make().template operator()<T>(std::forward<Args>(args)...));
  };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

// A task that waits for ever; cancellation ends it.
inline auto CoNever(source where = source::current()) {
  auto make = []<class T, class... Args>(Args&&...) { return detail::never<T>(); };
  return detail::co_action<decltype(make)>(std::move(make), where);
}

}  // namespace lockstep

namespace testing::internal {

// What a mock function that returns a task gives when nothing else was said. GoogleMock has no public way to say this
// for a family of types.
template <class T>
  requires(std::is_void_v<T> || std::is_default_constructible_v<T>)
class BuiltInDefaultValue<lockstep::task<T>> {
 public:
  static bool Exists() { return true; }
  static lockstep::task<T> Get() {
    if constexpr (std::is_void_v<T>) {
      return lockstep::detail::deliver<T>(0);
    } else {
      return lockstep::detail::deliver<T>(T());
    }
  }
};

}  // namespace testing::internal
