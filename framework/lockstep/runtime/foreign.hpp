// Awaiting what is not ours, and being awaited by what is not ours.
//
// A foreign awaitable in one of our tasks is given the handle of a small proxy coroutine, never our own: when it
// resumes the proxy, from wherever and on whichever thread, our task is posted to its loop. While one of our tasks is
// inside a foreign awaitable, foreign coroutines may await our tasks and primitives; they act in its name. Other
// foreign coroutines that await ours get an agent of their own.
// A foreign coroutine belongs to whoever would have destroyed it without us: when its world goes while it waits for
// something of ours, it is left suspended, and only the frames of ours below it are destroyed.
//
// A wait whose wake-up comes from outside the simulation is wrapped in `outside(x)`: the virtual clock holds meanwhile.
// An unwrapped one counts as blocked, so that a wait which nothing will end is reported as a deadlock. An awaiter
// that has a `bool ends_inside() const` counts as marked while it begins, and is asked then.
//
// Cancellation: cancelling a task cancels what foreign coroutines await of ours in its name. What is foreign itself
// cannot be withdrawn: an awaiter that has a `void cancel_requested()` is asked to come to an end, on the loop's
// thread, each time that the task is; the request is delivered at the next await of ours. Lifetime: a task that is
// destroyed meanwhile destroys the foreign awaiter, which should not resume the proxy any more. A resumption that comes
// too late finds the proxy all the same, and does nothing, until the next run of its world begins or the world ends.
//
// Threads: a wait that another thread ends is marked by `outside(x)`. If one that is not is resumed on another thread,
// that is misuse, a verdict at the line of the await: whether the clock had moved before, or everything was blocked, is
// a matter of luck. What cannot be judged is a thread that resumes the proxy, or touches the awaiter, when they are
// gone: so the awaiter's destructor waits for its thread, or sees to it that this does not come back.
#pragma once

#include <lockstep/runtime/primitive.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace lockstep {

template <class Awaitable>
class outside_wrapper {
 public:
  explicit outside_wrapper(Awaitable&& wrapped) : awaitable(std::forward<Awaitable>(wrapped)) {}
  Awaitable awaitable;
};

// The same of a temporary that cannot be moved. It refers to that, so it is awaited where it is made: it cannot be
// moved to an await elsewhere.
template <class Awaitable>
class outside_in_place {
 public:
  explicit outside_in_place(Awaitable&& wrapped) noexcept : awaitable(wrapped) {}
  outside_in_place(const outside_in_place&) = delete;
  outside_in_place& operator=(const outside_in_place&) = delete;
  Awaitable& awaitable;
};

// Marks a foreign awaitable, as in `co_await outside(x)`, as being ended by something outside the simulation, such as a
// thread. An lvalue is referred to and must live until the await has ended. A loop with nothing else to do blocks its
// thread until the wake-up has come.
template <class Awaitable>
auto outside(Awaitable&& awaitable) {
  if constexpr (std::is_lvalue_reference_v<Awaitable> || std::is_move_constructible_v<Awaitable>) {
    return outside_wrapper<Awaitable>(std::forward<Awaitable>(awaitable));
  } else {
    return outside_in_place<Awaitable>(std::forward<Awaitable>(awaitable));
  }
}

class inbox;

namespace detail {

// What resuming a proxy leads to. It is a part of the proxy; what may change, does so under the inbox's lock.
struct wake_up {
  foreign_wait* wait;  // null when that has ended otherwise
  bool from_outside;
  bool posted = false;
  std::uint64_t run;
  identity task;                       // which awaits
  source where;                        // at this line
  std::coroutine_handle<> proxy = {};  // once it is abandoned
  wake_up* next = nullptr;             // that was abandoned before
};

// A wait for something foreign: parked while it is under way, granted when the proxy is resumed.
class foreign_wait final : public primitive<foreign_wait> {
 public:
  foreign_wait(frame& awaiting, bool from_outside) noexcept;
  ~foreign_wait();

