#include <lockstep/net/reader.hpp>

#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace lockstep {

namespace detail {

namespace {

// What one call asks the system for: at least a piece, and no more than it is likely to have.
constexpr std::size_t piece_bytes = 4'096;
constexpr std::size_t piece_bytes_max = 1 << 18;

}  // namespace

// -- read_buffer ------------------------------------------------------------------------------------------------------

std::span<std::byte> read_buffer::room(std::size_t wanted) {
  const std::size_t count = std::clamp(wanted, piece_bytes, piece_bytes_max);
  if (bytes_.size() - end_ < count && begin_ != 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  if (bytes_.size() - end_ < count) bytes_.resize(std::max(end_ + count, bytes_.size() + bytes_.size() / 2));
  return std::as_writable_bytes(std::span(bytes_)).subspan(end_, count);
}

void read_buffer::drop(std::size_t count) noexcept {
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

std::string read_buffer::take(std::size_t count) {
  std::string taken(held().substr(0, count));
  drop(count);
  return taken;
}

std::size_t read_buffer::take_into(std::span<std::byte> into) noexcept {
  const std::size_t count = std::min(into.size(), size());
  if (count != 0) std::memcpy(into.data(), held().data(), count);
  drop(count);
  return count;
}

// -- read_turn --------------------------------------------------------------------------------------------------------

read_turn::read_turn(bool& taken, const source& where) : taken_(taken) {
  if (taken) [[unlikely]] {
    here().owner->misused("a reader was asked for more while a task waits for what comes", where);
  }
  taken = true;
}

}  // namespace detail

}  // namespace lockstep
