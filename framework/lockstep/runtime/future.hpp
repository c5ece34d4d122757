// promise<T> and future<T>: a result that somebody will have later, and those who wait for it.
//
//   promise<int> answer("answer");
//   spawn_daemon(print(answer.get_future()));
//   answer.set_value(42);
//
// A promise has one owner, who sets it once. Of its future there are as many copies as one likes; they cost as much as
// a shared_ptr, and each may be awaited any number of times. A task that is only to be waited for needs neither: its
// handle is joined.
//
// Order: whoever waits for a future, and whatever on_done() is to call, becomes ready in the order in which it came,
// and never runs within the call that sets the promise. Errors: an exception that was set and that nobody has read when
// the last copy dies, or the run ends, goes to the exception handler; without one it is a verdict (`unread exception`).
// To await the future, and to ask for result() or exception(), is to read it. Threads: both belong to one run and its
// thread, as every object does; from another thread, loop_remote sets them. They may be dropped anywhere, and read
// anywhere when the run is over. Source: asyncio.Future, split in two as std::promise and std::shared_future are.
#pragma once

#include <lockstep/base/label.hpp>
#include <lockstep/runtime/callback.hpp>
#include <lockstep/runtime/object.hpp>
#include <lockstep/runtime/primitive.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace lockstep {

// What those get who wait for a future whose promise has died unset.
class broken_promise : public std::runtime_error {
 public:
  explicit broken_promise(const std::string& of) : std::runtime_error("the promise of " + of + " died unset") {}
};

namespace detail {

// An exception that a promise was set to. The run remembers it until it is read.
struct kept_failure {
  std::exception_ptr thrown;
  std::string of;  // "future "answer""
  source where;    // it was set
  bool read = false;
};

// What a promise and its futures share, but for the value.
class future_state : public object {
 public:
  explicit future_state(label name);
  std::string_view noun() const noexcept override { return "future"; }

  bool done() const noexcept { return outcome_ != outcome::none; }
  bool was_cancelled() const noexcept { return outcome_ == outcome::cancelled; }
  // For who is about to set it by `call`: misuse if it is done.
  void require_pending(const char* call, source where);
  // The same for who tries.
  bool is_pending(source where) {
    enter_to_change("was set", where);
    return !done();
  }
  void require_here(const char* deed, source where) { enter(deed, where); }
  // Ends it, and makes those ready who wait.
  void settle_with_value(source where) noexcept { settle(outcome::value, where); }
  void settle_with_exception(std::exception_ptr thrown, source where);
  bool cancel(label reason, source where);
  void break_promise() noexcept;

  // For who asks for its state.
  const future_state& looked_at() const noexcept {
    touch(access::read);
    return *this;
  }
  // Returns if there is a value, and throws what there is instead.
  void read() const;
  void read_from_anywhere(source where) const;
  std::exception_ptr exception(source where) const;

  wait_list& waiters() noexcept { return waiters_; }
  // "future "answer" made by server": what a report says that `waiter` waits for. The task that made the promise is
  // left out if that is the waiter itself, and if it has ended.
  std::string text_of_wait(const agent* waiter) const;

 protected:
  ~future_state();

 private:
  enum class outcome { none, value, failure, cancelled, broken };

  void settle(outcome how, source where) noexcept;
  // What was set, for whoever reads it.
  std::exception_ptr hand_out() const;

  identity maker_ = 0;  // the task, if one ran
  outcome outcome_ = outcome::none;
  source settled_at_;
  label cancel_reason_;
  std::shared_ptr<kept_failure> failure_;
  wait_list waiters_;
};

template <class T>
class shared_result final : public future_state {
 public:
  using stored = std::conditional_t<std::is_reference_v<T>, std::add_pointer_t<T>, T>;

  using future_state::future_state;

  template <class U>
  void store(U&& value) {
    if constexpr (std::is_reference_v<T>) {
      T bound = std::forward<U>(value);
      value_.emplace(&bound);
    } else {
      value_.emplace(std::forward<U>(value));
    }
  }
  std::conditional_t<std::is_reference_v<T>, T, const T&> value() const noexcept {
    if constexpr (std::is_reference_v<T>) {
      return **value_;
    } else {
      return *value_;
    }
  }

 private:
  std::optional<stored> value_;
};

template <>
class shared_result<void> final : public future_state {
 public:
  using future_state::future_state;
  void value() const noexcept {}
};

// What a future gives: a reference into it while its owner keeps it, a copy if it is a temporary.
template <class T, bool Copies>
using given =
    std::conditional_t<Copies && !std::is_reference_v<T>, T, decltype(std::declval<shared_result<T>>().value())>;

template <class T, bool Copies>
class wait_for_future final : public primitive<wait_for_future<T, Copies>> {
 public:
  explicit wait_for_future(std::shared_ptr<shared_result<T>> of) noexcept
      : primitive<wait_for_future>(operation_kind::wait_future, *of), of_(std::move(of)) {}

  bool try_now() const noexcept { return of_->done(); }
  void enqueue() noexcept override { of_->waiters().push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  std::string describe() const override { return of_->text_of_wait(this->who()); }
  given<T, Copies> result() const {
    of_->read();
    return of_->value();
  }

 private:
  std::shared_ptr<shared_result<T>> of_;
};

[[noreturn]] void no_promise(const char* what, const source& where);

}  // namespace detail

template <class T>
class promise;

// The result of a promise, or nothing yet. T is as that of a task.
template <class T = void>
class future {
 public:
  using value_type = T;

  // Of no promise. All but valid() is misuse then.
  future() noexcept = default;
  bool valid() const noexcept { return state_ != nullptr; }

