// Mistakes with permits, latches, readers and writers, channels and broadcasts.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- permits ----------------------------------------------------------------------------------------------------------

// Releases by hand, and not if it fails.
task<void> fetches_and_releases(semaphore& slots, bool fails) {
  const local mine;
  co_await slots.acquire();
  co_await yield();
  if (fails) throw std::runtime_error("not found");
  slots.release();
}

task<void> fetches_with_a_permit(semaphore& slots, bool fails) {
  const local mine;
  const permit slot = co_await slots.acquire_permit();
  co_await yield();
  if (fails) throw std::runtime_error("not found");
}

template <class Fetch>
task<void> fetches_twice(Fetch fetch) {
  semaphore slots(1, "slots");
  auto first = spawn(fetch(slots, true), "first");
  try {
    co_await first.join();
  } catch (const std::runtime_error&) {
  }
  auto second = spawn(fetch(slots, false), "second");
  co_await second.join();
}

TEST(SynchronizationBugs, APermitThatAFailureLeavesBehind) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "every task waits", {}, {"second: semaphore \"slots\""}},
                     [] { return fetches_twice(fetches_and_releases); }));
  EXPECT_TRUE(silent([] { return fetches_twice(fetches_with_a_permit); }));
}

// The same by a cancellation.
template <class Fetch>
task<void> cancels_a_fetch(Fetch fetch) {
  semaphore slots(1, "slots");
  {
    auto first = spawn(fetch(slots, false), "first");
    co_await yield();
    first.cancel();
    try {
      co_await first.join();
    } catch (const cancelled&) {
    }
  }
  co_await slots.acquire();
  slots.release();
}

TEST(SynchronizationBugs, APermitThatACancellationLeavesBehind) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: semaphore \"slots\""}, finds::in_some_order},
                     [] { return cancels_a_fetch(fetches_and_releases); }));
  EXPECT_TRUE(silent([] { return cancels_a_fetch(fetches_with_a_permit); }));
}

// -- latches ----------------------------------------------------------------------------------------------------------

task<void> prepares(latch& ready, int times) {
  const local mine;
  for (int i = 0; i < times; ++i) {
    co_await yield();
    ready.count_down();
  }
}

task<void> waits_for_two(int first, int second) {
  latch ready(2, "ready");
  auto one = spawn(prepares(ready, first), "one");
  auto two = spawn(prepares(ready, second), "two");
  co_await ready.wait();
  co_await one.join();
  co_await two.join();
}

TEST(SynchronizationBugs, ALatchThatIsCountedDownTooOftenOrTooSeldom) {
  EXPECT_TRUE(caught({verdict_kind::misuse,
                      "latch \"ready\" is counted down by 1, and only 0 of 2 are missing",
                      {verdict_kind::dropped_handle}},
                     [] { return waits_for_two(2, 1); }));
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: latch \"ready\""}}, [] { return waits_for_two(1, 0); }));
  EXPECT_TRUE(silent([] { return waits_for_two(1, 1); }));
  EXPECT_TRUE(silent([] { return waits_for_two(0, 2); }));
}

// -- readers and writers ----------------------------------------------------------------------------------------------

struct cache {
  shared_mutex lock{"cache"};
  int value = 0;
};

// Looks, and writes if there is nothing yet.
task<void> looks_and_writes(cache& of) {
  const local mine;
  const shared_guard reading = co_await of.lock.lock_shared();
  co_await sleep_for(1s);
  const exclusive_guard writing = co_await of.lock.lock();
  of.value = 1;
}

task<void> lets_go_before_it_writes(cache& of) {
  const local mine;
  {
    const shared_guard reading = co_await of.lock.lock_shared();
    co_await sleep_for(1s);
    if (of.value != 0) co_return;
  }
  const exclusive_guard writing = co_await of.lock.lock();
  if (of.value == 0) of.value = 1;
}

