// Senders and lockstep in one program: each awaits the other. This header is empty where <stdexec/execution.hpp> is not
// found; LOCKSTEP_HAS_STDEXEC tells.
//
//   const int answer = co_await from_sender(stdexec::then(stdexec::schedule(pool), [] { return 42; }));
//   stdexec::sender auto asked = as_sender(ask(7));
//
// What was awaited comes back through the loop's queue, from whichever thread it comes. A sender's work goes on outside
// of the simulation, so it counts as outside(x): the virtual clock holds meanwhile.
//
// Cancelling the task requests the work to stop, and the await goes on when the work has ended: with `cancelled` if it
// was stopped, else with its result, and the cancellation comes at the next await.
// Lifetime: a task that is destroyed meanwhile requests the work to stop, and never hears of it again.
// Source: P2300, std::execution.
#pragma once

#if __has_include(<stdexec/execution.hpp>)
#define LOCKSTEP_HAS_STDEXEC 1

#include <lockstep/adapters/completion.hpp>
#include <lockstep/runtime/foreign.hpp>
#include <lockstep/runtime/loop_remote.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

#include <stdexec/execution.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace lockstep {

namespace detail {

struct sender_environment {
  stdexec::inplace_stop_token token;
  stdexec::inplace_stop_token query(stdexec::get_stop_token_t) const noexcept { return token; }
};

template <class... T>
using values_of_sender = std::tuple<std::decay_t<T>...>;
template <class... Ways>
struct only_way_of_sender {
  static_assert(sizeof...(Ways) <= 1,
                "from_sender() awaits a sender that completes with values of one kind: make it "
                "one variant, as by stdexec::into_variant()");
};
template <>
struct only_way_of_sender<> {
  using values = std::tuple<>;
};
template <class Values>
struct only_way_of_sender<Values> {
  using values = Values;
};
template <class Sender>
using sender_values =
    typename stdexec::value_types_of_t<Sender, sender_environment, values_of_sender, only_way_of_sender>::values;

// What a sender came to: values, or an error, or neither if it was stopped.
template <class Values>
struct sender_result {
  std::optional<Values> values;
  std::exception_ptr error;
};

// What the task and the work share, the work's own state among it.
template <class Sender>
class sender_wait : public completion<sender_result<sender_values<Sender>>> {
 public:
  class receiver {
   public:
    using receiver_concept = stdexec::receiver_t;

    explicit receiver(std::shared_ptr<sender_wait> of) noexcept : of_(std::move(of)) {}
    sender_environment get_env() const noexcept { return {of_->stop_.get_token()}; }

    // The work has ended, so that its state may go while this is being called.
    template <class... T>
    void set_value(T&&... values) noexcept {
      const std::shared_ptr<sender_wait> ended = std::move(of_);
      try {
        ended->arrive(sender_values<Sender>(std::forward<T>(values)...), nullptr);
      } catch (...) {
        ended->arrive(std::nullopt, std::current_exception());
      }
    }
    template <class Error>
    void set_error(Error&& error) noexcept {
      const std::shared_ptr<sender_wait> ended = std::move(of_);
      if constexpr (std::is_same_v<std::decay_t<Error>, std::exception_ptr>) {
        ended->arrive(std::nullopt, std::forward<Error>(error));
      } else {
        ended->arrive(std::nullopt, std::make_exception_ptr(std::forward<Error>(error)));
      }
    }
    void set_stopped() noexcept {
      const std::shared_ptr<sender_wait> ended = std::move(of_);
      ended->arrive(std::nullopt, nullptr);
    }

   private:
    std::shared_ptr<sender_wait> of_;
  };

  static std::shared_ptr<sender_wait> start(Sender sender) {
    auto made = std::make_shared<sender_wait>();
    struct connecting {
      Sender& sender;
      std::shared_ptr<sender_wait>& to;
      operator stdexec::connect_result_t<Sender, receiver>() {
        return stdexec::connect(std::move(sender), receiver(to));
      }
    };
    made->work_.emplace(connecting{sender, made});
    stdexec::start(*made->work_);
    return made;
  }
  void request_stop() noexcept { stop_.request_stop(); }

 private:
  stdexec::inplace_stop_source stop_;
  std::optional<stdexec::connect_result_t<Sender, receiver>> work_;
};

// A sender whose work has not begun: it does when this is awaited.
template <class Sender>
class sender_awaiter {
 public:
  explicit sender_awaiter(Sender sender) : sender_(std::move(sender)) {}
  sender_awaiter(sender_awaiter&&) = default;
  sender_awaiter& operator=(sender_awaiter&&) = delete;
  ~sender_awaiter() {
    if (wait_ != nullptr && wait_->forget_waiter()) wait_->request_stop();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    wait_ = sender_wait<Sender>::start(std::move(sender_));
    return wait_->wait(waiter);
  }
  auto await_resume() {
    auto result = wait_->take();
    if (result->error != nullptr) std::rethrow_exception(result->error);
    if (!result->values) {
      throw_if_asked_to_stop();
      throw cancelled("the sender was stopped");
    }
    return unpacked(std::move(*result->values));
  }
  // The task that waits was asked to stop.
  void cancel_requested() { wait_->request_stop(); }

