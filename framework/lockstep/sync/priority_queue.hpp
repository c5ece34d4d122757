// priority_queue<T>: a queue whose least item is got first.
#pragma once

#include <lockstep/sync/queue.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep {

namespace detail {

template <class T, class Compare>
class ranked_items {
  static_assert(std::is_empty_v<Compare> && std::is_default_constructible_v<Compare>,
                "lockstep::priority_queue makes its Compare itself, so that must be a class without members, such as "
                "std::greater<>, and no function pointer or std::function: write a struct with an operator()");

 public:
  static constexpr std::string_view noun = "priority_queue";

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }

  // For so many more. Throws std::bad_alloc.
  void make_room(std::size_t count) {
    const std::size_t needed = heap_.size() + count;
    if (heap_.capacity() < needed) heap_.reserve(2 * needed);
  }
  void make_room_for_returns(std::size_t) noexcept {}  // they go where others do
  void add(T&& item) noexcept { put_back(std::move(item), number_past()); }
  T take() noexcept {
    std::pop_heap(heap_.begin(), heap_.end(), later());
    T item = std::move(heap_.back().item);
    heap_.pop_back();
    return item;
  }
  // The number is that of a put: of two equal items, the one that was put first comes first.
  std::uint64_t number_past() noexcept { return ++puts_; }
  // There is room for it.
  void put_back(T&& item, std::uint64_t number) noexcept {
    heap_.push_back({std::move(item), number});
    std::push_heap(heap_.begin(), heap_.end(), later());
  }

 private:
  struct entry {
    T item;
    std::uint64_t number;
  };
  static auto later() noexcept {
    return [](const entry& a, const entry& b) {
      const Compare comes_before{};
      if (comes_before(a.item, b.item)) return false;
      return comes_before(b.item, a.item) || a.number > b.number;
    };
  }

  std::vector<entry> heap_;
  std::uint64_t puts_ = 0;
};

}  // namespace detail

// Of the items that are there, the one that comes before all others in the order of `Compare` is got first, as
// std::sort would arrange them: with the default, the least. That is asyncio's order, and the reverse of
// std::priority_queue's. Equal items are got in the order in which they were put.
// Requires that comparing does not throw.
// Source: asyncio.PriorityQueue.
template <class T, class Compare = std::less<>>
using priority_queue = basic_queue<T, detail::ranked_items<T, Compare>>;

}  // namespace lockstep
