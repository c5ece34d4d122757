// What is beyond the rules of asyncio, which are in conformance/asyncio_queues.cpp.
#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace lockstep {
namespace {

struct job {
  int urgency;
  char name;
  friend bool operator<(const job& a, const job& b) { return a.urgency < b.urgency; }
};

template <class Queue>
task<void> get_into(Queue& from, std::string& got) {
  const job next = co_await from.get();
  got += next.name;
}

template <class Queue>
std::string names_drained(Queue& from) {
  std::string names;
  while (std::optional<job> next = from.try_get()) names += next->name;
  return names;
}

CO_TEST(PriorityQueueTest, GivesItemsInTheOrderOfItsComparison) {
  priority_queue<int, std::greater<>> items;
  for (const int item : {3, 1, 4}) co_await items.put(item);
  EXPECT_EQ(co_await items.get(), 4);
  EXPECT_EQ(co_await items.get(), 3);
  EXPECT_EQ(co_await items.get(), 1);
}

CO_TEST(PriorityQueueTest, MovesItems) {
  struct by_value {
    bool operator()(const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) const { return *a < *b; }
  };
  priority_queue<std::unique_ptr<int>, by_value> items;
  for (const int item : {2, 3, 1}) co_await items.put(std::make_unique<int>(item));
  for (const int item : {1, 2, 3}) EXPECT_EQ(*co_await items.get(), item);
}

// A putter that waits has not put yet, however urgent its item is.
CO_TEST(PriorityQueueTest, PuttersWaitInTheirOrder) {
  priority_queue<job> jobs(1);
  const auto put = [&](job item) -> task<void> { co_await jobs.put(item); };
  co_await jobs.put({5, 'a'});
  auto low = spawn(put({9, 'b'}));
  auto high = spawn(put({1, 'c'}));
  co_await settle();
  EXPECT_EQ(names_drained(jobs), "abc");
  co_await low.join();
  co_await high.join();
}

CO_TEST(PriorityQueueTest, AnItemThatComesBackHasItsPlaceAmongEquals) {
  priority_queue<job> jobs;
  std::string got;
  auto a = spawn(get_into(jobs, got));
  auto b = spawn(get_into(jobs, got));
  co_await settle();
  for (const job& each : {job{2, 'a'}, job{2, 'b'}, job{2, 'c'}, job{1, 'd'}, job{3, 'e'}}) jobs.try_put(each);
  b.cancel();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(b));
  EXPECT_TRUE(co_await was_cancelled(a));
  jobs.try_put({2, 'f'});
  EXPECT_EQ(names_drained(jobs), "dabcfe");
}

}  // namespace
}  // namespace lockstep
