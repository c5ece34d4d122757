// asyncio.TaskGroup and exception groups.
#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

task<void> fails_in_clean_up(std::string text) {
  try {
    co_await wait_for_ever();
  } catch (const cancelled&) {
    throw std::invalid_argument(text);
  }
}

// What leaves the group: "done", "cancelled", or what the group of exceptions says.
task<std::string> outcome_of(task<void> group) {
  const result<void> got = co_await as_result(std::move(group));
  co_return got.has_value() ? "done" : text_of(got.error());
}

CO_TEST(AsyncioTaskGroupTest, WaitsForAllItsTasksAndEndsWithoutAnException) {
  int done = 0;
  const auto counts = [&](duration length) -> task<void> {
    co_await sleep_for(length);
    ++done;
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(counts(1s));
    group.spawn(counts(2s));
    EXPECT_EQ(group.size(), 2u);
    co_return;
  };
  co_await with_task_group(body);
  EXPECT_EQ(done, 2);
  EXPECT_EQ(now(), time_point{2s});
}

// Behaviour 60.
CO_TEST(AsyncioTaskGroupTest, AChildsErrorCancelsTheSiblingsAndTheBodyAndOnlyErrorsAreGrouped,
        .order = ordering::fifo) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    group.spawn(fail_after(1s));
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      log += "[body]";
      throw;
    }
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "1 task failed: disk full");
  EXPECT_EQ(log, "[body][a task of the group failed]");
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

// Behaviour 61.
CO_TEST(AsyncioTaskGroupTest, ACancelledBodyThatRaisesAnotherErrorIsGroupedToo) {
  const auto body = [](task_group& group) -> task<void> {
    group.spawn(fail_after(1s));
    group.spawn(fails_in_clean_up("no route"));
    co_await fails_in_clean_up("cannot close");
  };
  const result<void> got = co_await as_result(with_task_group(body));
  try {
    got.value();
    ADD_FAILURE();
  } catch (const exception_group& all) {
    EXPECT_EQ(all.exceptions().size(), 3u);
    EXPECT_EQ(all.subgroup<std::invalid_argument>()->exceptions().size(), 2u);
    EXPECT_STREQ(all.split<std::invalid_argument>().rest->what(), "1 task failed: disk full");
  }
}

CO_TEST(AsyncioTaskGroupTest, ACancelledChildIsNoErrorAndLeavesTheOthersAlone) {
  int done = 0;
  const auto counts = [&]() -> task<void> {
    co_await sleep_for(2s);
    ++done;
  };
  const auto body = [&](task_group& group) -> task<void> {
    agent& stopped = group.spawn(wait_for_ever());
    group.spawn(counts());
    co_await sleep_for(1s);
    stopped.cancel();
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "done");
  EXPECT_EQ(done, 1);
}

CO_TEST(AsyncioTaskGroupTest, AnErrorOfTheBodyCancelsTheTasksAndIsGrouped, .order = ordering::fifo) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 1s));
    co_await yield();
    throw std::runtime_error("bad address");
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "1 task failed: bad address");
  EXPECT_EQ(log, "[the body of the group ended early]");
}

// Behaviour 64. Before it is entered there is nothing to spawn into, but for the group that is joined by hand, which is
// open from the beginning.
TEST(AsyncioTaskGroupTest, SpawningAfterTheEndOrWhileItIsEndingIsMisuseAndClosesTheCoroutine) {
  const auto parameter = std::make_shared<int>(1);
  const auto main = [&]() -> task<void> {
    const auto work = [](std::shared_ptr<int>) -> task<void> { co_return; };
    task_group finished;
    finished.spawn(work(parameter));
    co_await finished.join();
    EXPECT_THROW(finished.spawn(work(parameter)), misuse);
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(fail_after(1s));
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
        EXPECT_THROW(group.spawn(work(parameter)), misuse);
        throw;
      }
    };
    EXPECT_THROW(co_await with_task_group(body), exception_group);
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: spawn() into a task_group that has been joined\n"
            "misuse: spawn() into a task_group that is ending: a task failed or the group was cancelled\n");
  EXPECT_EQ(parameter.use_count(), 1);
}

