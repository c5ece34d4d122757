// Boost.Asio and lockstep in one program: each awaits the other.
//
// A task awaits any operation of Asio's with the token `use_task`:
//   co_await timer.async_wait(use_task);
//   const int answer = co_await boost::asio::co_spawn(context, ask(), use_task);
// A coroutine of Asio's, or whatever else takes a completion, awaits a task through async_run():
//   const int answer = co_await async_run(answer_after(1s, 42), boost::asio::use_awaitable);
//
// What was awaited comes back through the loop's queue, from whichever thread it comes. Operations of Asio's go on in
// real time, so they count as outside(x): the virtual clock holds meanwhile. Somebody must run their io_context: the
// driver of the operating system does that for its own, real::current_io_context(); another one is run by a thread of
// the user's.
// Those of an object whose executor is a loop_executor do not, as all that is built on an asio_stream: they end within
// the simulation. So does an operation that does not say which executor it has, as those of Beast do not, if it begins
// something on the loop when it is begun. To mark another one, say outside(...) all the same.
//
// Cancelling the task cancels the operation, by its cancellation slot and on its executor, and the await goes on when
// Asio has ended it: with `cancelled` if the operation was aborted, else with its result, and the cancellation comes at
// the next await. An operation that does not support cancellation is waited for.
// Lifetime: a task that is destroyed meanwhile cancels its operation, and never hears of it again.
// Threads: a context that several threads run needs a strand, as Asio's cancellation slots do.
// Needs Boost.Asio 1.77 or later, and the library lockstep::real. It is not part of <lockstep/lockstep.hpp>.
#pragma once

