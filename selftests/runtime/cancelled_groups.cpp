// task_group::cancel(), and cancellations that meet in a group.
#include "../sync/schedules.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

CO_TEST(CancelledGroupTest, CancelEndsTheTasksAndTheBodyWithoutAnException) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 2s));
    co_await sleep_for(1s);
    group.cancel("enough");
    try {
      co_await sleep_for(1h);
    } catch (const cancelled& why) {
      log += "body(" + std::string(why.reason()) + ")";
      throw;
    }
  };
  co_await with_task_group(body);
  EXPECT_EQ(log, "body(enough)[enough]");
  EXPECT_EQ(now(), time_point{3s});
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await sleep_for(1s);
}

CO_TEST(CancelledGroupTest, AnyTaskMayCancelItAndOnceIsEnough) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    const auto ends_it = [&]() -> task<void> {
      co_await sleep_for(1s);
      group.cancel();
      group.cancel("again");
      group.cancel();
    };
    group.spawn(until_cancelled(log, 1s));
    group.spawn(ends_it());
    co_await wait_for_ever();
  };
  co_await with_task_group(body);
  EXPECT_EQ(log, "[the group was cancelled]");
  EXPECT_EQ(now(), time_point{2s});
}

// The body asked for it, and returns without an await.
CO_TEST(CancelledGroupTest, ABodyThatCancelsItsGroupMayReturn) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_await yield();
    group.cancel();
  };
  co_await with_task_group(body);
  EXPECT_EQ(log, "[the group was cancelled]");
  co_await yield();
}

CO_TEST(CancelledGroupTest, ABodyThatCatchesTheCancellationOfItsGroupAndReturnsIsDone) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 1s));
    group.spawn(fail_after(1s));
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      log += "caught";
    }
  };
  EXPECT_THROW(co_await with_task_group(body), exception_group);
  EXPECT_EQ(log, "caught[a task of the group failed]");
  const auto cancels = [&](task_group& group) -> task<void> {
    group.cancel();
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
  };
  co_await with_task_group(cancels);
  co_await yield();
}

CO_TEST(CancelledGroupTest, AFailureInTheCleanUpAfterCancelIsThrown) {
  const auto fails_in_clean_up = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      throw std::runtime_error("cannot close");
    }
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(fails_in_clean_up());
    group.spawn(fails_in_clean_up());
    co_await yield();
    group.cancel();
    co_await fails_in_clean_up();
  };
  try {
    co_await with_task_group(body);
    ADD_FAILURE();
  } catch (const exception_group& all) {
    EXPECT_STREQ(all.what(), "3 tasks failed: cannot close; cannot close; cannot close");
  }
  co_await yield();
}

// It is not the group alone that was cancelled: the caller must hear of its own cancellation, in whatever order the two
// come.
TEST(CancelledGroupTest, CancelNeverSwallowsACancellationOfTheCaller) {
  under_every_schedule([]() -> task<void> {
    task_group* made = nullptr;
    bool went_on = false;
    const auto body = [&](task_group& group) -> task<void> {
      made = &group;
      group.spawn(wait_for_ever());
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
        made = nullptr;
        throw;
      }
    };
    const auto work = [&]() -> task<void> {
      co_await with_task_group(body);
      co_await yield();
      went_on = true;
    };
    auto owner = spawn(work());
    bool asked = false;
    const auto ends_group = [&]() -> task<void> {
      co_await yield();
      if (made != nullptr) made->cancel();
    };
    const auto ends_owner = [&]() -> task<void> {
      co_await yield();
      asked = owner.cancel("shutdown");
    };
    while (made == nullptr) co_await yield();
    auto one = spawn(ends_group());
    auto two = spawn(ends_owner());
    co_await one.join();
    co_await two.join();
    std::string reason;
    try {
      co_await owner.join();
    } catch (const cancelled& why) {
      reason = why.reason();
    }
    EXPECT_EQ(reason, asked ? "shutdown" : "");
    EXPECT_EQ(went_on, !asked);
  });
}

