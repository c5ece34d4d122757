// asyncio.shield. A task that goes on when nobody waits for it any more has no owner, so the two things that asyncio's
// shield does have two names: shield(work) is clean-up that must end, join_shielded() leaves a task to its handle.
#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <optional>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

CO_TEST(AsyncioShieldTest, ReturnsTheResultAndThrowsTheError) {
  auto inner = spawn(value_after(1s, 5));
  EXPECT_EQ(co_await inner.join_shielded(), 5);
  EXPECT_EQ(co_await shield(value_after(1s, 6)), 6);
  EXPECT_THROW(co_await shield(fail_after(1s)), std::runtime_error);
}

CO_TEST(AsyncioShieldTest, CancellingTheOuterSparesTheInnerWhichGoesOn) {
  auto inner = spawn(value_after(2s, 5));
  const auto outer = [&]() -> task<int> { co_return co_await inner.join_shielded(); };
  auto handle = spawn(outer());
  co_await sleep_for(1s);
  EXPECT_TRUE(handle.cancel());
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(now(), time_point{1s});  // at once
  EXPECT_EQ(co_await inner.join(), 5);
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(AsyncioShieldTest, CancellingTheInnerCancelsTheOuter) {
  auto inner = spawn(wait_for_ever());
  const auto outer = [&]() -> task<void> { co_await inner.join_shielded(); };
  auto handle = spawn(outer());
  co_await settle();
  inner.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
}

CO_TEST(AsyncioShieldTest, OfATaskThatIsDoneIsItsResult) {
  auto inner = spawn(value_after(1s, 5));
  co_await sleep_for(2s);
  EXPECT_EQ(co_await inner.join_shielded(), 5);
  EXPECT_EQ(now(), time_point{2s});
}

// asyncio's recipe for a time limit that does not cancel.
CO_TEST(AsyncioShieldTest, ATimeoutAroundItSparesTheInner) {
  auto inner = spawn(value_after(2s, 5));
  const auto outer = [&]() -> task<int> { co_return co_await inner.join_shielded(); };
  EXPECT_THROW(co_await with_timeout(1s, outer()), timed_out);
  EXPECT_EQ(co_await inner.join(), 5);
}

// 3.14: "… exception in shielded future", here the verdict on what the handle holds.
TEST(AsyncioShieldTest, AnErrorOfTheInnerAfterTheOuterWasCancelledIsAVerdict) {
  const auto main = []() -> task<void> {
    auto inner = spawn(fail_after(2s), "commit");
    const auto outer = [&]() -> task<void> { co_await inner.join_shielded(); };
    auto handle = spawn(outer());
    co_await sleep_for(1s);
    handle.cancel();
    EXPECT_THROW(co_await handle.join(), cancelled);
    co_await sleep_for(2s);
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: task \"commit\" failed and nobody looked: disk full\n");
}

// On purpose: asyncio's inner task is kept alive by its loop alone, and may be collected.
TEST(AsyncioShieldTest, AnInnerTaskThatNobodyOwnsIsAVerdict) {
  const auto main = []() -> task<void> {
    std::optional<join_handle<void>> inner(spawn(pass(2s), "commit"));
    const auto outer = [&]() -> task<void> { co_await inner->join_shielded(); };
    auto handle = spawn(outer());
    co_await sleep_for(1s);
    handle.cancel();
    EXPECT_THROW(co_await handle.join(), cancelled);
    inner.reset();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
}

// On purpose: the work is the caller's own, so the caller waits, and is cancelled after it.
CO_TEST(AsyncioShieldTest, ShieldOfWorkEndsItFirstAndThenDeliversTheCancellation) {
  std::string log;
  const auto commits = [&]() -> task<void> {
    co_await sleep_for(2s);
    log += "committed";
  };
  const auto outer = [&]() -> task<void> {
    co_await shield(commits());
    co_await yield();
    log += " went on";
  };
  auto handle = spawn(outer());
  co_await sleep_for(1s);
  EXPECT_TRUE(handle.cancel());
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "committed");
  EXPECT_EQ(now(), time_point{2s});
}

TEST(AsyncioShieldTest, NoCancellationIsLostUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    auto inner = spawn(value_after(1s, 5));
    int committed = 0;
    const auto work = [&]() -> task<void> {
      for (int i = 0; i < 3; ++i) co_await yield();
      ++committed;
    };
    bool began = false;
    bool went_on = false;
    const auto outer = [&]() -> task<void> {
      began = true;
      co_await shield(work());
      co_await inner.join_shielded();
      went_on = true;
    };
    auto handle = spawn(outer());
    co_await yield();
    co_await yield();
    EXPECT_TRUE(handle.cancel());
    EXPECT_TRUE(co_await was_cancelled(handle));
    EXPECT_FALSE(went_on);
    EXPECT_EQ(committed, began ? 1 : 0);
    EXPECT_EQ(co_await inner.join(), 5);
  });
}

}  // namespace
}  // namespace lockstep
