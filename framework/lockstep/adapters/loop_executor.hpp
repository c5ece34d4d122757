// An executor of Boost.Asio that is our loop: what it is given becomes a call of the loop's, as by call_soon(), so that
// the oracle picks it like any other task.
//
//   asio::co_spawn(loop_executor(), session(), asio::detached);
//   boost::beast::http::async_read(stream, buffer, request, use_task);       // of an asio_stream, which has one
//
// - post() and defer() have the loop make a call. dispatch() calls there and then, if this is within a step of it.
// - Whoever asks for its context gets an io_context: that of the operating system's driver in a real world, otherwise
//   one that belongs to the run. That is polled whenever no task is ready, before time moves; and while something is
//   awaited that comes from outside, the loop waits there as well. So there is no thread behind it.
// - What goes on in an io_context goes on in real time, in a simulation too: Asio's timers, and so the timeouts of a
//   WebSocket of Beast's. The virtual clock does not wait for them. with_timeout() and sleep_for() are about its time.
// - Work that is outstanding on it, such as an asio::executor_work_guard, keeps a loop on a real clock waiting, as a
//   loop_remote does.
// Lifetime: it may outlive its run; then it drops what it is given. An io_context of a run drops what was begun there
// when the tasks of the run have gone; it is there as long as executors of that run are, if only for destructors.
// Threads: any thread may give it something; what it is asked for otherwise is for the loop's.
// Needs Boost.Asio 1.77 or later, and the library lockstep::real. It is not part of <lockstep/lockstep.hpp>.
// Source: asio::io_context::executor_type.
#pragma once

#include <lockstep/runtime/callback.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/listeners.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace lockstep {

namespace detail {

// Work that is outstanding somewhere.
class asio_work {
 public:
  explicit asio_work(std::shared_ptr<inbox> at) : at_(std::move(at)) { ++at_->callers; }
  asio_work(const asio_work&) = delete;
  asio_work& operator=(const asio_work&) = delete;
  ~asio_work() { at_->lose_caller(); }

 private:
  std::shared_ptr<inbox> at_;
};

// A function that is called once, and moved from: functions of Asio's may want that.
class posted {
 public:
  posted() = default;
  posted(const posted&) = delete;
  posted& operator=(const posted&) = delete;
  virtual ~posted() = default;
  virtual void call() = 0;
};

template <class F>
class posted_function final : public posted {
 public:
  explicit posted_function(F function) : function_(std::move(function)) {}
  void call() override { static_cast<void>(std::move(function_)()); }

 private:
  F function_;
};

// What the executors of a run share.
class asio_home final : public run_listener, private quiet_listener, public std::enable_shared_from_this<asio_home> {
 public:
  // That of the run under way, made when it is first asked for. Misuse without a run.
  static std::shared_ptr<asio_home> here();
  // The same, or null if nobody has asked for it.
  static asio_home* find();

  explicit asio_home(loop& of);
  asio_home(const asio_home&) = delete;
  asio_home& operator=(const asio_home&) = delete;
  ~asio_home();

  // Whether this is within a step of its loop.
  bool in_step() const noexcept {
    const lockstep::detail::context* const found = current_context;
    return found != nullptr && found->run == run_ && found->running != nullptr;
  }
  // Has the loop make the call. A call that is posted by another one is a child of that one's parent, so that what goes
  // on for long is no long chain. From any thread; drops the call if the run is over.
  void post(std::shared_ptr<scheduled_call> call);
  void post(std::unique_ptr<posted> function);
  std::shared_ptr<const asio_work> begin_work();
  boost::asio::io_context& context() const noexcept { return *context_; }
  // How often something was begun on the loop by Asio's rules: an operation, or work that is outstanding.
  std::uint64_t begun() const noexcept { return begun_; }
  void note_begun() noexcept { ++begun_; }

 private:
  class own_context;

  void all_is_quiet() noexcept override;
  void tasks_have_gone() noexcept override;
  void run_ends(bool well) noexcept override;
  static agent* first_ancestor(agent* of) noexcept;
  template <class F>
  void let_handlers_run(F poll) noexcept;

  loop* owner_;
  std::uint64_t run_;
  agent* main_ = nullptr;  // once it is known, as long as there are tasks
  std::shared_ptr<inbox> inbox_;
  std::unique_ptr<own_context> own_;  // in a simulation
  boost::asio::io_context* context_;
  std::uint64_t begun_ = 0;
  std::shared_ptr<asio_home> kept_;  // itself, until the run ends
};

}  // namespace detail

