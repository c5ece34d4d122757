#include <lockstep/sim/byte_queue.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace lockstep::sim {

std::byte* byte_memory::make(unsigned order) {
  free_[order].reserve(++made_[order]);
  return new std::byte[std::size_t{1} << order];
}

void byte_queue::grow(std::size_t wanted) {
  const auto order = std::max(byte_memory::least_order, static_cast<unsigned>(std::bit_width(wanted - 1)));
  std::byte* const larger = memory_.take(order);
  const std::size_t held = size();
  if (held != 0) peek({larger, held});
  release();
  block_ = larger;
  order_ = order;
  end_ = held;
}

void byte_queue::push(std::span<const std::byte> more) {
  if (more.empty()) return;
  if (size() + more.size() > capacity()) grow(size() + more.size());
  const std::size_t at = end_ & (capacity() - 1);
  const std::size_t first = std::min(more.size(), capacity() - at);
  std::memcpy(block_ + at, more.data(), first);
  if (first != more.size()) std::memcpy(block_, more.data() + first, more.size() - first);
  end_ += more.size();
}

void byte_queue::peek(std::span<std::byte> into, std::size_t skipped) const noexcept {
  if (into.empty()) return;
  const std::size_t at = (begin_ + skipped) & (capacity() - 1);
  const std::size_t first = std::min(into.size(), capacity() - at);
  std::memcpy(into.data(), block_ + at, first);
  if (first != into.size()) std::memcpy(into.data() + first, block_, into.size() - first);
}

}  // namespace lockstep::sim