template <class Fill>
task<void> fills_twice(Fill fill) {
  cache shared;
  auto left = spawn(fill(shared), "left");
  auto right = spawn(fill(shared), "right");
  co_await left.join();
  co_await right.join();
}

TEST(SynchronizationBugs, AReaderThatWantsToWrite) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: join(left) held by left"}},
                     [] { return fills_twice(looks_and_writes); }));
  EXPECT_TRUE(silent([] { return fills_twice(lets_go_before_it_writes); }));
}

task<void> reads(cache& of, bool again) {
  const local mine;
  const shared_guard outer = co_await of.lock.lock_shared();
  co_await sleep_for(2s);
  if (again) const shared_guard inner = co_await of.lock.lock_shared();
}

task<void> writes_later(cache& of) {
  const local mine;
  co_await sleep_for(1s);
  const exclusive_guard writing = co_await of.lock.lock();
}

task<void> reads_beside_a_writer(bool again, bool goes_on) {
  cache shared;
  auto reader = spawn(reads(shared, again), "reader");
  auto writer = spawn(writes_later(shared), "writer");
  if (goes_on) co_await sleep_for(1h);
  co_await reader.join();
  co_await writer.join();
}

TEST(SynchronizationBugs, AReaderThatReadsAgainBehindAWriter) {
  const std::vector<std::string> waits{"reader: shared lock of shared_mutex \"cache\" held by writer",
                                       "writer: lock of shared_mutex \"cache\" held by reader"};
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, waits}, [] { return reads_beside_a_writer(true, false); }));
  EXPECT_TRUE(silent([] { return reads_beside_a_writer(false, false); }));
  // Before it joins them, others go on.
  const auto watches = []() -> task<void> {
    cache shared;
    auto reader = spawn(reads(shared, true), "reader");
    auto writer = spawn(writes_later(shared), "writer");
    co_await sleep_for(1h);
  };
  EXPECT_TRUE(caught({verdict_kind::partial_deadlock, "", {}, waits}, watches));
  EXPECT_TRUE(silent([] { return reads_beside_a_writer(false, true); }));
}

// -- channels and broadcasts ------------------------------------------------------------------------------------------

task<void> swaps(channel<int>& to, channel<int>& from, bool receives_first) {
  const local mine;
  for (int i = 0; i < 2; ++i) {
    if (receives_first) co_await from.receive();
    co_await to.send(i);
    if (!receives_first) co_await from.receive();
  }
}

task<void> swap_both(bool second_receives_first) {
  channel<int> there("there");
  channel<int> back("back");
  auto left = spawn(swaps(there, back, false), "left");
  auto right = spawn(swaps(back, there, second_receives_first), "right");
  co_await left.join();
  co_await right.join();
}

TEST(SynchronizationBugs, TwoThatSendAndOnlyThenReceive) {
  EXPECT_TRUE(
      caught({verdict_kind::deadlock, "", {}, {"left: send to channel \"there\"", "right: send to channel \"back\""}},
             [] { return swap_both(false); }));
  EXPECT_TRUE(silent([] { return swap_both(true); }));
}

task<void> publishes(broadcast<int>& to, int items) {
  const local mine;
  for (int i = 0; i < items; ++i) co_await to.send(i);
}

task<void> subscribes_and_forgets(overflow when_full, bool ends) {
  broadcast<int> news(2, when_full, "news");
  std::optional<subscription<int>> forgotten(news.subscribe());
  auto sender = spawn(publishes(news, 5), "sender");
  co_await yield();
  if (ends) forgotten.reset();
  co_await sender.join();
}

TEST(SynchronizationBugs, ASubscriberThatNeverReceives) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"sender: send to broadcast \"news\""}},
                     [] { return subscribes_and_forgets(overflow::wait, false); }));
  EXPECT_TRUE(silent([] { return subscribes_and_forgets(overflow::wait, true); }));
  EXPECT_TRUE(silent([] { return subscribes_and_forgets(overflow::drop_oldest, false); }));
}

}  // namespace
}  // namespace lockstep::planted
