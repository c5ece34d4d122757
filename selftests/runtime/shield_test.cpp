#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

CO_TEST(ShieldTest, ReturnsTheResultAndThrowsTheError) {
  EXPECT_EQ(co_await shield(value_after(1s, 7)), 7);
  const auto fails = []() -> task<void> {
    co_await sleep_for(1s);
    throw std::runtime_error("disk full");
  };
  EXPECT_THROW(co_await shield(fails()), std::runtime_error);
}

CO_TEST(ShieldTest, TheCancellationIsDeliveredAtTheNextAwaitAfterIt) {
  std::string log;
  const auto work = [&]() -> task<void> {
    EXPECT_EQ(co_await shield(value_after(3s, 7)), 7);
    log += "shielded ";
    EXPECT_EQ(now(), time_point{3s});
    try {
      co_await yield();
    } catch (const cancelled& why) {
      log += why.reason();
      throw;
    }
  };
  auto handle = spawn(work());
  co_await sleep_for(1s);
  EXPECT_TRUE(handle.cancel("shutdown"));
  EXPECT_EQ(handle.get().cancelling(), 1u);
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "shielded shutdown");
}

CO_TEST(ShieldTest, KeepsSeveralRequestsAndDeliversOnce) {
  int delivered = 0;
  const auto work = [&]() -> task<void> {
    co_await shield(pass(3s));
    EXPECT_EQ(current_task().cancelling(), 2u);
    try {
      co_await yield();
    } catch (const cancelled& why) {
      ++delivered;
      EXPECT_EQ(why.reason(), "second");
    }
    EXPECT_EQ(current_task().uncancel(), 1u);
    EXPECT_EQ(current_task().uncancel(), 0u);
    co_await yield();
  };
  auto handle = spawn(work());
  co_await sleep_for(1s);
  handle.cancel("first");
  handle.cancel("second");
  co_await handle.join();
  EXPECT_EQ(delivered, 1);
}

CO_TEST(ShieldTest, ARequestThatIsTakenBackMeanwhileIsNotDelivered) {
  const auto work = []() -> task<void> {
    co_await shield(pass(3s));
    co_await sleep_for(1s);
  };
  auto handle = spawn(work());
  co_await sleep_for(1s);
  handle.cancel("too early");
  EXPECT_EQ(handle.get().uncancel(), 0u);
  co_await handle.join();
  EXPECT_EQ(now(), time_point{4s});
}

CO_TEST(ShieldTest, ACancelledTaskCleansUpInIt) {
  std::string log;
  const auto work = [&]() -> task<void> {
    bool stopped = false;
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      stopped = true;
    }
    co_await shield(pass(2s));
    co_await shield(pass(2s));
    log = "clean";
    if (stopped) throw cancelled();
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  co_await sleep_for(1s);
  handle.cancel();  // does not reach the clean-up
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "clean");
  EXPECT_EQ(now(), time_point{4s});
}

TEST(ShieldTest, AwaitingOutsideOfItAfterwardsIsSwallowing) {
  const auto main = []() -> task<void> {
    const auto work = []() -> task<void> {
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
      }
      co_await shield(pass(1s));
      co_await pass(1s);
    };
    auto handle = spawn(work());
    co_await settle();
    handle.cancel();
    co_await handle.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::swallowed_cancellation));
}

CO_TEST(ShieldTest, KeepsTheReasonOfATimeoutWithItsRequest) {
  std::string log;
  const auto work = [&]() -> task<void> {
    co_await shield(pass(2s));
    co_await until_cancelled(log);
  };
  EXPECT_THROW(co_await with_timeout(1s, work()), timed_out);
  EXPECT_EQ(log, "[timeout]");
}

CO_TEST(ShieldTest, Nests) {
  std::string log;
  const auto inner = [&]() -> task<void> {
    co_await shield(shield(pass(2s)));
    log += "inner ";
    co_await pass(2s);
    log += "outer ";
  };
  const auto work = [&]() -> task<void> {
    co_await shield(inner());
    co_await pass(2s);
    log += "unreached";
  };
  auto handle = spawn(work());
  co_await sleep_for(1s);
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "inner outer ");
  EXPECT_EQ(now(), time_point{4s});
}

