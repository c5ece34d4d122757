#include <lockstep/sim/byte_queue.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace lockstep::sim {

byte_memory::~byte_memory() {
  for (free_block* first : free_) {
    while (first != nullptr) delete[] reinterpret_cast<std::byte*>(std::exchange(first, first->next));
  }
}

std::byte* byte_memory::make(unsigned order) { return new std::byte[std::size_t{1} << order]; }

void byte_queue::grow(std::size_t wanted) {
  const auto order = std::max(byte_memory::least_order, static_cast<unsigned>(std::bit_width(wanted - 1)));
  std::byte* const larger = memory_.take(order);
  const std::size_t moved = held();
  if (moved != 0) peek({larger, moved});
  release();
  block_ = larger;
  capacity_ = std::size_t{1} << order;
  end_ = moved;
}

void byte_queue::copy_lent() noexcept {
  const std::span<const std::byte> more = std::exchange(lent_, {});
  const std::size_t at = end_ & (capacity_ - 1);
  const std::size_t first = std::min(more.size(), capacity_ - at);
  std::memcpy(block_ + at, more.data(), first);
  if (first != more.size()) std::memcpy(block_, more.data() + first, more.size() - first);
  end_ += more.size();
}

void byte_queue::peek_held(std::span<std::byte> into, std::size_t skipped) const noexcept {
  if (skipped + into.size() > held()) {
    const std::size_t of_held = held() - std::min(skipped, held());
    const std::span<std::byte> rest = into.subspan(of_held);
    std::memmove(rest.data(), lent_.data() + (skipped + of_held - held()), rest.size());
    into = into.first(of_held);
  }
  if (into.empty()) return;
  const std::size_t at = (begin_ + skipped) & (capacity_ - 1);
  const std::size_t first = std::min(into.size(), capacity_ - at);
  std::memcpy(into.data(), block_ + at, first);
  if (first != into.size()) std::memcpy(into.data() + first, block_, into.size() - first);
}

}  // namespace lockstep::sim
