// loop_remote in a world on the operating system: what other threads leave to a loop that sleeps, runs, or has ended.
#include "../runtime/judged_run.hpp"

#include <lockstep/real/world.hpp>
#include <lockstep/runtime/loop_remote.hpp>

#include <optional>
#include <thread>
#include <vector>

namespace lockstep::real {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

task<int> add(int a, int b) {
  co_await yield();
  co_return a + b;
}

// On another thread: until the loop's own sleeps in the io_context.
void wait_until_it_rests(world& of) {
  while (!of.loop().resting()) std::this_thread::yield();
}

TEST(CallsFromThreadsTest, WakeALoopThatSleeps) {
  world world;
  const auto main = [&]() -> task<void> {
    const std::thread::id here = std::this_thread::get_id();
    event called("called");
    std::thread caller([&, home = loop_remote()] {
      wait_until_it_rests(world);
      EXPECT_TRUE(home.call_soon_threadsafe([&] {
        EXPECT_EQ(std::this_thread::get_id(), here);
        called.set();
      }));
    });
    co_await called.wait();
    caller.join();
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(CallsFromThreadsTest, WakeALoopThatSleepsUntilADeadline) {
  world world;
  const auto main = [&]() -> task<void> {
    event called("called");
    std::thread caller([&, home = loop_remote()] {
      wait_until_it_rests(world);
      EXPECT_TRUE(home.call_soon_threadsafe([&] { called.set(); }));
    });
    const auto wait = [&]() -> task<void> { co_await called.wait(); };
    co_await with_timeout(24h, wait());
    caller.join();
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(CallsFromThreadsTest, RunTasksAndBringTheirResultsBack) {
  world world;
  const auto main = [&]() -> task<void> {
    event over("over");
    int sum = 0;
    std::thread caller([&, home = loop_remote()] {
      wait_until_it_rests(world);
      sum = home.spawn_threadsafe([] { return add(3, 4); }).get();
      auto waits = home.spawn_threadsafe([]() -> task<void> { co_await sleep_for(24h); });
      wait_until_it_rests(world);
      EXPECT_TRUE(waits.cancel("by the thread"));
      EXPECT_THROW(waits.get(), cancelled);
      EXPECT_TRUE(home.call_soon_threadsafe([&] { over.set(); }));
    });
    co_await over.wait();
    caller.join();
    EXPECT_EQ(sum, 7);
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(CallsFromThreadsTest, AreRefusedWhenTheMainTaskTheRunOrTheWorldIsOver) {
  std::optional<loop_remote> home;
  const auto refused = [&] {
    EXPECT_FALSE(home->call_soon_threadsafe([] { ADD_FAILURE(); }));
    EXPECT_THROW(home->spawn_threadsafe([] { return add(1, 2); }).get(), cancelled);
  };
  const auto refused_on_a_thread = [&] { std::thread(refused).join(); };
  {
    world world;
    const auto serve = [&]() -> task<void> {
      try {
        co_await sleep_for(24h);
      } catch (const cancelled&) {
        refused_on_a_thread();
        throw;
      }
    };
    const auto main = [&]() -> task<void> {
      home.emplace();
      spawn_daemon(serve());
      co_await yield();
    };
    world.run(main());
    refused_on_a_thread();
    const auto next = [&]() -> task<void> {
      refused_on_a_thread();
      co_await yield();
    };
    world.run(next());
    EXPECT_THAT(world.verdicts(), IsEmpty());
  }
  refused_on_a_thread();
}

TEST(CallsFromThreadsTest, AreWaitedForUntilNobodyIsLeftWhoCouldCall) {
  world world;
  std::thread caller;
  const auto main = [&]() -> task<void> {
    event never("never");
    caller = std::thread([&world, home = std::optional<loop_remote>(std::in_place)]() mutable {
      wait_until_it_rests(world);
      home.reset();
    });
    co_await never.wait();
  };
  EXPECT_THROW(world.run(main()), misuse);
  caller.join();
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::deadlock);
}

TEST(CallsFromThreadsTest, AreNotLostOfManyThreadsWhetherTheLoopSleepsOrRuns) {
  constexpr int threads = 4;
  constexpr int calls = 250;
  for (const bool busy : {false, true}) {
    world world;
    int called = 0;
    const auto main = [&]() -> task<void> {
      event complete("complete");
      const auto run_busily = [&]() -> task<void> {
        while (!complete.is_set()) co_await yield();
      };
      std::vector<std::thread> callers;
      for (int i = 0; i < threads; ++i) {
        callers.emplace_back([&, home = loop_remote()] {
          for (int n = 0; n < calls; ++n) {
            EXPECT_TRUE(home.call_soon_threadsafe([&] {
              if (++called == threads * calls) complete.set();
            }));
          }
        });
      }
      if (busy) co_await run_busily();
      co_await complete.wait();
      for (std::thread& each : callers) each.join();
    };
    world.run(main());
    EXPECT_EQ(called, threads * calls);
    EXPECT_THAT(world.verdicts(), IsEmpty());
  }
}

// The loop ends, and is destroyed, while threads still call: what was taken is called or dropped, all else refused.
TEST(CallsFromThreadsTest, MayGoOnWhileTheLoopGoes) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> callers;
    {
      world world;
      const auto main = [&]() -> task<void> {
        event first("first");
        for (int i = 0; i < 3; ++i) {
          callers.emplace_back([home = loop_remote()] {
            while (home.call_soon_threadsafe([] {})) std::this_thread::yield();
            EXPECT_THROW(home.spawn_threadsafe([] { return add(1, 2); }).get(), cancelled);
          });
        }
        const loop_remote home;
        EXPECT_TRUE(home.call_soon_threadsafe([&] { first.set(); }));
        co_await first.wait();
      };
      world.run(main());
      EXPECT_THAT(world.verdicts(), IsEmpty());
    }
    for (std::thread& each : callers) each.join();
  }
}

}  // namespace
}  // namespace lockstep::real