// A body that catches both at once cannot tell them apart.
CO_TEST(CancelledGroupTest, ABodyThatCatchesBothCancellationsSwallowsOnlyThatOfTheGroup) {
  for (const bool group_first : {false, true}) {
    for (const bool has_task : {false, true}) {
      task_group* made = nullptr;
      const auto body = [&](task_group& group) -> task<void> {
        made = &group;
        if (has_task) group.spawn(wait_for_ever());
        try {
          co_await wait_for_ever();
        } catch (const cancelled&) {
        }
      };
      auto owner = spawn(with_task_group(body));
      co_await settle();
      if (group_first) made->cancel();
      owner.cancel("shutdown");
      if (!group_first) made->cancel();
      std::string reason;
      try {
        co_await owner.join();
      } catch (const cancelled& why) {
        reason = why.reason();
      }
      EXPECT_EQ(reason, "shutdown");
    }
  }
}

CO_TEST(CancelledGroupTest, CancellingTheCallerWhileACancelledGroupEndsIsDeliveredWhenItHas) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 3s));
    co_await yield();
    group.cancel("enough");
    co_await yield();
  };
  const auto work = [&]() -> task<void> {
    co_await with_task_group(body);
    log += " went on";
  };
  auto owner = spawn(work());
  co_await sleep_for(1s);
  owner.cancel("shutdown");
  EXPECT_THROW(co_await owner.join(), cancelled);
  EXPECT_EQ(log, "[enough]");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(CancelledGroupTest, CancelEndsNestedGroupsAndTimeoutsWithin) {
  std::string log;
  const auto innermost = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_await wait_for_ever();
  };
  const auto outer = [&](task_group& group) -> task<void> {
    const auto limited = [&]() -> task<void> { co_await with_timeout(1h, with_task_group(innermost)); };
    group.spawn(limited());
    co_await sleep_for(1s);
    group.cancel("enough");
    co_await with_timeout(1h, with_task_group(innermost));
  };
  co_await with_timeout(2h, with_task_group(outer));
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ(log, "[the body of the group ended early]");
  co_await yield();
}

CO_TEST(CancelledGroupTest, CancelOfAnInnerGroupEndsNoOuterOne) {
  int done = 0;
  const auto inner = [&](task_group& group) -> task<void> {
    group.cancel();
    co_await wait_for_ever();
  };
  const auto outer = [&](task_group& group) -> task<void> {
    const auto counts = [&]() -> task<void> {
      co_await sleep_for(1s);
      ++done;
    };
    group.spawn(counts());
    co_await with_task_group(inner);
    co_await sleep_for(2s);
    ++done;
  };
  co_await with_task_group(outer);
  EXPECT_EQ(done, 2);
}

CO_TEST(CancelledGroupTest, OneThatIsJoinedByHandIsCancelledTheSameWay) {
  std::string log;
  task_group group;
  group.spawn(until_cancelled(log, 1s));
  co_await yield();
  group.cancel("enough");
  co_await yield();  // there is no body: the task goes on
  co_await group.join();
  EXPECT_EQ(log, "[enough]");
  EXPECT_EQ(group.size(), 0u);
  group.cancel();  // which is late, and no mistake
  co_await yield();
}

TEST(CancelledGroupTest, SpawningIntoACancelledOneIsMisuseAndDestroysTheTask) {
  const auto parameter = std::make_shared<int>(1);
  const auto main = [&]() -> task<void> {
    const auto work = [](std::shared_ptr<int>) -> task<void> { co_return; };
    task_group group;
    group.cancel();
    EXPECT_THROW(group.spawn(work(parameter)), misuse);
    co_await group.join();
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: spawn() into a task_group that is ending: a task failed or the group was cancelled\n");
  EXPECT_EQ(parameter.use_count(), 1);
}

// A cancellation that was on its way when the group began is not taken for one of the group's.
CO_TEST(CancelledGroupTest, ACancellationThatWaitedAlreadyIsNotLostInAGroup) {
  for (const bool fails : {false, true}) {
    bool went_on = false;
    const auto body = [fails](task_group& group) -> task<void> {
      if (fails) throw std::runtime_error("disk full");
      group.cancel();
      co_await wait_for_ever();
    };
    const auto work = [&]() -> task<void> {
      co_await shield(pass(1s));
      try {
        co_await with_task_group(body);
      } catch (const exception_group&) {
      }
      co_await yield();
      went_on = true;
    };
    auto owner = spawn(work());
    co_await settle();
    owner.cancel();
    EXPECT_THROW(co_await owner.join(), cancelled);
    EXPECT_FALSE(went_on);
  }
}

}  // namespace
}  // namespace lockstep