#include <lockstep/adapters/completion.hpp>
#include <lockstep/adapters/loop_executor.hpp>
#include <lockstep/runtime/foreign.hpp>
#include <lockstep/runtime/loop_remote.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/system/system_error.hpp>

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace lockstep {

// The completion token with which a task awaits an operation of Asio's. The await returns what the operation completes
// with: nothing, a value, or a tuple of several. An error_code or an exception that comes first is thrown instead, as
// boost::system::system_error or as itself; `boost::asio::as_tuple(use_task)` returns the error_code.
// Source: asio::use_awaitable.
struct use_task_t {
  // An executor, and an I/O object, whose operations take use_task by default.
  template <class Executor>
  struct executor_with_default : Executor {
    using default_completion_token_type = use_task_t;
    template <class Other>
      requires(!std::same_as<Other, executor_with_default> && std::convertible_to<const Other&, Executor>)
    executor_with_default(const Other& executor)
    noexcept : Executor(executor) {}
  };
  template <class IoObject>
  using as_default_on_t =
      typename IoObject::template rebind_executor<executor_with_default<typename IoObject::executor_type>>::other;
};
inline constexpr use_task_t use_task;

namespace detail {

// What an operation and the task that awaits it share.
template <class... Args>
struct asio_completion : completion<std::tuple<Args...>> {
  boost::asio::cancellation_signal stop;
};

// The handler that Asio completes; or destroys, as an io_context does that dies.
template <class... Args>
class asio_handler {
 public:
  using cancellation_slot_type = boost::asio::cancellation_slot;

  explicit asio_handler(std::shared_ptr<asio_completion<Args...>> completes) : completes_(std::move(completes)) {}
  asio_handler(asio_handler&&) noexcept = default;
  asio_handler& operator=(asio_handler&&) = delete;
  ~asio_handler() {
    if (completes_ != nullptr) completes_->be_dropped();
  }

  cancellation_slot_type get_cancellation_slot() const noexcept { return completes_->stop.slot(); }

  template <class... Results>
  void operator()(Results&&... results) {
    std::exchange(completes_, nullptr)->arrive(std::forward<Results>(results)...);
  }

 private:
  std::shared_ptr<asio_completion<Args...>> completes_;
};

// Throws `cancelled` if that is why the operation was aborted.
inline void throw_asio_cancellation(const boost::system::error_code& error) {
  if (error == boost::asio::error::operation_aborted) throw_if_asked_to_stop();
}
inline void throw_asio_cancellation(const std::exception_ptr& failure) {
  if (failure == nullptr) return;
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    throw_asio_cancellation(error.code());
  } catch (...) {  // something else
  }
}
inline void throw_asio_error(const boost::system::error_code& error) {
  throw_asio_cancellation(error);
  if (error) throw boost::system::system_error(error);
}
inline void throw_asio_error(const std::exception_ptr& failure) {
  throw_asio_cancellation(failure);
  if (failure != nullptr) std::rethrow_exception(failure);
}

template <class T>
concept asio_error = std::same_as<T, boost::system::error_code> || std::same_as<T, std::exception_ptr>;

template <asio_error Error, class... T>
auto unpack_asio(std::tuple<Error, T...>&& all) {
  throw_asio_error(std::get<0>(all));
  return std::apply([](Error&, T&... values) { return unpacked(std::tuple<T...>(static_cast<T&&>(values)...)); }, all);
}
// As as_tuple has it.
template <asio_error Error, class... T>
std::tuple<Error, T...> unpack_asio(std::tuple<std::tuple<Error, T...>>&& all) {
  throw_asio_cancellation(std::get<0>(std::get<0>(all)));
  return std::get<0>(std::move(all));
}
template <class... T>
auto unpack_asio(std::tuple<T...>&& all) {
  return unpacked(std::move(all));
}

// An operation of Asio's that has not begun: it does when it is awaited.
template <class Initiation, class Inputs, class... Args>
class asio_operation {
 public:
  asio_operation(Initiation initiation, Inputs inputs)
      : initiation_(std::move(initiation)), inputs_(std::move(inputs)) {}
  asio_operation(asio_operation&&) = default;
  asio_operation& operator=(asio_operation&&) = delete;
  ~asio_operation() {
    if (completion_ != nullptr && completion_->forget_waiter()) cancel_requested();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    completion_ = std::make_shared<asio_completion<Args...>>();
    executor_.emplace(boost::asio::get_associated_executor(initiation_));
    const std::uint64_t begun_before = begun_on_loop();
    // Beast passes an int on as a size.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
    std::apply(
        [this](auto&... inputs) { std::move(initiation_)(asio_handler<Args...>(completion_), std::move(inputs)...); },
        inputs_);
#pragma GCC diagnostic pop
    ends_inside_ = says_executor ? is_loops(*executor_) : begun_on_loop() != begun_before;
    return completion_->wait(waiter);
  }
  // Whether it ends within the simulation. Requires that it has begun.
  bool ends_inside() const noexcept { return ends_inside_; }
  auto await_resume() {
    std::optional<std::tuple<Args...>> results = completion_->take();
    if (!results) throw_asio_error(boost::system::error_code(boost::asio::error::operation_aborted));
    return unpack_asio(std::move(*results));
  }
  // The task that waits was asked to stop, on the loop's thread.
  void cancel_requested() {
    auto stop = [stopped = completion_] { stopped->stop.emit(boost::asio::cancellation_type::all); };
    if (ends_inside_) {
      stop();
    } else {
      boost::asio::dispatch(*executor_, std::move(stop));
    }
  }

 private:
  // Without one, this is what Asio takes.
  static constexpr bool says_executor =
      !std::same_as<boost::asio::associated_executor_t<Initiation>, boost::asio::system_executor>;

  static std::uint64_t begun_on_loop() {
    const asio_home* const home = asio_home::find();
    return home != nullptr ? home->begun() : 0;
  }

  Initiation initiation_;
  Inputs inputs_;
  std::optional<boost::asio::associated_executor_t<Initiation>> executor_;
  std::shared_ptr<asio_completion<Args...>> completion_;
  bool ends_inside_ = false;
};

template <class T>
struct asio_completes_with {
  static_assert(!std::is_reference_v<T> && std::is_default_constructible_v<T>,
                "async_run() completes a handler with a T() beside an exception: let the task return such a value");
  using signature = void(std::exception_ptr, T);
};
template <>
struct asio_completes_with<void> {
  using signature = void(std::exception_ptr);
};

inline std::exception_ptr asio_aborted() {
  return std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));
}

