// A process that makes runs for this one, which lives on whatever they do.
//
// It is forked, so it has all that this one had, but no thread beside the one that forks. What it sends comes
// through a pipe; how far it has come can be read in memory that both share. Its standard output leads nowhere, and
// what it writes to standard error is shown only if it dies.
// This process must not have other threads meanwhile: what they had locked would stay so in the new one.
#pragma once

#include <lockstep/testing/crash.hpp>

#include <sys/types.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::detail {

// Numbers and texts as bytes, to be read in the order in which they were written.
class message {
 public:
  message() = default;
  explicit message(std::string bytes) : bytes_(std::move(bytes)) {}

  message& add(std::uint64_t number);
  message& add(double number) { return add(std::bit_cast<std::uint64_t>(number)); }
  message& add(std::string_view text);
  const std::string& bytes() const noexcept { return bytes_; }

  bool more() const noexcept { return at_ < bytes_.size(); }
  // Of a message that was cut off, the rest is zeros.
  std::uint64_t number();
  double real() { return std::bit_cast<double>(number()); }
  std::string text();

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

// Shared with the processes that are forked while it lives. Zeros at first; takes room only where it was written to.
class shared_memory {
 public:
  explicit shared_memory(std::size_t bytes);
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;
  ~shared_memory();

  std::size_t size() const noexcept { return size_; }
  std::byte* data() const noexcept { return data_; }

 private:
  std::size_t size_;
  std::byte* data_;
};

// One T in such memory, with `extra` bytes behind it.
template <class T>
class shared_object {
 public:
  explicit shared_object(std::size_t extra = 0)
      : memory_(sizeof(T) + extra), object_(new (static_cast<void*>(memory_.data())) T()) {}

  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  std::byte* behind() const noexcept { return memory_.data() + sizeof(T); }

 private:
  shared_memory memory_;
  T* object_;
};

// How a worker has ended.
struct worker_end {
  bool died = false;        // before its work was done
  bool stuck = false;       // its watcher has ended it
  std::string signature{};  // of its death, see run_result
  std::string text{};       // the same in words, with the end of what it had written to standard error
  place where{};            // where the running task had awaited last, if that is known
};

// Whether a run of that signature has ended its process.
bool is_signature_of_death(std::string_view signature) noexcept;
// Whether it has, by a step that did not end.
bool is_signature_of_stuck_step(std::string_view signature) noexcept;

// Sends bytes to the process that has forked this one. They come whole, whatever happens afterwards.
using sender = std::function<void(std::string_view bytes)>;

class worker_process {
 public:
  // Forks. `work` is called there; the process ends when it returns. Throws std::system_error if there can be none.
  explicit worker_process(const std::function<void(const sender&)>& work);
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;
  // Ends it.
  ~worker_process();

  // For poll(): there is something to take, or it has ended.
  int descriptor() const noexcept { return pipe_; }
  // Takes what has been sent. Returns false if nothing more comes. Waits if there is nothing yet.
  bool take();
  const std::string& sent() const noexcept { return sent_; }

  // Waits until it has ended. What it has sent is complete then.
  worker_end wait();

 private:
  struct state {
    last_words words;
    std::atomic<bool> done = false;
  };
  [[noreturn]] void run(int pipe, pid_t parent, const std::function<void(const sender&)>& work);
  worker_end end_of(int status) const;
  std::string errors() const;

  shared_object<state> state_;
  std::FILE* errors_;
  pid_t process_ = -1;  // -1 once it has been waited for
  int pipe_ = -1;
  std::string sent_;
};

}  // namespace lockstep::detail