class loop_executor {
 public:
  // Of the run under way on this thread; misuse without one.
  loop_executor() : home_(detail::asio_home::here()) {}

  // Has the loop call `function()`, or calls it here: see above. Exceptions that leave it are the run's, or the
  // caller's. Drops it if the run is over.
  template <class F>
  void execute(F&& function) const {
    using called = std::decay_t<F>;
    if (!never_blocks_ && home_->in_step()) {
      called taken(std::forward<F>(function));
      static_cast<void>(std::move(taken)());
    } else {
      home_->post(std::make_unique<detail::posted_function<called>>(std::forward<F>(function)));
    }
  }

  // Whether this is within a step of the loop.
  bool running_in_this_thread() const noexcept { return home_->in_step(); }

  // Equal ones do the same with what they are given, on the same run.
  friend bool operator==(const loop_executor& one, const loop_executor& other) noexcept {
    return one.home_ == other.home_ && one.never_blocks_ == other.never_blocks_ && one.continues_ == other.continues_ &&
           (one.work_ != nullptr) == (other.work_ != nullptr);
  }
  friend bool operator!=(const loop_executor& one, const loop_executor& other) noexcept { return !(one == other); }

  // -- properties, as Asio asks for them ----------------------------------------------------------------------------

  boost::asio::io_context& query(boost::asio::execution::context_t) const noexcept { return home_->context(); }
  static constexpr boost::asio::execution::mapping_t query(boost::asio::execution::mapping_t) noexcept {
    return boost::asio::execution::mapping.thread;
  }

  boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) const noexcept {
    if (never_blocks_) return boost::asio::execution::blocking.never;
    return boost::asio::execution::blocking.possibly;
  }
  loop_executor require(boost::asio::execution::blocking_t::possibly_t) const {
    return changed([](loop_executor& made) { made.never_blocks_ = false; });
  }
  loop_executor require(boost::asio::execution::blocking_t::never_t) const {
    return changed([](loop_executor& made) { made.never_blocks_ = true; });
  }

  // Makes no difference here.
  boost::asio::execution::relationship_t query(boost::asio::execution::relationship_t) const noexcept {
    if (continues_) return boost::asio::execution::relationship.continuation;
    return boost::asio::execution::relationship.fork;
  }
  loop_executor require(boost::asio::execution::relationship_t::fork_t) const {
    return changed([](loop_executor& made) { made.continues_ = false; });
  }
  loop_executor require(boost::asio::execution::relationship_t::continuation_t) const {
    return changed([](loop_executor& made) { made.continues_ = true; });
  }

  boost::asio::execution::outstanding_work_t query(boost::asio::execution::outstanding_work_t) const noexcept {
    if (work_ != nullptr) return boost::asio::execution::outstanding_work.tracked;
    return boost::asio::execution::outstanding_work.untracked;
  }
  loop_executor require(boost::asio::execution::outstanding_work_t::tracked_t) const {
    return changed([](loop_executor& made) { made.work_ = made.home_->begin_work(); });
  }
  loop_executor require(boost::asio::execution::outstanding_work_t::untracked_t) const {
    return changed([](loop_executor& made) { made.work_ = nullptr; });
  }

  // For adapters.
  detail::asio_home& home() const noexcept { return *home_; }

 private:
  template <class F>
  loop_executor changed(F change) const {
    loop_executor made(*this);
    change(made);
    return made;
  }

  std::shared_ptr<detail::asio_home> home_;
  std::shared_ptr<const detail::asio_work> work_;
  bool never_blocks_ = false;
  bool continues_ = false;
};

namespace detail {

// Whether that executor is a loop's, or leads to it: as a strand, and as what holds any executor.
template <class Executor>
bool is_loops(const Executor& executor) noexcept {
  if constexpr (std::is_base_of_v<loop_executor, Executor>) {
    return true;
  } else if constexpr (requires { executor.get_inner_executor(); }) {
    return is_loops(executor.get_inner_executor());
  } else if constexpr (requires { executor.template target<loop_executor>(); }) {
    return executor.template target<loop_executor>() != nullptr;
  } else {
    return false;
  }
}

}  // namespace detail

}  // namespace lockstep