 private:
  Sender sender_;
  std::shared_ptr<sender_wait<Sender>> wait_;
};

// The daemon's side of a sender that is a task: completes the receiver once, whatever becomes of the task.
template <class Operation>
class sender_reply {
 public:
  explicit sender_reply(Operation& to) noexcept : to_(&to) {}
  sender_reply(sender_reply&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
  sender_reply& operator=(sender_reply&&) = delete;
  ~sender_reply() {
    if (to_ != nullptr) to_->stop();
  }
  Operation& use() noexcept { return *std::exchange(to_, nullptr); }

 private:
  Operation* to_;
};

template <class T, class Reply>
task<void> run_for_sender(task<T> work, Reply reply) {
  std::exception_ptr failure;
  bool was_cancelled = false;
  std::optional<std::conditional_t<std::is_void_v<T>, std::tuple<>, T>> value;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(work);
      value.emplace();
    } else {
      value.emplace(co_await std::move(work));
    }
  } catch (const cancelled&) {
    was_cancelled = true;
  } catch (...) {
    failure = std::current_exception();
  }
  auto& to = reply.use();
  if (was_cancelled) {
    to.stop();
  } else if (failure != nullptr) {
    to.fail(std::move(failure));
  } else {
    to.succeed(std::move(*value));
  }
}

template <class T, class Receiver>
class task_operation {
  struct on_stop {
    loop_remote home;
    std::shared_ptr<agent*> who;
    void operator()() const noexcept {
      home.call_soon_threadsafe([asked = who] {
        if (*asked != nullptr) (*asked)->cancel("stopped by its receiver");
      });
    }
  };
  using stop_token = stdexec::stop_token_of_t<stdexec::env_of_t<Receiver>>;
  using stop_callback = stdexec::stop_callback_for_t<stop_token, on_stop>;

 public:
  using operation_state_concept = stdexec::operation_state_t;

  task_operation(task<T> work, Receiver receiver) : work_(std::move(work)), receiver_(std::move(receiver)) {}
  task_operation(task_operation&&) = delete;

  void start() noexcept {
    try {
      const loop_remote home;
      who_ = std::make_shared<agent*>(nullptr);
      on_stop_.emplace(stdexec::get_stop_token(stdexec::get_env(receiver_)), on_stop{home, who_});
      auto begin = [this, reply = sender_reply<task_operation>(*this)]() mutable {
        *who_ = &spawn_daemon(run_for_sender(std::move(work_), std::move(reply)));
      };
      if (current_loop()->running() != nullptr) {
        begin();
      } else {
        home.call_soon_threadsafe(std::move(begin));
      }
    } catch (...) {
      fail(std::current_exception());
    }
  }

  // Completing it may be its end.
  template <class Value>
  void succeed(Value&& value) noexcept {
    end();
    if constexpr (std::is_void_v<T>) {
      stdexec::set_value(std::move(receiver_));
    } else {
      stdexec::set_value(std::move(receiver_), std::forward<Value>(value));
    }
  }
  void fail(std::exception_ptr failure) noexcept {
    end();
    stdexec::set_error(std::move(receiver_), std::move(failure));
  }
  void stop() noexcept {
    end();
    stdexec::set_stopped(std::move(receiver_));
  }

 private:
  void end() noexcept {
    on_stop_.reset();
    if (who_ != nullptr) *who_ = nullptr;
  }

  task<T> work_;
  Receiver receiver_;
  std::shared_ptr<agent*> who_;
  std::optional<stop_callback> on_stop_;
};

template <class T>
class task_sender {
  template <class Value>
  struct signatures {
    using type = stdexec::completion_signatures<stdexec::set_value_t(Value), stdexec::set_error_t(std::exception_ptr),
                                                stdexec::set_stopped_t()>;
  };
  template <class Value>
    requires std::is_void_v<Value>
  struct signatures<Value> {
    using type = stdexec::completion_signatures<stdexec::set_value_t(), stdexec::set_error_t(std::exception_ptr),
                                                stdexec::set_stopped_t()>;
  };

 public:
  using sender_concept = stdexec::sender_t;
  using completion_signatures = typename signatures<T>::type;

  explicit task_sender(task<T> work) noexcept : work_(std::move(work)) {}

  template <class Receiver>
  task_operation<T, Receiver> connect(Receiver receiver) && {
    return {std::move(work_), std::move(receiver)};
  }

 private:
  task<T> work_;
};

}  // namespace detail

// An awaitable for tasks: starts the sender's work when it is awaited, and returns what it completes with: nothing, a
// value, or a tuple of several. Throws its error; `cancelled` if it was stopped.
template <class Sender>
auto from_sender(Sender&& sender) {
  return outside(detail::sender_awaiter<std::decay_t<Sender>>(std::forward<Sender>(sender)));
}

// A sender that, when it is started, runs `work` on the loop of that thread, as a daemon; misuse where no loop runs,
// which it completes with as an error. It completes on the loop's thread: with the result, with what left the task, or
// stopped, if the task was cancelled or destroyed. The receiver's stop token cancels the task.
template <class T>
detail::task_sender<T> as_sender(task<T> work) {
  return detail::task_sender<T>(std::move(work));
}

}  // namespace lockstep

#endif