// Behaviour 65, of the tasks; that of the requests to cancel is looked at in the tests about errors.
CO_TEST(AsyncioTaskGroupTest, TheCountReturnsToZero) {
  task_group group;
  for (int i = 1; i <= 3; ++i) group.spawn(pass(std::chrono::seconds(i)));
  EXPECT_EQ(group.size(), 3u);
  co_await sleep_for(2500ms);
  EXPECT_EQ(group.size(), 1u);
  co_await group.join();
  EXPECT_EQ(group.size(), 0u);
}

CO_TEST(AsyncioTaskGroupTest, ChildrenMaySpawnIntoIt) {
  int done = 0;
  std::function<task<void>(task_group&, int)> grow;
  grow = [&](task_group& group, int depth) -> task<void> {
    co_await sleep_for(1s);
    ++done;
    if (depth > 0) {
      group.spawn(grow(group, depth - 1));
      group.spawn(grow(group, depth - 1));
    }
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(grow(group, 3));
    co_return;
  };
  co_await with_task_group(body);
  EXPECT_EQ(done, 15);
  EXPECT_EQ(now(), time_point{4s});
}

CO_TEST(AsyncioTaskGroupTest, NestedGroupsFailNested) {
  const auto inner = [](task_group& group) -> task<void> {
    group.spawn(fail_after(1s, "inner"));
    group.spawn(fails_in_clean_up("inner clean-up"));
    co_return;
  };
  const auto outer = [&](task_group& group) -> task<void> {
    group.spawn(fails_in_clean_up("outer clean-up"));
    co_await with_task_group(inner);
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(outer)),
            "2 tasks failed: outer clean-up; (2 tasks failed: inner; inner clean-up)");
}

CO_TEST(AsyncioTaskGroupTest, AGroupInATimeoutInAGroup) {
  std::string log;
  const auto inner = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 1s));
    co_await wait_for_ever();
  };
  const auto outer = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_await with_timeout(1s, with_task_group(inner));
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(outer)), "1 task failed: timed out after 1 s");
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_EQ(log, "[the body of the group ended early][the body of the group ended early]");
}

// -- a cancellation of the caller -------------------------------------------------------------------------------------

CO_TEST(AsyncioTaskGroupTest, CancellingTheCallerEndsAllAndIsDeliveredWhenTheyHave) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 2s));
    co_await wait_for_ever();
  };
  auto handle = spawn(with_task_group(body));
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(now(), time_point{2s});
}

// asyncio's uncancel() and cancel(): errors are told first, and the cancellation is not lost.
CO_TEST(AsyncioTaskGroupTest, ACancellationOfTheCallerBesideAnErrorIsPreserved) {
  std::string log;
  const auto body = [](task_group& group) -> task<void> {
    group.spawn(fails_in_clean_up("cannot close"));
    co_await wait_for_ever();
  };
  const auto caller = [&]() -> task<void> {
    try {
      co_await with_task_group(body);
    } catch (const exception_group& all) {
      log += all.what();
      EXPECT_EQ(current_task().cancelling(), 1u);
    }
    co_await yield();
    log += " went on";
  };
  auto handle = spawn(caller());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "1 task failed: cannot close");
}

TEST(AsyncioTaskGroupTest, NoErrorAndNoCancellationIsLostUnderEverySchedule) {
  for (const int fails : {0, 1, 2}) {
    under_every_schedule([fails]() -> task<void> {
      int running = 0;
      int thrown = 0;
      const auto work = [&](bool fail) -> task<void> {
        struct counted {
          int& of;
          explicit counted(int& count) : of(count) { ++of; }
          ~counted() { --of; }
        };
        const counted one(running);
        try {
          for (int i = 0; i < 3; ++i) co_await yield();
        } catch (const cancelled&) {
          if (!fail) throw;
        }
        if (fail) {
          ++thrown;
          throw std::runtime_error("disk full");
        }
      };
      const auto body = [&](task_group& group) -> task<void> {
        for (int i = 0; i < 3; ++i) group.spawn(work(i < fails));
        for (int i = 0; i < 3; ++i) co_await yield();
      };
      std::size_t told = 0;
      bool went_on = false;
      const auto caller = [&]() -> task<void> {
        try {
          co_await with_task_group(body);
        } catch (const exception_group& all) {
          told = all.exceptions().size();
        } catch (const cancelled&) {
          EXPECT_EQ(running, 0);
          throw;
        }
        EXPECT_EQ(running, 0);
        co_await yield();
        went_on = true;
      };
      auto handle = spawn(caller());
      for (int i = 0; i < 3; ++i) co_await yield();
      const bool asked = handle.cancel();
      EXPECT_EQ(co_await was_cancelled(handle), asked);
      EXPECT_EQ(went_on, !asked);
      EXPECT_EQ(told, static_cast<std::size_t>(thrown));
      EXPECT_EQ(running, 0);
    });
  }
}