// Completes a handler once, on its executor, which has work to wait for until then.
template <class Handler, class... Value>
class asio_reply {
 public:
  explicit asio_reply(Handler handler) : work_(boost::asio::make_work_guard(handler)), handler_(std::move(handler)) {}
  asio_reply(asio_reply&& other) noexcept
      : work_(std::move(other.work_)), handler_(std::exchange(other.handler_, std::nullopt)) {}
  asio_reply& operator=(asio_reply&&) = delete;
  // The task has gone before its end.
  ~asio_reply() {
    if (handler_) boost::asio::post(work_.get_executor(), completing(asio_aborted(), Value()...));
  }

  void complete(std::exception_ptr failure, Value... value) {
    boost::asio::dispatch(work_.get_executor(), completing(std::move(failure), std::move(value)...));
  }

 private:
  auto completing(std::exception_ptr failure, Value... value) {
    Handler handler = *std::exchange(handler_, std::nullopt);
    return [handler = std::move(handler), results = std::tuple(std::move(failure), std::move(value)...)]() mutable {
      std::apply(std::move(handler), std::move(results));
    };
  }

  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
  std::optional<Handler> handler_;
};

// Tells a cancellation slot which task it is about, for as long as there is one.
class asio_link {
 public:
  asio_link() : who_(std::make_shared<agent*>(nullptr)) {}
  asio_link(asio_link&&) noexcept = default;
  asio_link& operator=(asio_link&&) = delete;
  ~asio_link() {
    if (who_ != nullptr) *who_ = nullptr;
  }
  const std::shared_ptr<agent*>& who() const noexcept { return who_; }

 private:
  std::shared_ptr<agent*> who_;
};

template <class T, class Reply>
task<void> run_for_asio(task<T> work, Reply reply, asio_link) {
  std::exception_ptr failure;
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(work);
    } else {
      value.emplace(co_await std::move(work));
    }
  } catch (const cancelled&) {
    failure = asio_aborted();
  } catch (...) {
    failure = std::current_exception();
  }
  if constexpr (std::is_void_v<T>) {
    reply.complete(std::move(failure));
  } else {
    reply.complete(std::move(failure), value ? std::move(*value) : T());
  }
}

struct asio_start {
  template <class Handler, class T>
  void operator()(Handler handler, task<T> work) const {
    start(std::move(handler), std::move(work), static_cast<typename asio_completes_with<T>::signature*>(nullptr));
  }

 private:
  template <class Handler, class T, class... Value>
  static void start(Handler handler, task<T> work, void (*)(std::exception_ptr, Value...)) {
    const loop_remote home;
    asio_link link;
    const std::shared_ptr<agent*> who = link.who();
    if (auto slot = boost::asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
      slot.assign([home, who](boost::asio::cancellation_type) {
        home.call_soon_threadsafe([who] {
          if (*who != nullptr) (*who)->cancel("cancelled by Asio");
        });
      });
    }
    auto begin = [work = std::move(work), reply = asio_reply<Handler, Value...>(std::move(handler)),
                  link = std::move(link), who]() mutable {
      *who = &spawn_daemon(run_for_asio(std::move(work), std::move(reply), std::move(link)));
    };
    if (current_loop()->running() != nullptr) {
      begin();
    } else {
      home.call_soon_threadsafe(std::move(begin));
    }
  }
};

}  // namespace detail

// Runs `work` on the loop of this thread, as a daemon, and completes `token` with what it comes to, on the executor
// that belongs to the token: `void(std::exception_ptr, T)`, or `void(std::exception_ptr)` for a task<void>. T must have
// a default. Misuse where no loop runs. The cancellation slot of the token cancels the task. One that was cancelled, so
// or at the end of the run, or destroyed, completes with boost::system::system_error(operation_aborted).
template <class T, class Token>
auto async_run(task<T> work, Token&& token) {
  return boost::asio::async_initiate<Token, typename detail::asio_completes_with<T>::signature>(detail::asio_start(),
                                                                                                token, std::move(work));
}

}  // namespace lockstep

namespace boost::asio {

template <class... Args>
struct async_result<lockstep::use_task_t, void(Args...)> {
  template <class Initiation, class... Inputs>
  static auto initiate(Initiation initiation, lockstep::use_task_t, Inputs... inputs) {
    using operation = lockstep::detail::asio_operation<Initiation, std::tuple<Inputs...>, std::remove_cvref_t<Args>...>;
    return operation(std::move(initiation), std::tuple<Inputs...>(std::move(inputs)...));
  }
};

}  // namespace boost::asio
