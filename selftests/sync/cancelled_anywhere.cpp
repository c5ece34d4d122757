// One of several tasks at a primitive is cancelled at each of its suspensions: no permit, lock, item or wakeup is lost.
// Those of shared_mutex, latch, lifo_queue, priority_queue, channel and broadcast stand in their own tests.
#include "cancellations.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

// The helper must find what it is there to find: a permit that is lost if its task is cancelled in between.
TEST(CancelledAnywhere, FindsWhereAPermitIsLost) {
  std::vector<std::uint32_t> lost;
  for (std::uint32_t steps = 0; steps < 10; ++steps) {
    hunt hunted(nullptr, steps, hunt::moment::suspended);
    const auto main = [&]() -> task<void> {
      semaphore slots(1);
      const auto work = [&]() -> task<void> {
        co_await slots.acquire();
        co_await yield();
        slots.release();
        co_await yield();
      };
      auto victim = spawn(work());
      hunted.begin(victim);
      co_await hunted.end();
      static_cast<void>(co_await was_cancelled(victim));
      if (slots.available() == 0) lost.push_back(steps);
    };
    sim::world_options how;
    how.choices = &hunted;
    EXPECT_EQ(judge(main, how).messages(), "");
    EXPECT_EQ(hunted.hit(), steps < 4) << steps;
  }
  EXPECT_THAT(lost, ElementsAre(2));
}

TEST(CancelledAnywhere, AMutexIsNotLost) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    mutex lock;
    int inside = 0;
    const auto work = [&]() -> task<void> {
      for (int i = 0; i < 2; ++i) {
        const mutex_guard held = co_await lock.lock();
        EXPECT_EQ(++inside, 1);
        try {
          co_await yield();
        } catch (const cancelled&) {
          --inside;
          throw;
        }
        --inside;
      }
    };
    auto first = spawn(work());
    auto victim = spawn(work());
    auto last = spawn(work());
    hunted.begin(victim);
    co_await hunted.end();
    static_cast<void>(co_await was_cancelled(victim));
    co_await first.join();
    co_await last.join();
    EXPECT_FALSE(lock.locked());
  });
}

TEST(CancelledAnywhere, APermitIsNotLost) {
  for (const bool by_await : {false, true}) {
    under_every_cancellation([by_await](hunt& hunted) -> task<void> {
      bounded_semaphore slots(2);
      const auto work = [&]() -> task<void> {
        for (int i = 0; i < 2; ++i) {
          if (by_await) {
            const permit held = co_await slots.acquire_permit();
            co_await yield();
          } else {
            co_await slots.acquire();
            const permit held(slots);
            co_await yield();
          }
        }
      };
      auto first = spawn(work());
      auto victim = spawn(work());
      auto third = spawn(work());
      auto last = spawn(work());
      hunted.begin(victim);
      co_await hunted.end();
      static_cast<void>(co_await was_cancelled(victim));
      for (auto* each : {&first, &third, &last}) co_await each->join();
      EXPECT_EQ(slots.available(), 2u);
    });
  }
}

TEST(CancelledAnywhere, AnEventWakesTheOthers) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    event go;
    const auto work = [&]() -> task<void> {
      co_await go.wait();
      co_await go.wait();
    };
    auto first = spawn(work());
    auto victim = spawn(work());
    auto last = spawn(work());
    const auto set = [&]() -> task<void> {
      co_await yield();
      go.set();
      go.clear();
      co_await yield();
      while (!first.done() || !last.done()) {
        go.set();
        co_await yield();
      }
    };
    auto setter = spawn(set());
    hunted.begin(victim);
    co_await setter.join();
    go.set();
    co_await hunted.end();
    static_cast<void>(co_await was_cancelled(victim));
    co_await first.join();
    co_await last.join();
  });
}

TEST(CancelledAnywhere, ANotificationGoesToAnotherAndTheLockIsHeldWhenTheWaitEnds) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    mutex lock;
    condition_variable changed(lock);
    int items = 0;
    int taken = 0;
    const auto take = [&]() -> task<void> {
      const mutex_guard held = co_await lock.lock();
      const auto some = [&] { return items > 0; };
      try {
        co_await changed.wait(some);
      } catch (const cancelled&) {
        EXPECT_EQ(lock.holder(), &current_task());
        throw;
      }
      EXPECT_EQ(lock.holder(), &current_task());
      --items;
      ++taken;
    };
    const auto put = [&]() -> task<void> {
      for (int i = 0; i < 3; ++i) {
        const mutex_guard held = co_await lock.lock();
        ++items;
        changed.notify_one();
      }
    };
    auto first = spawn(take());
    auto victim = spawn(take());
    auto last = spawn(take());
    auto producer = spawn(put());
    hunted.begin(victim);
    co_await hunted.end();
    const bool gone = co_await was_cancelled(victim);
    co_await first.join();
    co_await last.join();
    co_await producer.join();
    EXPECT_EQ(taken, gone ? 2 : 3);
    EXPECT_EQ(items, 3 - taken);
    EXPECT_FALSE(lock.locked());
  });
}

TEST(CancelledAnywhere, APartyOfABarrierCanBeReplaced) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    barrier all(3);
    std::vector<std::size_t> places;
    const auto meet = [&]() -> task<void> {
      const std::size_t place = co_await all.wait();
      places.push_back(place);
      co_await yield();
    };
    auto first = spawn(meet());
    auto victim = spawn(meet());
    auto last = spawn(meet());
    hunted.begin(victim);
    co_await hunted.end();
    static_cast<void>(co_await was_cancelled(victim));
    // If the two wait for a third, one comes.
    while (!first.done() || !last.done()) {
      if (all.waiting_now() == 2) places.push_back(co_await all.wait());
      co_await yield();
    }
    co_await first.join();
    co_await last.join();
    EXPECT_EQ(all.waiting_now(), 0u);
    std::sort(places.begin(), places.end());
    EXPECT_EQ(std::adjacent_find(places.begin(), places.end()), places.end());
    EXPECT_GE(places.size(), 2u);
  });
}

// Whichever side is cancelled: an item is put exactly if put() returns, and got once.
TEST(CancelledAnywhere, AnItemIsNeitherLostNorDoubled) {
  for (const bool puts : {false, true}) {
    under_every_cancellation([puts](hunt& hunted) -> task<void> {
      queue<int> items(1);
      std::vector<int> put;
      std::vector<int> got;
      const auto produce = [&](int first) -> task<void> {
        for (int i = 0; i < 3; ++i) {
          co_await items.put(first + i);
          put.push_back(first + i);
        }
      };
      const auto consume = [&]() -> task<void> {
        for (;;) {
          int item = 0;
          try {
            item = co_await items.get();
          } catch (const queue_shut_down&) {
            co_return;
          }
          got.push_back(item);
          items.task_done();
        }
      };
      auto consumer = spawn(consume());
      auto victim = spawn(puts ? produce(0) : consume());
      auto producer = spawn(produce(10));
      hunted.begin(victim);
      co_await producer.join();
      if (puts) {
        co_await hunted.end();
        static_cast<void>(co_await was_cancelled(victim));
      }
      co_await items.join();
      items.shut_down();
      if (!puts) {
        co_await hunted.end();
        static_cast<void>(co_await was_cancelled(victim));
      }
      co_await consumer.join();
      std::sort(put.begin(), put.end());
      std::sort(got.begin(), got.end());
      EXPECT_EQ(put, got);
      EXPECT_TRUE(items.empty());
    });
  }
}

}  // namespace
}  // namespace lockstep
