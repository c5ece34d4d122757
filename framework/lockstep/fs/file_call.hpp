// What the files and directories of this module are made of: one that is open, and the await of a call on it, or on a
// path. Users see the classes and functions that are built on it, such as file.
//
// Where calls do not wait for the disk, as in a simulation, an await makes its call at once, in the task's own step,
// and then waits in virtual time for as long as the disk takes; a sync waits first, as nothing is durable by it before
// it returns. Where calls do wait, a thread of the loop's default executor makes them (runtime/job_waiter.hpp).
//
// Cancellation: before the call it prevents that. Afterwards a read at the position of the file gives its bytes back,
// by moving the position, and what was opened is closed; all else has happened: in the time that the disk takes the
// cancellation is delivered at once, so that a sync has not happened, and while a thread makes the call it is delivered
// at the next await.
//
// Turns: calls that use the position of one open file are made one at a time, in the order of their awaits. close()
// comes behind those that threads are making, and behind syncs.
#pragma once

#include <lockstep/runtime/job_waiter.hpp>
#include <lockstep/runtime/primitive.hpp>
#include <lockstep/system/calls.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

class file_lock;

namespace detail {

class file_call;

// Owns the descriptor of a file or directory. Requires that no task waits for it when it dies; misuse otherwise. Its
// awaits refer to it, so it does not move.
class held_file final : public object {
 public:
  // That is yet to be opened. `noun` is a literal.
  held_file(const char* noun, std::string path, std::shared_ptr<system_calls> calls);
  ~held_file();
  std::string_view noun() const noexcept override { return noun_; }
  std::string_view path() const noexcept { return name(); }

  // Takes the descriptor over, which was opened at `where`. Once.
  void hold(int fd, const source& where) noexcept;
  system_calls& calls() const noexcept { return *calls_; }
  const std::shared_ptr<system_calls>& shared_calls() const noexcept { return calls_; }
  // -1 if it is closed; then every call fails with EBADF.
  int fd() const noexcept { return fd_; }
  // It is about to be awaited that something `deed`, such as "was read"; or this is done now.
  void begin(const char* deed, const source& where) { enter(deed, where); }
  void change(const char* deed, const source& where) { enter_if_used(deed, where); }
  // Nobody uses it any more but the one that closes it. Returns the descriptor, or -1.
  int let_go() noexcept;
  // It was not closed after all.
  void take_back(int fd) noexcept { fd_ = fd; }
  // It is locked by that, until it is closed or locked by another; null for none.
  void locked_by(file_lock* holder) noexcept { lock_ = holder; }
  file_lock* lock() const noexcept { return lock_; }

 private:
  friend class file_call;

  // Those whose turn has come make their calls.
  void go_on() noexcept;
  file_call* first_that_may_begin() noexcept;

  const char* noun_;
  std::shared_ptr<system_calls> calls_;
  int fd_ = -1;
  file_lock* lock_ = nullptr;
  file_call* turn_ = nullptr;                     // who uses the position, until it has returned
  intrusive_list<file_call, file_call> waiting_;  // for a turn, the disk or a thread
};

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// State
//   fresh    has not begun
//   queued   waits for its turn
//   on_disk  the call has been made, or will be then; virtual time passes
//   in_job   a thread makes the call
//   made     the call has been made, and the result may be read
class file_call : public job_waiter, public list_hook<file_call>, private timer {
 public:
  // "read "/etc/x"".
  std::string describe() const override;
  bool try_now();
  void touch_what() const noexcept;

 protected:
  enum class order : std::uint8_t {
    any = 0,           // may be made beside others
    in_turn = 1,       // uses the position
    here = 2,          // never waits for the disk, so no thread makes it
    in_turn_here = 3,  // both
    last_here = 6,     // after those that are still to be made
    at_end = 8         // where the disk takes time, made when that has passed
  };

  // `deed` is a literal: "read".
  file_call(operation_kind kind, held_file& of, const char* deed, order how) noexcept
      : job_waiter(kind, of), timer(&has_passed), calls_(&of.calls()), deed_(deed), order_(how) {
    list_hook<file_call>::mark_unlinked();
  }
  // About a path, in that directory; null for the working directory. `calls` must outlive it.
  file_call(operation_kind kind, held_file* in, system_calls& calls, const char* deed) noexcept
      : job_waiter(kind), timer(&has_passed), calls_(&calls), deed_(deed) {
    list_hook<file_call>::mark_unlinked();
    if (in != nullptr) is_about(*in);
  }
  ~file_call();

  // Its result, or minus an error number. A thread may make it: it touches nothing but this operation. A simulated
  // system that has no memory throws std::bad_alloc, which the task gets.
  virtual std::int64_t call() = 0;
  // Undoes what was called; false if that cannot be.
  virtual bool undo() noexcept { return false; }
  // For the destructor of a derived class that can: what was called and nobody has seen is undone.
  void undo_unseen() noexcept;

  // What the call came to; throws its error. Once, when the await returns.
  std::int64_t outcome() {
    if (turn_) pass_turn();
    seen_ = true;
    if (outcome_ < 0) [[unlikely]]
      fail();
    return outcome_;
  }
  // The same for an error that the caller makes something of.
  std::int64_t outcome_or_error() noexcept {
    if (turn_) pass_turn();
    seen_ = true;
    return outcome_;
  }
  std::int64_t came_to() const noexcept { return outcome_; }
  [[noreturn]] void fail() const;

  system_calls& calls() const noexcept { return *calls_; }
  // The descriptor; of what is about no open file AT_FDCWD. It stays open as long as the call is being made.
  int fd() const noexcept { return fd_; }
  const char* deed() const noexcept { return deed_; }
  // For the one that closes: whose descriptor the file does not have any more.
  void uses(int fd) noexcept { fd_ = fd; }
  bool was_made() const noexcept { return made_; }
  bool reads_only() const noexcept { return kind() == operation_kind::read_file && order_ == order::any; }

  void enqueue() noexcept override;
  void withdraw() noexcept override;
  bool cancel_requested() noexcept override;
  bool revoke() noexcept override;

 private:
  friend class held_file;
  class job_of_call;
  enum class state : std::uint8_t { fresh, queued, on_disk, in_job, made };

  held_file* of() const noexcept { return what() != nullptr ? &subject<held_file>() : nullptr; }
  static void has_passed(timer& due) noexcept;
  bool is(order what) const noexcept { return (static_cast<unsigned>(order_) & static_cast<unsigned>(what)) != 0; }
  bool may_begin() const noexcept;
  // Makes the call, or has it made. Returns whether it need not wait.
  bool begin();
  bool has_failed(int error) noexcept;
  void begin_in_turn() noexcept;
  void make(system_calls::disk_time how);
  // In the name of its own task.
  template <class F>
  bool in_its_name(const F& make) noexcept;
  bool is_to_be_made() const noexcept { return state_ == state::in_job || (state_ == state::on_disk && !made_); }
  void end_on_disk() noexcept;
  void wait_in_state() noexcept;
  void job_ended() noexcept override;
  // It waits no more.
  void leave() noexcept;
  void grant() noexcept;
  void pass_turn() noexcept;

  system_calls* calls_;
  const char* deed_;
  std::int64_t outcome_ = 0;
  time_point until_{};  // the disk takes
  int fd_ = AT_FDCWD;
  order order_ = order::any;
  state state_ = state::fresh;
  bool turn_ = false;  // has it
  bool made_ = false;
  bool seen_ = false;
};

#pragma GCC diagnostic pop

}  // namespace detail

}  // namespace lockstep
