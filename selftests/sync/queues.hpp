// For tests of queues of any kind: tasks that put and get.
#pragma once

#include <lockstep/runtime/task.hpp>

#include <optional>
#include <vector>

namespace lockstep {

template <class Queue>
task<void> get_into(Queue& from, std::vector<int>& got) {
  const int item = co_await from.get();
  got.push_back(item);
}

template <class Queue>
task<void> put_one(Queue& to, int item) {
  co_await to.put(item);
}

template <class Queue>
task<void> wait_for_all(Queue& of) {
  co_await of.join();
}

// What the queue still holds, in its order.
template <class Queue>
std::vector<int> drained(Queue& from) {
  std::vector<int> items;
  while (std::optional<int> item = from.try_get()) items.push_back(*item);
  return items;
}

}  // namespace lockstep
