// Asynchronous generators that are left before their end: closed, dropped, or destroyed with their task or their world.
#include "generators.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

CO_TEST(AbandonedGeneratorsTest, CloseDestroysTheLocalsAndRunsTheCleanUps) {
  std::string log;
  auto items = logged(log, 3);
  co_await items.next();
  co_await items.close();
  EXPECT_EQ(log, "locals second first ");
  EXPECT_EQ(co_await items.next(), nullptr);
  co_await items.close();
  EXPECT_EQ(now(), time_point{2s});
  auto never_begun = logged(log, 3);
  co_await never_begun.close();
  EXPECT_EQ(log, "locals second first ");
}

CO_TEST(AbandonedGeneratorsTest, CloseIsNotInterruptedByACancellation) {
  std::string log;
  const auto read = [&]() -> task<void> {
    auto items = logged(log, 3);
    co_await items.next();
    co_await items.close();
    log += "closed ";
    co_await yield();
  };
  auto reader = spawn(read());
  co_await settle();
  reader.cancel();
  EXPECT_THROW(co_await reader.join(), cancelled);
  EXPECT_EQ(log, "locals second first closed ");
}

CO_TEST(AbandonedGeneratorsTest, OneThatIsDroppedIsCleanedUpByADaemon) {
  std::string log;
  {
    auto items = logged(log, 3);
    co_await items.next();
  }
  EXPECT_EQ(log, "locals ") << "the locals at once";
  const std::vector<agent*> alive = current_loop()->alive();
  CO_ASSERT_EQ(alive.size(), 2u);
  EXPECT_EQ(alive[1]->name(), "clean-up of logged");
  EXPECT_TRUE(alive[1]->daemon());
  co_await sleep_for(3s);
  EXPECT_EQ(log, "locals second first ");
}

// In the main task's very last step, too: its clean-up has not even begun when the run would end.
TEST(AbandonedGeneratorsTest, TheRunEndsWhenTheCleanUpsHave) {
  std::string log;
  const auto main = [&]() -> task<void> {
    auto items = logged(log, 3);
    co_await items.next();
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(log, "locals second first ");
  EXPECT_EQ(run.summary.virtual_time, 2s);
}

TEST(AbandonedGeneratorsTest, ADaemonThatIsCancelledAtTheEndMayStillDropOne) {
  std::string log;
  const auto serve = [](std::string* into) -> task<void> {
    auto items = logged(*into, 3);
    co_await items.next();
    co_await wait_for_ever();
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve(&log));
    co_await settle();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(log, "locals second first ");
}

TEST(AbandonedGeneratorsTest, OneThatDiesWithItsTaskIsCleanedUp) {
  std::string log;
  const auto read = [](std::string& into, duration pause) -> task<void> {
    auto items = logged(into, 3, pause);
    co_await items.next();
    co_await wait_for_ever();
  };
  for (const duration pause : {duration{}, duration{1h}}) {  // at a co_yield, and at an await
    log.clear();
    const auto main = [&]() -> task<void> {
      {
        const auto dropped = spawn(read(log, pause));
        co_await settle();
      }
      co_await sleep_for(5s);
      EXPECT_EQ(log, "locals second first ");
    };
    EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
  }
}

TEST(AbandonedGeneratorsTest, WhatIsLeftOfCleanUpsGoesToTheLoopWhenTheirTaskDies) {
  std::string log;
  const auto read = [](std::string& into) -> task<void> {
    auto items = logged(into, 3);
    co_await items.next();
    co_await items.close();
  };
  const auto main = [&]() -> task<void> {
    {
      const auto dropped = spawn(read(log));
      co_await sleep_for(1500ms);  // the second clean-up has ended, and the first is under way
    }
    co_await sleep_for(5s);
    EXPECT_EQ(log, "locals second ") << "what was under way has died with its task";
    log.clear();
    {
      const auto dropped = spawn(read(log));
      co_await sleep_for(500ms);
    }
    co_await sleep_for(5s);
    EXPECT_EQ(log, "locals first ");
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle, verdict_kind::dropped_handle));
}

TEST(AbandonedGeneratorsTest, AFailureOfADroppedOnesCleanUpIsAVerdict) {
  const auto main = []() -> task<void> {
    auto items = badly_closed(false, 1);
    co_await items.next();
  };
  EXPECT_EQ(judge(main).messages(), "unhandled exception: daemon \"clean-up of badly_closed\" failed: no goodbye\n");
}

TEST(AbandonedGeneratorsTest, ACleanUpThatDoesNotEndIsAVerdict) {
  const auto for_ever = []() -> async_generator<int> {
    on_close(wait_for_ever);
    co_yield 1;
  };
  const auto main = [&]() -> task<void> {
    auto items = for_ever();
    co_await items.next();
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::leaked_task));
  EXPECT_THAT(run.messages(), HasSubstr("daemon \"clean-up of "));
  EXPECT_THAT(run.messages(), HasSubstr("\" did not end\n"));
}

// Counts the closures of clean-ups that live.
struct counted {
  explicit counted(int& in) noexcept : alive(&in) { ++*alive; }
  counted(counted&& other) noexcept : alive(other.alive) { ++*alive; }
  counted& operator=(counted&&) = delete;
  ~counted() { --*alive; }
  int* alive;
  task<void> operator()() const {
    ADD_FAILURE() << "no task may run any more";
    return pass(0s);
  }
};

async_generator<int> owning(int& alive) {
  on_close(counted(alive));
  EXPECT_EQ(alive, 1);
  co_yield 1;
}

TEST(AbandonedGeneratorsTest, OneThatDiesWithItsWorldOnlyDestroysItsClosures) {
  int alive = 0;
  const auto main = [&]() -> task<void> {
    auto items = owning(alive);
    co_await items.next();
    co_await wait_for_ever();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(alive, 0);
}

TEST(AbandonedGeneratorsTest, MayOutliveItsRunAndIsNotCleanedUpInAnother) {
  int alive = 0;
  std::unique_ptr<async_generator<int>> kept;
  const auto main = [&]() -> task<void> {
    kept = std::make_unique<async_generator<int>>(owning(alive));
    co_await kept->next();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(alive, 1);
  const auto another = [&]() -> task<void> {
    kept.reset();
    co_return;
  };
  EXPECT_EQ(judge(another).messages(), "");
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(judge(main).messages(), "");
  kept.reset();
  EXPECT_EQ(alive, 0);
}

TEST(AbandonedGeneratorsTest, OneThatHasNotBegunDiesUnseen) {
  std::string log;
  const auto main = [&]() -> task<void> {
    const auto unused = logged(log, 3);
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(log, "");
}

}  // namespace
}  // namespace lockstep