  bool try_now() noexcept { return false; }
  // The foreign side has been asked whether it is ready: nobody comes in between.
  bool waits_in_any_case() const noexcept override { return true; }
  void touch_what() const noexcept { touch(everything, access::write); }
  void touch_end() const noexcept override { touch_what(); }
  void enqueue() noexcept override {}
  void withdraw() noexcept override {}
  bool revoke() noexcept override { return false; }
  bool cancel_requested() noexcept override;
  void result() const noexcept {}

  // The foreign side is about to be started for the running task, whose frame is `self`.
  // False if the task may not go on: it is parked for good, and nothing is to be started.
  bool open(std::coroutine_handle<> self);
  // The foreign side has begun, and nothing outside the simulation will end it.
  void ends_inside() noexcept;
  // The foreign side has ended, did not suspend after all, or threw.
  void close() noexcept;
  // Calls `ask(awaiter)` when the task is asked to stop.
  void ask_to_stop(void (*ask)(void*), void* awaiter) noexcept {
    ask_ = ask;
    awaiter_ = awaiter;
  }
  // Its proxy is made, of which this is a part.
  wake_up begin_wake_up(wake_up& part_of_proxy) noexcept;
  loop& owner() const noexcept { return *loop_; }
  // The foreign side is done, which it said on the loop's thread.
  void resumed_here();
  // The wait is destroyed. If it is under way, takes the proxy, which the foreign side may yet resume, and returns
  // true.
  bool abandon(std::coroutine_handle<> proxy);
  // This wait has ended while something foreign within it still waits in its task's name: those waits go to `heir`.
  void hand_inner_waits_to(agent& heir);

 private:
  frame& awaiting_;
  bool from_outside_;
  foreign_wait* enclosing_ = nullptr;
  std::coroutine_handle<> enclosing_leaf_;
  frame* enclosing_frame_ = nullptr;
  agent::state state_before_ = agent::state::ready;
  std::uint32_t label_before_ = 0;
  operation* operation_before_ = nullptr;
  bool open_ = false;
  agent* owner_ = nullptr;
  loop* loop_ = nullptr;
  wake_up* wake_up_ = nullptr;
  void (*ask_)(void*) = nullptr;
  void* awaiter_ = nullptr;
};

// The coroutine whose handle the foreign side gets. It posts, and is destroyed with the await: perhaps at once, by the
// loop's thread, so it posts when it is suspended and touches nothing afterwards. One that was not resumed yet when its
// await was destroyed is left to the inbox.
class proxy_frame {
 public:
  struct promise_type {
    struct posting {
      promise_type& of;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<>) const noexcept { of.post(); }
      void await_resume() const noexcept {}
    };

