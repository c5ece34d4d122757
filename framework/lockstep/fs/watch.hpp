// watch(): told of changes of a file, or of what is in a directory.
//
//   file_watch config = co_await watch("/etc/app");
//   while (const auto change = co_await config.next()) reload(change->name);
//
// The system keeps the changes until they are asked for, up to a number; more are told of as `overflow`. Changes that
// were made before watch() has returned need not be told of.
// Cancellation loses no change: it is told to the next that asks.
// Errors are std::system_error of std::system_category(). Lifetime and threads: as for file.
// Source: inotify(7).
#pragma once

#include <lockstep/fs/path_call.hpp>
#include <lockstep/runtime/primitive.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/system/calls.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

enum class change_kind : std::uint8_t {
  created,
  removed,
  modified,    // what is in it, perhaps not for the last time
  written,     // closed by somebody who could write to it
  moved_from,  // with the same cookie as where it went to, if that is watched by the same file_watch
  moved_to,
  attributes,  // permissions, times, the number of names
  itself_removed,
  itself_moved,
  overflow  // some changes were not kept
};

// "created".
std::string_view name_of(change_kind kind) noexcept;

struct file_change {
  change_kind kind = change_kind::overflow;
  // Of what is in the watched directory; empty for what is watched itself.
  std::string name{};
  bool is_directory = false;
  std::uint32_t cookie = 0;

  bool operator==(const file_change&) const = default;
};

namespace detail {

struct watch_state {
  watch_state(std::shared_ptr<system_calls> system, std::string watched) noexcept
      : calls(std::move(system)), path(std::move(watched)) {}
  watch_state(const watch_state&) = delete;
  watch_state& operator=(const watch_state&) = delete;
  ~watch_state() { close(); }

  void close() noexcept;
  // Takes what there is from the system. 0, or minus an error number: -EAGAIN if there is nothing.
  int fill();

  std::shared_ptr<system_calls> calls;
  std::string path;
  int fd = -1;
  std::deque<file_change> changes{};
  bool ended = false;
  bool awaited = false;
};

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class waiting_for_change final : public primitive<waiting_for_change>, private readiness_watch {
 public:
  // Misuse while another waits.
  waiting_for_change(std::shared_ptr<watch_state> from, const source& where);
  waiting_for_change(const waiting_for_change&) = delete;
  waiting_for_change& operator=(const waiting_for_change&) = delete;
  ~waiting_for_change() { from_->awaited = false; }

  bool try_now();
  void touch_what() const noexcept { touch(everything, access::write); }
  void enqueue() noexcept override;
  void withdraw() noexcept override;
  std::string describe() const override;
  std::optional<file_change> result();

 private:
  void may_be_ready() noexcept override;
  void was_closed() noexcept override;

  std::shared_ptr<watch_state> from_;
  int error_ = 0;
};

class adding_watch final : public primitive<adding_watch, path_call> {
 public:
  adding_watch(const watch_state& to, const source& where);
  void result() { outcome(); }

 private:
  std::int64_t call() override;

  int to_;
};

#pragma GCC diagnostic pop

}  // namespace detail

// Ends with this.
class [[nodiscard("a watch that nobody keeps ends at once")]] file_watch {
 public:
  // The next change, in the order in which they were made; nothing once what is watched has gone, and all was told.
  // One at a time: misuse while another waits.
  // Errors: ECANCELED, if it is closed meanwhile; EBADF, if it is closed.
  LOCKSTEP_AWAIT_IT detail::waiting_for_change next(source where = source::current()) { return {state_, where}; }
  void close() noexcept { state_->close(); }

 private:
  friend task<file_watch> watch(std::string path, source where);
  explicit file_watch(std::shared_ptr<detail::watch_state> state) noexcept : state_(std::move(state)) {}

  std::shared_ptr<detail::watch_state> state_;
};

// Errors: ENOENT, EACCES; ENOSPC, if the user watches too much; EMFILE.
task<file_watch> watch(std::string path, source where = source::current());

}  // namespace lockstep
