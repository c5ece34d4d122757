#include "cancellations.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

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
std::string drained(Queue& from) {
  std::string names;
  while (std::optional<job> next = from.try_get()) names += next->name;
  return names;
}

CO_TEST(PriorityQueueTest, GivesTheLeastItemFirst) {
  priority_queue<int> items;
  for (const int item : {3, 1, 4, 1, 5, 9, 2, 6}) co_await items.put(item);
  std::vector<int> got;
  while (!items.empty()) got.push_back(co_await items.get());
  EXPECT_THAT(got, ElementsAre(1, 1, 2, 3, 4, 5, 6, 9));
}

CO_TEST(PriorityQueueTest, GivesItemsInTheOrderOfItsComparison) {
  priority_queue<int, std::greater<>> items;
  for (const int item : {3, 1, 4}) co_await items.put(item);
  EXPECT_EQ(co_await items.get(), 4);
  EXPECT_EQ(co_await items.get(), 3);
  EXPECT_EQ(co_await items.get(), 1);
}

CO_TEST(PriorityQueueTest, EqualItemsAreGotInTheOrderInWhichTheyWerePut) {
  priority_queue<job> jobs;
  for (char name = 'a'; name <= 'l'; ++name) co_await jobs.put({(name - 'a') % 3, name});
  EXPECT_EQ(drained(jobs), "adgjbehkcfil");
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
  EXPECT_EQ(drained(jobs), "abc");
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
  EXPECT_EQ(drained(jobs), "dabcfe");
}

TEST(PriorityQueueTest, IsCalledByItsNameInReports) {
  const auto main = []() -> task<void> {
    priority_queue<int> items(1, "jobs");
    EXPECT_THROW(items.task_done(), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "misuse: task_done() of priority_queue \"jobs\", which has no unfinished item\n");
}

CO_TEST(PriorityQueueTest, ShutsDownBothWays) {
  priority_queue<int> items;
  for (const int item : {2, 1, 3}) co_await items.put(item);
  items.shut_down();
  EXPECT_EQ(co_await items.get(), 1);
  items.task_done();
  items.shut_down(shutdown::immediate);
  EXPECT_THROW(co_await items.get(), queue_shut_down);
  co_await items.join();
}

TEST(PriorityQueueTest, LosesAndDoublesNothingWithAGetterCancelledAnywhere) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    priority_queue<int> items(2);
    std::vector<int> got;
    const auto get = [&](int times) -> task<void> {
      for (int i = 0; i < times; ++i) got.push_back(co_await items.get());
    };
    const auto put = [&](int first) -> task<void> {
      for (int i = 3; i-- > 0;) co_await items.put(first + i);
    };
    auto victim = spawn(get(2));
    auto other = spawn(get(2));
    auto left = spawn(put(0));
    auto right = spawn(put(3));
    hunted.begin(victim);
    co_await hunted.end();
    static_cast<void>(co_await was_cancelled(victim));
    co_await other.join();
    while (got.size() < 6) got.push_back(co_await items.get());
    co_await left.join();
    co_await right.join();
    std::sort(got.begin(), got.end());
    EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_TRUE(items.empty());
  });
}

}  // namespace
}  // namespace lockstep