CO_TEST(ShieldTest, WhatTheWorkSpawnsIsItsOwn) {
  const auto child = []() -> task<void> { co_await wait_for_ever(); };
  const auto work = [&]() -> task<void> {
    auto handle = spawn(child());
    co_await settle();
    handle.cancel();
    EXPECT_THROW(co_await handle.join(), cancelled);
    co_await pass(1s);
  };
  co_await shield(work());
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(ShieldTest, ATimeoutAroundItThrowsAfterIt) {
  bool ended = false;
  const auto work = [&]() -> task<void> {
    co_await shield(pass(5s));
    ended = true;
    co_await wait_for_ever();
  };
  EXPECT_THROW(co_await with_timeout(1s, work()), timed_out);
  EXPECT_TRUE(ended);
  EXPECT_EQ(now(), time_point{5s});
  co_await yield();
}

CO_TEST(ShieldTest, WorkThatEndsWithItHasMadeTheTimeoutAroundItAfterAll) {
  EXPECT_EQ(co_await with_timeout(1s, shield(value_after(5s, 7))), 7);
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

CO_TEST(ShieldTest, ATimeoutWithinItReachesTheWork) {
  EXPECT_THROW(co_await shield(with_timeout(1s, wait_for_ever())), timed_out);
  EXPECT_EQ(now(), time_point{1s});
  co_await yield();
}

CO_TEST(ShieldTest, ATimeoutWithinItBoundsTheCleanUpOfACancelledTask) {
  std::string log;
  const auto work = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled& why) {
      log += why.reason();
    }
    try {
      co_await shield(with_timeout(1s, wait_for_ever()));
    } catch (const timed_out&) {
      log += " gave up";
    }
    throw cancelled(current_task().cancel_reason());
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel("shutdown");
  co_await sleep_for(500ms);
  handle.cancel("shutdown again");
  try {
    co_await handle.join();
    ADD_FAILURE();
  } catch (const cancelled& why) {
    EXPECT_EQ(why.reason(), "shutdown again");
  }
  EXPECT_EQ(log, "shutdown gave up");
  EXPECT_EQ(now(), time_point{1s});
}

// The inner timeout stands between two shields: the inner shield keeps it, the outer one does not.
CO_TEST(ShieldTest, EachKeepsWhatComesFromOutsideOfIt) {
  std::string log;
  const auto middle = [&]() -> task<void> {
    co_await shield(pass(2s));
    log += "kept ";
    co_await wait_for_ever();
  };
  const auto outer = [&]() -> task<void> {
    EXPECT_THROW(co_await with_timeout(1s, middle()), timed_out);
    co_await pass(1s);
    log += "outer ";
  };
  const auto work = [&]() -> task<void> {
    co_await shield(outer());
    co_await wait_for_ever();
  };
  auto handle = spawn(work());
  co_await sleep_for(1500ms);
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "kept outer ");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(ShieldTest, AGroupWithinItCancelsItsBody) {
  const auto body = [](task_group& group) -> task<void> {
    const auto fails = []() -> task<void> {
      co_await sleep_for(1s);
      throw std::runtime_error("disk full");
    };
    group.spawn(fails());
    co_await wait_for_ever();
  };
  EXPECT_THROW(co_await shield(with_task_group(body)), exception_group);
  EXPECT_EQ(now(), time_point{1s});
}

TEST(ShieldTest, ADestroyedTaskNeedsNoEndOfIt) {
  const auto main = []() -> task<void> {
    const auto child = []() -> task<void> { co_await shield(shield(wait_for_ever())); };
    auto handle = spawn(child());
    co_await settle();
    throw std::runtime_error("x");
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.failure, "x");
  EXPECT_EQ(run.messages(), "");
}

TEST(ShieldTest, NeedsATask) { EXPECT_THROW(shield_scope(), misuse); }

}  // namespace
}  // namespace lockstep
