// Bytes from one task to another, through a ring. Whoever waits is woken and makes its own copy, as it may want less
// than there is.
#pragma once

#include "scheduler.hpp"

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

namespace bench::floor {

// One task reads, one writes.
class pipe {
 public:
  // `capacity` is a power of two.
  explicit pipe(std::size_t capacity) : ring_(new char[capacity]), capacity_(capacity) {}

  // Some of the bytes, at least one; the await returns how many.
  class reading {
   public:
    reading(pipe& from, char* into, std::size_t size) noexcept : from_(from), into_(into), size_(size) {}
    bool await_ready() const noexcept { return from_.available() != 0; }
    void await_suspend(std::coroutine_handle<> reader) const noexcept { from_.reader_ = reader; }
    std::size_t await_resume() const noexcept { return from_.take(into_, size_); }

   private:
    pipe& from_;
    char* into_;
    std::size_t size_;
  };
  class writing {
   public:
    writing(pipe& to, const char* from, std::size_t size) noexcept : to_(to), from_(from), size_(size) {}
    bool await_ready() const noexcept { return to_.available() != to_.capacity_; }
    void await_suspend(std::coroutine_handle<> writer) const noexcept { to_.writer_ = writer; }
    std::size_t await_resume() const noexcept { return to_.give(from_, size_); }

   private:
    pipe& to_;
    const char* from_;
    std::size_t size_;
  };
  reading read(char* into, std::size_t size) noexcept { return {*this, into, size}; }
  writing write(const char* from, std::size_t size) noexcept { return {*this, from, size}; }

 private:
  std::size_t available() const noexcept { return written_ - read_; }
  static void wake(std::coroutine_handle<>& waiter) noexcept {
    if (waiter) here.ready.push(std::exchange(waiter, nullptr));
  }
  std::size_t take(char* into, std::size_t size) noexcept {
    const std::size_t count = std::min(size, available());
    const std::size_t at = read_ & (capacity_ - 1);
    const std::size_t first = std::min(count, capacity_ - at);
    std::memcpy(into, ring_.get() + at, first);
    std::memcpy(into + first, ring_.get(), count - first);
    read_ += count;
    wake(writer_);
    return count;
  }
  std::size_t give(const char* from, std::size_t size) noexcept {
    const std::size_t count = std::min(size, capacity_ - available());
    const std::size_t at = written_ & (capacity_ - 1);
    const std::size_t first = std::min(count, capacity_ - at);
    std::memcpy(ring_.get() + at, from, first);
    std::memcpy(ring_.get(), from + first, count - first);
    written_ += count;
    wake(reader_);
    return count;
  }

  std::unique_ptr<char[]> ring_;
  std::size_t capacity_;
  std::size_t read_ = 0;
  std::size_t written_ = 0;
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
};

}  // namespace bench::floor