  // Waits until the promise is set, and gives its value: as `const T&`, which is good for as long as a copy of the
  // future is, as everyone who awaits it gets the same. Of a temporary future, as in `co_await request().get()`,
  // a copy.
  // Throws the exception that was set; `cancelled` if the future was cancelled; `broken_promise`.
  // Cancelling the waiter ends its wait, and leaves the future and those alone who also wait for it.
  LOCKSTEP_AWAIT_IT detail::wait_for_future<T, false> get(source where = source::current()) const& {
    to_state(where).require_here("was awaited", where);
    return detail::wait_for_future<T, false>(state_);
  }
  LOCKSTEP_AWAIT_IT detail::wait_for_future<T, true> get(source where = source::current()) && {
    static_assert(std::is_void_v<T> || std::is_reference_v<T> || std::copy_constructible<T>,
                  "get() of a temporary future copies the value: give the future a name, and get() a reference");
    to_state(where).require_here("was awaited", where);
    return detail::wait_for_future<T, true>(std::move(state_));
  }

  // Set, or cancelled.
  bool done(source where = source::current()) const { return to_state(where).looked_at().done(); }
  bool was_cancelled(source where = source::current()) const { return to_state(where).looked_at().was_cancelled(); }
  // What get() would give. Misuse if it is not done.
  detail::given<T, false> result(source where = source::current()) const& {
    to_state(where).read_from_anywhere(where);
    return state_->value();
  }
  detail::given<T, true> result(source where = source::current()) && {
    to_state(where).read_from_anywhere(where);
    return state_->value();
  }
  // The exception that was set, which then counts as read; null if there is none.
  std::exception_ptr exception(source where = source::current()) const { return to_state(where).exception(where); }

  // Ends it: all who wait get `cancelled`, and setting the promise is misuse from now on. Returns whether it was not
  // done.
  bool cancel(label reason = {}, source where = source::current()) {
    return to_state(where).cancel(std::move(reason), where);
  }

  // Has the loop call `function()` when it is done, however that came; soon, if it is already. In the order in which
  // they were given, waits among them. The handle takes it back. Looking at the result is left to the function: it
  // captures the future by value.
  template <std::invocable F>
  callback_handle on_done(F function, source where = source::current()) const {
    to_state(where).require_here("had a callback added", where);
    return detail::call_when<detail::wait_for_future<T, false>>(std::move(function), where, std::nullopt, state_);
  }

 private:
  friend class promise<T>;
  explicit future(std::shared_ptr<detail::shared_result<T>> state) noexcept : state_(std::move(state)) {}

  detail::shared_result<T>& to_state(const source& where) const {
    if (state_ == nullptr) [[unlikely]]
      detail::no_promise("future", where);
    return *state_;
  }

  std::shared_ptr<detail::shared_result<T>> state_;
};

// Sets what its futures give, once. One that dies unset leaves `broken_promise` to those who wait; that is no unread
// exception.
template <class T = void>
class promise {
 public:
  using value_type = T;

  // Reports call its future `name`.
  explicit promise(label name = {}) : state_(std::make_shared<detail::shared_result<T>>(std::move(name))) {}
  promise(promise&&) noexcept = default;
  promise& operator=(promise&& other) noexcept {
    promise(std::move(other)).swap(*this);
    return *this;
  }
  ~promise() {
    if (state_ != nullptr && state_.use_count() > 1 && !state_->done()) state_->break_promise();
  }
  void swap(promise& other) noexcept { state_.swap(other.state_); }

  // Whether it was not moved from. All else is misuse then.
  bool valid() const noexcept { return state_ != nullptr; }

  future<T> get_future(source where = source::current()) const {
    to_state(where);
    return future<T>(state_);
  }

  // Sets the value, a reference where T is one. Does not suspend. Misuse if it was set, or the future was cancelled.
  template <class U = T>
    requires(!std::is_void_v<T> && std::convertible_to<U&&, T>)
  void set_value(U&& value, source where = source::current()) {
    to_state(where).require_pending("set_value()", where);
    state_->store(std::forward<U>(value));
    state_->settle_with_value(where);
  }
  void set_value(source where = source::current()) requires std::is_void_v<T> {
    to_state(where).require_pending("set_value()", where);
    state_->settle_with_value(where);
  }
  // The same for an exception.
  void set_exception(std::exception_ptr thrown, source where = source::current()) {
    to_state(where).require_pending("set_exception()", where);
    state_->settle_with_exception(std::move(thrown), where);
  }

  // The same for who may come too late: false if it was set or cancelled before; then `value` is left as it is.
  template <class U = T>
    requires(!std::is_void_v<T> && std::convertible_to<U&&, T>)
  bool try_set_value(U&& value, source where = source::current()) {
    if (!to_state(where).is_pending(where)) return false;
    state_->store(std::forward<U>(value));
    state_->settle_with_value(where);
    return true;
  }
  bool try_set_value(source where = source::current()) requires std::is_void_v<T> {
    if (!to_state(where).is_pending(where)) return false;
    state_->settle_with_value(where);
    return true;
  }
  bool try_set_exception(std::exception_ptr thrown, source where = source::current()) {
    if (!to_state(where).is_pending(where)) return false;
    state_->settle_with_exception(std::move(thrown), where);
    return true;
  }

  // Set, or cancelled.
  bool done(source where = source::current()) const { return to_state(where).looked_at().done(); }
  // Whether the future was cancelled: nobody wants the result any more.
  bool cancelled(source where = source::current()) const { return to_state(where).looked_at().was_cancelled(); }

 private:
  detail::shared_result<T>& to_state(const source& where) const {
    if (state_ == nullptr) [[unlikely]]
      detail::no_promise("promise", where);
    return *state_;
  }

  std::shared_ptr<detail::shared_result<T>> state_;
};

}  // namespace lockstep
