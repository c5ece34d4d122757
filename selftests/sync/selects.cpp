// select() over objects of every kind, in every order, with tasks that are cancelled at any moment.
#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

struct market {
  queue<int> apples{2, "apples"};
  queue<int> pears{1, "pears"};
  queue<int> baskets{1, "baskets"};
  event closed{"closed"};
  mutex door{"door"};
  semaphore stalls{1, "stalls"};
  std::vector<int> sold;
  std::vector<int> offered;
  int inside = 0;
};

struct visit {
  explicit visit(market& of) : to(of) { EXPECT_EQ(++to.inside, 1) << "two hold the lock"; }
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;
  ~visit() { --to.inside; }
  market& to;
};

// Offers to whoever buys first, until it is cancelled.
task<void> offer(market& at, int first, int count) {
  for (int i = 0; i < count; ++i) {
    const int item = first + i;
    co_await select(at.apples.put(item), at.pears.put(item));
    at.offered.push_back(item);
  }
}

task<void> buy(market& at) {
  for (;;) {
    const auto next = co_await select(at.apples.get(), at.closed.wait(), at.pears.get());
    if (next.index == 1) co_return;
    at.sold.push_back(next.index == 0 ? std::get<0>(next.value) : std::get<2>(next.value));
    at.baskets.try_put(0);
    const auto entry = co_await select(at.door.lock(), at.stalls.acquire());
    if (entry.index == 0) {
      const visit inside(at);
      co_await yield();
    } else {
      co_await yield();
      at.stalls.release();
    }
    co_await select(at.baskets.get(), sleep_for(1ms));
  }
}

// Whoever offers or buys may be cancelled at any moment: what was offered is sold once, or still there.
TEST(SelectTest, LosesAndDoublesNothingInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    market at;
    std::vector<join_handle<void>> offering;
    std::vector<join_handle<void>> buying;
    for (int i = 0; i < 3; ++i) offering.push_back(spawn(offer(at, 10 * i, 6)));
    for (int i = 0; i < 4; ++i) buying.push_back(spawn(buy(at)));
    for (int i = 0; i < 4; ++i) co_await yield();
    offering[0].cancel();
    buying[0].cancel();
    co_await yield();
    buying[1].cancel();
    co_await was_cancelled(offering[0]);
    co_await was_cancelled(buying[0]);
    co_await was_cancelled(buying[1]);
    co_await offering[1].join();
    co_await offering[2].join();
    co_await sleep_for(1s);
    at.closed.set();
    co_await buying[2].join();
    co_await buying[3].join();
    while (const auto item = at.apples.try_get()) at.sold.push_back(*item);
    while (const auto item = at.pears.try_get()) at.sold.push_back(*item);
    EXPECT_THAT(at.sold, testing::UnorderedElementsAreArray(at.offered));
    EXPECT_FALSE(at.door.locked());
    EXPECT_TRUE(at.door.try_lock());
    at.door.unlock();
    EXPECT_TRUE(at.apples.try_put(0) && at.apples.try_put(0) && at.pears.try_put(0)) << "a ghost waits there";
    EXPECT_EQ(at.apples.size() + at.pears.size(), 3u);
  });
}

// The same with one step at a time between the puts and the cancellations, at every distance.
TEST(SelectTest, CancelledAtAnyMomentGivesTheItemToTheNext) {
  for (int distance = 0; distance < 8; ++distance) {
    under_every_schedule([distance]() -> task<void> {
      queue<int> a;
      queue<int> b;
      event stop;
      std::vector<int> got;
      const auto take = [&](queue<int>& first, queue<int>& second) -> task<void> {
        const auto next = co_await select(first.get(), second.get(), stop.wait());
        if (next.index < 2) got.push_back(next.index == 0 ? std::get<0>(next.value) : std::get<1>(next.value));
      };
      const auto fill = [](queue<int>& into, int item) -> task<void> { co_await into.put(item); };
      auto cancelled_one = spawn(take(a, b));
      auto other = spawn(take(b, a));
      auto one = spawn(fill(a, 1));
      auto two = spawn(fill(b, 2));
      for (int i = 0; i < distance; ++i) co_await yield();
      cancelled_one.cancel();
      co_await was_cancelled(cancelled_one);
      co_await one.join();
      co_await two.join();
      co_await other.join();
      EXPECT_EQ(got.size() + a.size() + b.size(), 2u);
      EXPECT_GE(got.size(), 1u);
    });
  }
}

}  // namespace
}  // namespace lockstep
