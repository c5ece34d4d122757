// reader: takes from a stream whole lines, whole records, or all there is, and keeps what has come too early.
//
//   reader from(peer);
//   const std::string request = co_await from.read_until("\r\n\r\n");
//   const std::string body = co_await from.read_exactly(length_of(request));
//
// What has come is in the buffer until a call returns it: a call that fails, times out or is cancelled loses no byte,
// and the next begins where that one began. What is in the buffer already is returned without an await.
// Lifetime: the stream must outlive the reader, and the reader its calls and generators. Nobody else reads from the
// stream meanwhile. One call at a time; a second is misuse.
// Errors: those of the stream's read_some(); and see each function.
// Source: asyncio.StreamReader.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/net/socket.hpp>
#include <lockstep/net/stream.hpp>
#include <lockstep/runtime/async_generator.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/system/read_errors.hpp>

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

namespace detail {

// Bytes that have come and were not taken.
class read_buffer {
 public:
  std::string_view held() const noexcept { return std::string_view(bytes_).substr(begin_, end_ - begin_); }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }

  // Room behind what is held, for `wanted` bytes or a piece.
  std::span<std::byte> room(std::size_t wanted);
  // So many have come there.
  void add(std::size_t count) noexcept { end_ += count; }
  std::string take(std::size_t count);
  std::size_t take_into(std::span<std::byte> into) noexcept;

 private:
  void drop(std::size_t count) noexcept;

  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// While a call is under way.
class read_turn {
 public:
  // Misuse if there is another.
  read_turn(bool& taken, const source& where);
  read_turn(const read_turn&) = delete;
  read_turn& operator=(const read_turn&) = delete;
  ~read_turn() { taken_ = false; }

 private:
  bool& taken_;
};

}  // namespace detail

template <readable_stream Stream>
class reader {
 public:
  // Of read_until() and read_line(), in bytes: 64 KiB.
  static constexpr std::size_t default_limit = 65'536;

  explicit reader(Stream& from) noexcept : from_(from) {}
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  // What there is, up to the size of `into`: what is in the buffer, or else what comes next. Returns how many bytes
  // that are; 0 at the end of the stream, or if `into` is empty.
  task<std::size_t> read_some(std::span<std::byte> into, source where = source::current());
  task<std::size_t> read_some(std::span<char> into, source where = source::current()) {
    return read_some(std::as_writable_bytes(into), where);
  }

  // The next `count` bytes.
  // Errors: incomplete_read, if the stream ends before that; it has what came.
  task<std::string> read_exactly(std::size_t count, source where = source::current());

  // All up to the delimiter, and that. Requires that it is not empty; std::invalid_argument otherwise.
  // Errors: limit_overrun, if more than `limit_bytes` come before the delimiter; incomplete_read, if the stream ends
  // before it, which has what came.
  // Source: asyncio.StreamReader.readuntil.
  task<std::string> read_until(std::string delimiter, std::size_t limit_bytes = default_limit,
                               source where = source::current());

  // The next line, with its "\n". At the end of the stream, what came after the last; nothing if that is nothing.
  // Errors: limit_overrun, if more than `limit_bytes` come before the "\n".
  task<std::string> read_line(std::size_t limit_bytes = default_limit, source where = source::current());

  // All that comes until the stream ends.
  // Errors: limit_overrun, if that is more than `limit_bytes`.
  task<std::string> read_all(std::size_t limit_bytes = std::numeric_limits<std::size_t>::max(),
                             source where = source::current());

  // The lines that read_line() gives, to the end of the stream. It may be dropped at any line, and another made.
  async_generator<std::string> lines(std::size_t limit_bytes = default_limit, source where = source::current());

  // Whether the stream has ended and all of it was taken. Not known before a call has found the end.
  bool at_end() const noexcept { return ended_ && buffer_.empty(); }
  // What has come and was not taken. Good until the next call.
  std::string_view buffered() const noexcept { return buffer_.held(); }