    explicit promise_type(foreign_wait& of) noexcept;
    proxy_frame get_return_object() noexcept {
      return proxy_frame(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    posting final_suspend() noexcept { return {*this}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }

    // From any thread.
    void post();

    loop* owner;
    inbox* home;  // outlives the proxy, unlike the loop
    wake_up leads_to;
  };

  proxy_frame(proxy_frame&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  proxy_frame& operator=(proxy_frame&&) = delete;
  ~proxy_frame() {
    if (handle_) handle_.destroy();
  }
  std::coroutine_handle<> handle() const noexcept { return handle_; }
  void forget() noexcept { handle_ = nullptr; }

 private:
  explicit proxy_frame(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

proxy_frame make_proxy(foreign_wait& wait);

template <class T>
decltype(auto) awaiter_of(T&& awaitable) {
  if constexpr (requires { std::forward<T>(awaitable).operator co_await(); }) {
    return std::forward<T>(awaitable).operator co_await();
  } else if constexpr (requires { operator co_await(std::forward<T>(awaitable)); }) {
    return operator co_await(std::forward<T>(awaitable));
  } else {
    return std::forward<T>(awaitable);
  }
}

template <class T>
using awaiter_type = decltype(awaiter_of(std::declval<T>()));

template <class T>
concept foreign_awaitable = requires(awaiter_type<T> awaiter, std::coroutine_handle<> handle) {
  { awaiter.await_ready() } -> std::convertible_to<bool>;
  awaiter.await_suspend(handle);
  awaiter.await_resume();
};

// An awaiter that says, when it has begun, whether it ends within the simulation.
template <class Awaiter>
concept knows_where_it_ends = requires(const std::remove_reference_t<Awaiter>& begun) {
  { begun.ends_inside() } -> std::convertible_to<bool>;
};

// `Marked` as being ended outside.
template <class Awaitable, bool Marked>
class proxied {
  using awaiter = awaiter_type<Awaitable>;
  static constexpr bool tells_itself = !Marked && knows_where_it_ends<awaiter>;

 public:
  proxied(Awaitable&& awaitable, frame& awaiting)
      : awaiter_(awaiter_of(std::forward<Awaitable>(awaitable))), wait_(awaiting, Marked || tells_itself) {
    using awaiter_value = std::remove_reference_t<awaiter>;
    if constexpr (requires { awaiter_.cancel_requested(); }) {
      wait_.ask_to_stop([](void* asked) { static_cast<awaiter_value*>(asked)->cancel_requested(); }, &awaiter_);
    }
  }
  proxied(const proxied&) = delete;
  proxied& operator=(const proxied&) = delete;
  // Before the awaiter is destroyed, which may wait for a thread that is about to resume the proxy.
  ~proxied() {
    if (proxy_ && wait_.abandon(proxy_->handle())) proxy_->forget();
  }

  bool await_ready() {
    wait_.touch_what();
    if (awaiter_.await_ready()) return true;
    if (wait_.begin_in_task(*here().owner)) return true;  // cancelled
    return false;
  }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) {
    if (!wait_.open(self)) return true;
    proxy_.emplace(make_proxy(wait_));
    try {
      using returned = decltype(awaiter_.await_suspend(proxy_->handle()));
      if constexpr (std::is_void_v<returned>) {
        awaiter_.await_suspend(proxy_->handle());
      } else if constexpr (std::is_same_v<returned, bool>) {
        if (!awaiter_.await_suspend(proxy_->handle())) {
          wait_.close();
          return false;
        }
      } else {
        awaiter_.await_suspend(proxy_->handle()).resume();
      }
      if constexpr (tells_itself) {
        if (awaiter_.ends_inside()) wait_.ends_inside();
      }
    } catch (...) {
      wait_.close();
      throw;
    }
    return true;
  }
  decltype(auto) await_resume() {
    wait_.close();
    wait_.await_resume();
    return awaiter_.await_resume();
  }

 private:
  awaiter awaiter_;
  foreign_wait wait_;
  std::optional<proxy_frame> proxy_;
};

template <class Awaitable>
auto proxy(Awaitable&& awaitable, frame& awaiting) {
  static_assert(foreign_awaitable<Awaitable>,
                "co_await in a lockstep::task needs a task (call the coroutine), a lockstep operation, or a type with "
                "await_ready(), await_suspend(std::coroutine_handle<>) and await_resume(); "
                "a join_handle is awaited by its join(), a future by its get(), an async_generator by its next()");
  return proxied<Awaitable, false>(std::forward<Awaitable>(awaitable), awaiting);
}

template <class Awaitable>
auto proxy(outside_wrapper<Awaitable>&& wrapped, frame& awaiting) {
  return proxied<Awaitable, true>(std::forward<Awaitable>(wrapped.awaitable), awaiting);
}

template <class Awaitable>
auto proxy(outside_in_place<Awaitable>& wrapped, frame& awaiting) {
  return proxied<Awaitable, true>(std::move(wrapped.awaitable), awaiting);
}

}  // namespace detail

}  // namespace lockstep
