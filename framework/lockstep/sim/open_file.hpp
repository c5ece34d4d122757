// What a descriptor refers to: an open file description, in the words of POSIX. A socket, an end of a pipe, an epoll, a
// file of a disk.
//
// Descriptors, of any host, and messages that carry it hold a reference; with the last one it is closed.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/system/calls.hpp>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

namespace lockstep::sim {

class disk_file;
class socket;
class epoll;
class host;
class timer_file;
class unix_socket;
class watch_file;

class open_file {
 public:
  explicit open_file(identity id, int status_flags, bool is_socket = false) noexcept
      : id_(id), status_flags_(status_flags), is_socket_(is_socket) {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  // Known to an observer of the run by that.
  identity id() const noexcept { return id_; }
  // What its calls touch: of the two ends of a pair the same.
  virtual identity touched_id() const noexcept { return id_; }
  // O_NONBLOCK and the like, which fcntl() changes.
  int status_flags() const noexcept { return status_flags_; }
  void set_status_flags(int flags) noexcept { status_flags_ = flags; }
  // Without a line if it was opened by a call of this system itself, which knows of none.
  source opened_at() const noexcept { return by_direct_call_ ? source() : source(opened_at_); }
  void set_opened_at(const source& where) noexcept {
    opened_at_ = where;
    by_direct_call_ = false;
  }
  // By the running task, unless one has: keeps where that stands, at its last await.
  void opened_here() noexcept;
  // The line at which it was opened, or behind which, as far as that is known.
  source opened_behind() const noexcept;
  // What a report says of how it was opened: empty if the line is known, else
  // ", opened by a direct call of the system behind shop.cpp:12".
  std::string text_of_opener() const;
  // What is held by it as well: ", with a lock taken at shop.cpp:12 by flock()".
  virtual std::string text_of_held() const { return {}; }

  virtual std::int64_t read(const iovec*, int) { return -EINVAL; }
  virtual std::int64_t write(const iovec*, int) { return -EINVAL; }
  virtual int ioctl(unsigned long, void*) { return -ENOTTY; }
  // The commands of fcntl() that only some files have.
  virtual int control(int command, std::int64_t) {
    return command == F_SETPIPE_SZ || command == F_GETPIPE_SZ ? -EBADF : -EINVAL;
  }
  // Whether an epoll takes it.
  virtual bool can_be_polled() const noexcept { return true; }
  // What is ready, as poll() says it.
  virtual unsigned ready() const noexcept = 0;
  socket* as_socket() noexcept;  // see socket.hpp
  virtual epoll* as_epoll() noexcept { return nullptr; }
  virtual timer_file* as_timer() noexcept { return nullptr; }
  virtual unix_socket* as_unix() noexcept { return nullptr; }
  virtual disk_file* as_disk_file() noexcept { return nullptr; }
  virtual watch_file* as_watch_file() noexcept { return nullptr; }
  // What reports call it: "tcp socket 10.0.0.2:80".
  virtual std::string described() const = 0;

  void watch(readiness_watch& by) noexcept { watches_.push_back(by); }
  // It is told before those that are there, as Linux has it for an epoll.
  void watch_first(readiness_watch& by) noexcept { watches_.push_front(by); }
  bool watched() noexcept { return !watches_.empty(); }
  // Something has come that may have made it ready for these.
  void notify(unsigned events) noexcept {
    if (!watches_.empty()) tell_watches(events);
  }

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) end();
  }
  int references() const noexcept { return references_; }

 protected:
  virtual ~open_file() = default;
  // The last descriptor has gone; it is destroyed next, unless it keeps itself by retain().
  virtual void closed() noexcept {}

 private:
  using watch_list = intrusive_list<readiness_watch, readiness_watch>;

  void tell_watches(unsigned events) noexcept;
  [[gnu::noinline]] void end() noexcept;

  identity id_;
  int references_ = 0;
  int status_flags_;
  bool is_socket_;
  bool by_direct_call_ = false;  // and `opened_at_` is where the task stood
  place opened_at_;
  watch_list watches_;
};

class file_reference {
 public:
  file_reference() noexcept = default;
  file_reference(open_file* file) noexcept : file_(file) {
    if (file_ != nullptr) file_->retain();
  }
  file_reference(const file_reference& other) noexcept : file_reference(other.file_) {}
  file_reference(file_reference&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
  file_reference& operator=(file_reference other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~file_reference() {
    if (file_ != nullptr) file_->release();
  }

  open_file* get() const noexcept { return file_; }
  open_file* operator->() const noexcept { return file_; }
  open_file& operator*() const noexcept { return *file_; }
  explicit operator bool() const noexcept { return file_ != nullptr; }

 private:
  open_file* file_ = nullptr;
};

}  // namespace lockstep::sim
