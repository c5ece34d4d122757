#include "cancellations.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

task<void> pass_through(latch& of, std::string& log, std::string name) {
  co_await of.wait();
  log += name;
}
task<void> arrive_at(latch& of, std::string& log, std::string name) {
  co_await of.arrive_and_wait();
  log += name;
}

CO_TEST(LatchTest, LetsAllGoInTheirOrderWhenItComesToZero) {
  latch ready(3);
  std::string log;
  auto a = spawn(pass_through(ready, log, "a"));
  auto b = spawn(pass_through(ready, log, "b"));
  co_await settle();
  EXPECT_FALSE(ready.try_wait());
  ready.count_down();
  ready.count_down(0);
  co_await settle();
  EXPECT_EQ(log, "");
  ready.count_down(2);
  EXPECT_TRUE(ready.try_wait());
  co_await a.join();
  co_await b.join();
  EXPECT_EQ(log, "ab");
  co_await ready.wait();
  co_await pass_through(ready, log, "c");
  EXPECT_EQ(log, "abc") << "it stays open";
}

CO_TEST(LatchTest, FromZeroNobodyWaits) {
  latch open(0);
  EXPECT_TRUE(open.try_wait());
  co_await open.wait();
  co_await open.arrive_and_wait(0);
}

CO_TEST(LatchTest, ArriveAndWaitCountsDownAndWaits) {
  latch ready(4);
  std::string log;
  auto a = spawn(arrive_at(ready, log, "a"));
  auto b = spawn(arrive_at(ready, log, "b"));
  co_await settle();
  EXPECT_EQ(log, "");
  co_await ready.arrive_and_wait(2);
  co_await a.join();
  co_await b.join();
  EXPECT_EQ(log, "ab");
}

CO_TEST(LatchTest, AnOperationThatIsNotAwaitedCountsNothing) {
  latch ready(1);
  { [[maybe_unused]] auto unused = ready.arrive_and_wait(); }
  EXPECT_FALSE(ready.try_wait());
  ready.count_down();
  co_return;
}

CO_TEST(LatchTest, ATaskCancelledWhileItWaitsHasArrivedAndOneCancelledBeforeHasNot) {
  latch ready(2);
  std::string log;
  auto a = spawn(arrive_at(ready, log, "a"));
  co_await settle();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  const auto cancelled_before = [&]() -> task<void> {
    current_task().cancel();
    co_await ready.arrive_and_wait();
  };
  auto b = spawn(cancelled_before());
  EXPECT_TRUE(co_await was_cancelled(b));
  EXPECT_FALSE(ready.try_wait());
  co_await ready.arrive_and_wait();
  EXPECT_EQ(log, "");
}

CO_TEST(LatchTest, ATimeoutLeavesNoWaiterBehind) {
  latch ready(1);
  std::string log;
  EXPECT_THROW(co_await with_timeout(1s, pass_through(ready, log, "a")), timed_out);
  ready.count_down();
  EXPECT_EQ(log, "");
}

TEST(LatchTest, CountingDownBelowZeroIsMisuse) {
  const auto main = []() -> task<void> {
    latch ready(3, "ready");
    ready.count_down(2);
    EXPECT_THROW(ready.count_down(2), misuse);
    EXPECT_THROW(co_await ready.arrive_and_wait(2), misuse);
    EXPECT_FALSE(ready.try_wait()) << "what was refused is not counted";
    ready.count_down();
    EXPECT_THROW(ready.count_down(), misuse);
    EXPECT_THROW(co_await ready.arrive_and_wait(), misuse);
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: latch \"ready\" is counted down by 2, and only 1 of 3 are missing\n"
            "misuse: latch \"ready\" is counted down by 2, and only 1 of 3 are missing\n"
            "misuse: latch \"ready\" is counted down by 1, and only 0 of 3 are missing\n"
            "misuse: latch \"ready\" is counted down by 1, and only 0 of 3 are missing\n");
}

TEST(LatchTest, DyingUnderAWaiterIsMisuse) {
  std::string log;
  expect_that_death_under_a_waiter_is_misuse([] { return std::make_unique<latch>(2u, label("ready")); },
                                             [&](latch& of) { return arrive_at(of, log, "a"); }, "latch \"ready\"",
                                             "latch");
}

CO_TEST(LatchTest, MayDieOnceAllMayGoThoughTheyHaveNotRunYet) {
  auto ready = std::make_unique<latch>(1u);
  std::string log;
  auto a = spawn(pass_through(*ready, log, "a"));
  auto b = spawn(pass_through(*ready, log, "b"));
  co_await settle();
  ready->count_down();
  ready.reset();
  b.cancel();
  co_await a.join();
  EXPECT_TRUE(co_await was_cancelled(b));
  EXPECT_EQ(log, "a");
}

TEST(LatchTest, OneMadeOutsideBeginsEachRunAsItWasMade) {
  latch ready(1, "ready");
  const auto counts = [&]() -> task<void> {
    auto waiter = ready.wait();
    EXPECT_FALSE(ready.try_wait()) << "it is as it was made from its first use in the run on";
    ready.count_down();
    co_await waiter;
  };
  EXPECT_EQ(judge(counts).messages(), "");
  EXPECT_EQ(judge(counts).messages(), "");
}

TEST(LatchTest, LetsAllGoInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    latch ready(4);
    int arrived = 0;
    int gone = 0;
    const auto work = [&](bool waits) -> task<void> {
      co_await yield();
      ++arrived;
      if (waits) {
        co_await ready.arrive_and_wait();
      } else {
        ready.count_down();
        co_await ready.wait();
      }
      EXPECT_EQ(arrived, 4);
      ++gone;
    };
    std::vector<join_handle<void>> workers;
    for (int i = 0; i < 4; ++i) workers.push_back(spawn(work(i % 2 == 0)));
    co_await ready.wait();
    for (join_handle<void>& worker : workers) co_await worker.join();
    EXPECT_EQ(gone, 4);
  });
}

// Whoever is cancelled has arrived or not, and says so by where it was; the others go on when all have.
TEST(LatchTest, StrandsNobodyWithATaskCancelledAnywhere) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    latch ready(3);
    bool arrives = false;
    const auto work = [&](bool& came) -> task<void> {
      co_await yield();
      came = true;
      ready.count_down();
      co_await ready.wait();
      co_await yield();
    };
    bool others[2] = {};
    auto victim = spawn(work(arrives));
    auto a = spawn(work(others[0]));
    auto b = spawn(work(others[1]));
    hunted.begin(victim);
    co_await hunted.end();
    static_cast<void>(co_await was_cancelled(victim));
    if (!arrives) ready.count_down();
    co_await a.join();
    co_await b.join();
    EXPECT_TRUE(ready.try_wait());
  });
}

}  // namespace
}  // namespace lockstep
