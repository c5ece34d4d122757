// Handing things over: permits, readers and writers, queues with an order, channels and broadcasts.
#include <lockstep/testing/testing.hpp>

#include <string>
#include <vector>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [permit]
// At most two pages at a time; a fetch that is cancelled or fails gives its permit back.
task<void> fetch(semaphore& slots, int& done) {
  const permit slot = co_await slots.acquire_permit();
  co_await sleep_for(1s);
  ++done;
}
// [/permit]

// [bound]
CO_TEST(Permits, BoundHowManyWorkAtOnce) {
  semaphore slots(2);
  int done = 0;
  std::vector<task<void>> fetches;
  for (int i = 0; i < 6; ++i) fetches.push_back(fetch(slots, done));
  co_await when_all(std::move(fetches));
  EXPECT_EQ(done, 6);
  EXPECT_EQ(now(), time_point{3s});
}
// [/bound]

// [shared_mutex]
struct catalogue {
  shared_mutex lock{"catalogue"};
  std::vector<std::string> titles;

  task<std::size_t> count() {
    const shared_guard reading = co_await lock.lock_shared();
    co_await sleep_for(1s);  // readers wait here together
    co_return titles.size();
  }
  task<void> add(std::string title) {
    const exclusive_guard writing = co_await lock.lock();
    co_await sleep_for(1s);
    titles.push_back(std::move(title));
  }
};
// [/shared_mutex]

CO_TEST(Readers, ReadTogetherAndLetAWriterPass) {
  catalogue books;
  auto first = spawn(books.count());
  auto second = spawn(books.count());
  auto writer = spawn(books.add("Ulysses"));
  auto late = spawn(books.count());
  EXPECT_EQ(co_await first.join() + co_await second.join(), 0u);
  co_await writer.join();
  EXPECT_EQ(co_await late.join(), 1u) << "it came behind the writer";
  EXPECT_EQ(now(), time_point{3s});
}

// [priority_queue]
CO_TEST(Queues, GiveTheMostUrgentFirst) {
  struct job {
    int urgency;
    std::string name;
    bool operator<(const job& other) const { return urgency < other.urgency; }
  };
  priority_queue<job> jobs;
  jobs.try_put({2, "sweep"});
  jobs.try_put({1, "put out the fire"});
  jobs.try_put({2, "water the plants"});
  std::vector<std::string> done;
  while (!jobs.empty()) {
    job next = co_await jobs.get();
    done.push_back(std::move(next.name));
  }
  EXPECT_EQ(done, (std::vector<std::string>{"put out the fire", "sweep", "water the plants"}));
}
// [/priority_queue]

// [channel]
// Returns when the waiter has the order, not when it lies somewhere.
task<void> order(channel<std::string>& counter, std::string dish) { co_await counter.send(std::move(dish)); }

CO_TEST(Channels, AreWhereTwoTasksMeet) {
  channel<std::string> counter;
  auto guest = spawn(order(counter, "soup"));
  co_await sleep_for(10min);
  EXPECT_FALSE(guest.done());
  EXPECT_EQ(co_await counter.receive(), "soup");
  co_await guest.join();
}
// [/channel]

// [broadcast]
task<int> add_up(subscription<int> seen) {
  int sum = 0;
  for (;;) {
    try {
      sum += co_await seen.receive();
    } catch (const channel_closed&) {
      co_return sum;
    }
  }
}

CO_TEST(Broadcasts, ReachAllWhoHaveSubscribed) {
  broadcast<int> readings(4);
  auto all = spawn(add_up(readings.subscribe()));
  co_await readings.send(1);
  auto late = spawn(add_up(readings.subscribe()));
  for (int i = 2; i <= 10; ++i) co_await readings.send(i);
  readings.close();
  EXPECT_EQ(co_await all.join(), 55);
  EXPECT_EQ(co_await late.join(), 54);
}

// For whom only the present counts.
CO_TEST(Broadcasts, TellTheSlowWhatTheyHaveMissed) {
  broadcast<int> readings(2, overflow::drop_oldest);
  subscription<int> slow = readings.subscribe();
  for (int i = 1; i <= 10; ++i) co_await readings.send(i);
  EXPECT_THROW(co_await slow.receive(), lagged);
  EXPECT_EQ(co_await slow.receive(), 9);
  EXPECT_EQ(co_await slow.receive(), 10);
}
// [/broadcast]

}  // namespace