 private:
  // Waits for more, for `wanted` bytes or a piece. False at the end of the stream.
  task<bool> fill(std::size_t wanted);
  // Takes all up to the delimiter; nothing at the end of the stream.
  task<std::optional<std::string>> take_until(std::string_view delimiter, std::size_t limit_bytes);

  Stream& from_;
  detail::read_buffer buffer_;
  bool ended_ = false;
  bool taken_ = false;  // a call is under way
};

// -- implementation ---------------------------------------------------------------------------------------------------

// Between what read_some() returns and add() is no await: a cancellation comes before both or behind both.
template <readable_stream Stream>
task<bool> reader<Stream>::fill(std::size_t wanted) {
  if (ended_) co_return false;
  const std::size_t count = co_await from_.read_some(buffer_.room(wanted));
  buffer_.add(count);
  ended_ = count == 0;
  co_return count != 0;
}

template <readable_stream Stream>
task<std::size_t> reader<Stream>::read_some(std::span<std::byte> into, source where) {
  const detail::read_turn turn(taken_, where);
  if (into.empty()) co_return 0;
  if (buffer_.empty()) co_await fill(0);
  co_return buffer_.take_into(into);
}

template <readable_stream Stream>
task<std::string> reader<Stream>::read_exactly(std::size_t count, source where) {
  const detail::read_turn turn(taken_, where);
  while (buffer_.size() < count) {
    const bool more = co_await fill(count - buffer_.size());
    if (!more) throw incomplete_read(buffer_.take(buffer_.size()), count);
  }
  co_return buffer_.take(count);
}

template <readable_stream Stream>
task<std::optional<std::string>> reader<Stream>::take_until(std::string_view delimiter, std::size_t limit_bytes) {
  std::size_t searched = 0;  // no delimiter begins before that
  for (;;) {
    const std::string_view held = buffer_.held();
    const std::size_t found = held.find(delimiter, searched);
    if (found != std::string_view::npos) {
      if (found > limit_bytes) throw limit_overrun(found, limit_bytes);
      co_return buffer_.take(found + delimiter.size());
    }
    if (held.size() >= delimiter.size()) searched = held.size() - delimiter.size() + 1;
    if (searched > limit_bytes) throw limit_overrun(searched, limit_bytes);
    const bool more = co_await fill(0);
    if (!more) co_return std::nullopt;
  }
}

template <readable_stream Stream>
task<std::string> reader<Stream>::read_until(std::string delimiter, std::size_t limit_bytes, source where) {
  if (delimiter.empty()) throw std::invalid_argument("the delimiter is empty");
  const detail::read_turn turn(taken_, where);
  std::optional<std::string> found = co_await take_until(delimiter, limit_bytes);
  if (!found) throw incomplete_read(buffer_.take(buffer_.size()), std::string_view(delimiter));
  co_return std::move(*found);
}

template <readable_stream Stream>
task<std::string> reader<Stream>::read_line(std::size_t limit_bytes, source where) {
  const detail::read_turn turn(taken_, where);
  std::optional<std::string> found = co_await take_until("\n", limit_bytes);
  if (!found) co_return buffer_.take(buffer_.size());
  co_return std::move(*found);
}

template <readable_stream Stream>
task<std::string> reader<Stream>::read_all(std::size_t limit_bytes, source where) {
  const detail::read_turn turn(taken_, where);
  for (;;) {
    if (buffer_.size() > limit_bytes) throw limit_overrun(buffer_.size(), limit_bytes);
    const bool more = co_await fill(buffer_.size());
    if (!more) co_return buffer_.take(buffer_.size());
  }
}

template <readable_stream Stream>
async_generator<std::string> reader<Stream>::lines(std::size_t limit_bytes, source where) {
  for (;;) {
    std::string line = co_await read_line(limit_bytes, where);
    if (line.empty()) co_return;
    co_yield std::move(line);
  }
}

}  // namespace lockstep
