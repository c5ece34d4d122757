#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/runtime/crowd.hpp>
#include <lockstep/testing/testing.hpp>

#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using detail::crowd;
using testing::ElementsAre;

struct members {
  std::vector<join_handle<void>> handles;
  crowd all;  // dies before its handles

  void add(task<void> work, label name = {}) {
    handles.push_back(spawn(std::move(work), std::move(name)));
    all.watch(handles.back().get());
  }
};

CO_TEST(CrowdTest, OfNobodyIsNotWaitedFor) {
  crowd nobody;
  co_await nobody.wait_until(crowd::until::all);
  co_await nobody.wait_until(crowd::until::first);
  EXPECT_EQ(nobody.first_finished(), nullptr);
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(CrowdTest, WaitsForAll) {
  members m;
  m.add(pass(3s));
  m.add(pass(1s));
  co_await m.all.wait_until(crowd::until::all);
  EXPECT_EQ(now(), time_point{3s});
  EXPECT_EQ(m.all.left(), 0u);
  EXPECT_EQ(m.all.first_finished(), &m.handles[1].get());
  EXPECT_EQ(m.all.first_failed(), nullptr);
}

CO_TEST(CrowdTest, WaitsForTheFirstAndThenForTheRest) {
  members m;
  m.add(pass(3s));
  m.add(pass(1s));
  co_await m.all.wait_until(crowd::until::first);
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ(m.all.left(), 1u);
  EXPECT_FALSE(m.handles[0].done());
  co_await m.all.wait_until(crowd::until::all);
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(CrowdTest, WaitsForTheFirstFailureAndOtherwiseForAll) {
  members some_fail;
  some_fail.add(pass(1s));
  some_fail.add(fail_after(2s));
  some_fail.add(pass(3s));
  co_await some_fail.all.wait_until(crowd::until::first_failure);
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_EQ(some_fail.all.first_failed(), &some_fail.handles[1].get());
  EXPECT_EQ(some_fail.all.first_finished(), &some_fail.handles[0].get());
  EXPECT_EQ(text_of(some_fail.handles[1].exception()), "disk full");
  co_await some_fail.all.wait_until(crowd::until::all);

  members none_fails;
  none_fails.add(pass(1s));
  none_fails.add(pass(2s));
  co_await none_fails.all.wait_until(crowd::until::first_failure);
  EXPECT_EQ(now(), time_point{5s});
}

CO_TEST(CrowdTest, ACancelledMemberHasFailed) {
  members m;
  m.add(pass(1h));
  m.add(pass(1h));
  co_await settle();
  m.handles[1].cancel();
  co_await m.all.wait_until(crowd::until::first_failure);
  EXPECT_EQ(m.all.first_failed(), &m.handles[1].get());
  m.all.cancel("enough");
  co_await m.all.wait_until(crowd::until::all);
  EXPECT_TRUE(m.handles[0].was_cancelled());
  EXPECT_EQ(m.handles[0].get().cancel_reason().view(), "enough");
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(CrowdTest, CancellingTheWaiterCancelsAllAndIsDeliveredWhenTheLastHasEnded) {
  std::string log;
  const auto flush = []() -> task<void> { co_await sleep_for(2s); };
  const auto member = [&]() -> task<void> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled& why) {
      log += std::string(why.reason()) + ' ';
    }
    co_await shield(flush());
    log += "flushed ";
    throw cancelled();
  };
  const auto wait = [&]() -> task<void> {
    members m;
    m.add(member());
    m.add(member());
    try {
      co_await m.all.wait_until(crowd::until::first);
    } catch (const cancelled&) {
      log += "waiter";
      EXPECT_EQ(m.all.left(), 0u);
      throw;
    }
  };
  auto waiter = spawn(wait());
  co_await settle();
  waiter.cancel("stop");
  EXPECT_THROW(co_await waiter.join(), cancelled);
  EXPECT_EQ(log, "stop stop flushed flushed waiter");
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(CrowdTest, RunUntilCancelsTheRestAndAwaitsIt) {
  members m;
  m.add(pass(1s));
  m.add(pass(1h));
  co_await m.all.run_until(crowd::until::first, "too late");
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ(m.all.left(), 0u);
  EXPECT_TRUE(m.handles[1].was_cancelled());
  EXPECT_EQ(m.handles[1].get().cancel_reason().view(), "too late");
}

CO_TEST(CrowdTest, RunUntilAwaitsAllEvenInATaskThatWasCancelledBefore) {
  members m;
  m.add(pass(1h));
  m.add(pass(1h));
  co_await settle();
  const auto work = [&]() -> task<void> {
    current_task().cancel();
    co_await m.all.run_until(crowd::until::all, "rest");
    ADD_FAILURE() << "the cancellation was lost";
  };
  auto other = spawn(work());
  EXPECT_THROW(co_await other.join(), cancelled);
  EXPECT_EQ(m.all.left(), 0u);
  EXPECT_TRUE(m.handles[0].was_cancelled());
}

TEST(CrowdTest, SaysWhomItWaitsFor) {
  const auto main = [&]() -> task<void> {
    members m;
    m.add(wait_for_ever(), "reader");
    m.add(wait_for_ever(), "writer");
    co_await m.all.wait_until(crowd::until::all);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "join(reader, writer)");
  EXPECT_EQ(run.verdicts[0].tasks[0].held_by, "");
}

TEST(CrowdTest, ItsLastMemberHoldsTheWaiter) {
  const auto main = [&]() -> task<void> {
    members m;
    m.add(wait_for_ever(), "reader");
    m.add(pass(1s), "writer");
    co_await m.all.wait_until(crowd::until::all);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "join(reader)");
  EXPECT_EQ(run.verdicts[0].tasks[0].held_by, "reader");
}

TEST(CrowdTest, NobodyHoldsAWaiterForTheFirst) {
  const auto main = [&]() -> task<void> {
    members m;
    m.add(wait_for_ever(), "reader");
    co_await m.all.wait_until(crowd::until::first);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "join(reader)");
  EXPECT_EQ(run.verdicts[0].tasks[0].held_by, "");
}

// As when there is no memory for the rest of it.
TEST(CrowdTest, WhenItDiesEarlyItsMembersDoToo) {
  const auto main = []() -> task<void> {
    {
      members m;
      m.add(wait_for_ever(), "reader");
      m.add(wait_for_ever(), "writer");
      co_await yield();
    }
    EXPECT_THAT(current_loop()->alive(), ElementsAre(&current_task()));
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(CrowdTest, ADroppedMemberHasFinished) {
  const auto main = []() -> task<void> {
    members m;
    m.add(pass(1h), "reader");
    m.add(pass(1s), "writer");
    co_await settle();
    { const auto dropped = std::move(m.handles[0]); }
    EXPECT_EQ(m.all.left(), 1u);
    co_await m.all.wait_until(crowd::until::all);
    EXPECT_EQ(now(), time_point{1s});
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
}

}  // namespace
}  // namespace lockstep