// -- cancel(), 3.15 (gh-108951) ---------------------------------------------------------------------------------------

CO_TEST(AsyncioTaskGroupTest, CancelEndsTheGroupWithoutAnException) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_await sleep_for(1s);
    group.cancel();
    co_await wait_for_ever();
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "done");
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ(log, "[the group was cancelled]");
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

CO_TEST(AsyncioTaskGroupTest, CancelByAChildEndsItTheSameWay) {
  const auto body = [](task_group& group) -> task<void> {
    const auto first_answer = [&]() -> task<void> {
      co_await sleep_for(1s);
      group.cancel();
    };
    group.spawn(wait_for_ever());
    group.spawn(first_answer());
    co_await wait_for_ever();
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "done");
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(AsyncioTaskGroupTest, CancelIsIdempotentAndHarmlessAfterTheEnd) {
  task_group group;
  group.spawn(wait_for_ever());
  co_await yield();
  group.cancel();
  group.cancel();
  co_await group.join();
  group.cancel();
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

CO_TEST(AsyncioTaskGroupTest, ErrorsInTheCleanUpAfterCancelAreKept, .order = ordering::fifo) {
  const auto body = [](task_group& group) -> task<void> {
    group.spawn(fails_in_clean_up("cannot close"));
    co_await yield();
    group.cancel();
    co_await wait_for_ever();
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "1 task failed: cannot close");
}

CO_TEST(AsyncioTaskGroupTest, AnErrorBeforeCancelIsKept) {
  const auto body = [](task_group& group) -> task<void> {
    group.spawn(fail_after(0s));
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      group.cancel();
      throw;
    }
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "1 task failed: disk full");
}

// The correction of its first version (#155433): the cancellation of the caller is not swallowed with that of the
// group.
CO_TEST(AsyncioTaskGroupTest, CancelDoesNotSwallowTheCancellationOfTheCaller) {
  for (const bool group_first : {false, true}) {
    task_group* made = nullptr;
    const auto body = [&](task_group& group) -> task<void> {
      made = &group;
      group.spawn(wait_for_ever());
      co_await wait_for_ever();
    };
    auto handle = spawn(with_task_group(body));
    co_await settle();
    if (group_first) made->cancel();
    handle.cancel("shutdown");
    if (!group_first) made->cancel();
    const auto joins = [&]() -> task<void> { co_await handle.join(); };
    EXPECT_EQ(co_await outcome_of(joins()), "cancelled: shutdown");
  }
}

// -- exception groups -------------------------------------------------------------------------------------------------

// asyncio: what a block has is there until its tasks have ended.
CO_TEST(AsyncioTaskGroupTest, UnlikeThoseOfABlockTheLocalsOfABodyEndBeforeItsTasks) {
  struct local {
    bool& gone;
    ~local() { gone = true; }
  };
  bool gone = false;
  bool gone_when_the_task_ended = false;
  const auto work = [&]() -> task<void> {
    co_await sleep_for(1s);
    gone_when_the_task_ended = gone;
  };
  const auto body = [&](task_group& group) -> task<void> {
    const local of_the_body{gone};
    group.spawn(work());
    co_return;
  };
  co_await with_task_group(body);
  EXPECT_TRUE(gone_when_the_task_ended);
}

CO_TEST(AsyncioTaskGroupTest, ExceptStarTakesOneKindAndPassesTheRestOn) {
  const auto body = [](task_group& group) -> task<void> {
    group.spawn(fails_in_clean_up("cannot close"));
    group.spawn(fail_after(1s));
    co_return;
  };
  std::string log;
  const auto handles_one_kind = [&]() -> task<void> {
    try {
      co_await with_task_group(body);
    } catch (const exception_group& all) {
      const auto rest = all.visit<std::invalid_argument>([&](const std::invalid_argument& why) { log += why.what(); });
      if (rest) throw *rest;
    }
  };
  EXPECT_EQ(co_await outcome_of(handles_one_kind()), "1 task failed: disk full");
  EXPECT_EQ(log, "cannot close");
}

}  // namespace
}  // namespace lockstep
