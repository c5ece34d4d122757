// lifo_queue<T>: a queue whose latest item is got first.
#pragma once

#include <lockstep/sync/queue.hpp>

#include <string_view>

namespace lockstep {

namespace detail {

template <class T>
class lifo_items : public item_line<T> {
 public:
  static constexpr std::string_view noun = "lifo_queue";
  T take() noexcept { return this->take_last(); }
};

}  // namespace detail

// Of the items that are there, the one that was put last is got first. An item that a cancelled getter gives back lies
// below those that were put after it.
// Source: asyncio.LifoQueue.
template <class T>
using lifo_queue = basic_queue<T, detail::lifo_items<T>>;

}  // namespace lockstep
