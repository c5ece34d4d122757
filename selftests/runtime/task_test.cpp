#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

task<int> answer() { co_return 42; }
task<void> nothing() { co_return; }
task<int> fails() {
  co_await yield();
  throw std::runtime_error("disk full");
}

// Counts those alive.
struct counted {
  explicit counted(int& alive) : alive_(&alive) { ++alive; }
  counted(const counted& other) : alive_(other.alive_) { ++*alive_; }
  counted& operator=(const counted&) = delete;
  ~counted() { --*alive_; }
  int* alive_;
};

CO_TEST(TaskTest, IsLazy) {
  bool ran = false;
  const auto body = [&]() -> task<void> {
    ran = true;
    co_return;
  };
  task<void> work = body();
  co_await yield();
  EXPECT_FALSE(ran);
  co_await std::move(work);
  EXPECT_TRUE(ran);
}

CO_TEST(TaskTest, ReturnsValuesOfEveryKind) {
  EXPECT_EQ(co_await answer(), 42);
  co_await nothing();
  const auto unique = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  EXPECT_EQ(*co_await unique(), 7);
  int target = 1;
  const auto reference = [&]() -> task<int&> { co_return target; };
  int& found = co_await reference();
  EXPECT_EQ(&found, &target);
  const auto converted = []() -> task<std::string> { co_return "text"; };
  EXPECT_EQ(co_await converted(), "text");
  const auto constant = [&]() -> task<const int&> { co_return target; };
  EXPECT_EQ(&co_await constant(), &target);
}

CO_TEST(TaskTest, PassesAnExceptionToItsCaller) {
  try {
    co_await fails();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "disk full");
  }
}

CO_TEST(TaskTest, PassesAnExceptionThroughManyFrames) {
  const auto nested = [](auto self, int depth) -> task<int> {
    if (depth == 0) co_return co_await fails();
    co_return co_await self(self, depth - 1) + 1;
  };
  EXPECT_THROW(co_await nested(nested, 100), std::runtime_error);
}

CO_TEST(TaskTest, AwaitingIsACallAndNoSchedulingPoint) {
  std::string order;
  const auto beside = [&]() -> task<void> {
    order += "other ";
    co_return;
  };
  const auto called = [&]() -> task<void> {
    order += "called ";
    co_return;
  };
  auto other = spawn(beside());
  co_await called();
  order += "returned ";
  co_await other.join();
  EXPECT_EQ(order, "called returned other ");
}

CO_TEST(TaskTest, DestroysLocalsBeforeTheCallerGoesOnAndArgumentsWithTheFrame) {
  int alive = 0;
  const auto body = [](counted argument) -> task<int> {
    const counted local(argument);
    co_return *argument.alive_;
  };
  const int seen = co_await body(counted(alive));
  EXPECT_GE(seen, 2);
  EXPECT_EQ(alive, 0);
}

CO_TEST(TaskTest, MovesTheRightToBeAwaited) {
  task<int> first = answer();
  EXPECT_TRUE(first.valid());
  task<int> second = std::move(first);
  EXPECT_FALSE(first.valid());
  EXPECT_TRUE(second.valid());
  task<int> third = answer();
  third.swap(second);
  EXPECT_EQ(co_await std::move(second), 42);
  EXPECT_EQ(co_await std::move(third), 42);
}

CO_TEST(TaskTest, CoInvokeKeepsACapturingLambdaAlive) {
  task<std::string> work = [] {
    const std::string captured(100, 'x');
    return co_invoke(
        [captured](const std::string& more) -> task<std::string> {
          co_await yield();
          co_return captured + more;
        },
        std::string("y"));
  }();
  EXPECT_EQ(co_await std::move(work), std::string(100, 'x') + "y");
}

TEST(TaskTest, OneThatIsNeverAwaitedIsAVerdictThatNamesIt) {
  const auto main = []() -> task<void> {
    { const task<int> forgotten = answer(); }
    co_return;
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unawaited_task));
  EXPECT_EQ(run.verdicts[0].message, "the task of answer() was made and never awaited or spawned");
  EXPECT_EQ(file_of(run.verdicts[0].where), "task_test.cpp");
  EXPECT_TRUE(run.ended);
}

TEST(TaskTest, OneThatIsNeverAwaitedIsToldWithWhoForgotIt) {
  std::uint_least32_t line = 0;
  const auto forgetful = [&]() -> task<void> {
    line = source::current().line() + 1;
    co_await yield();
    const task<int> forgotten = answer();
  };
  const auto main = [&]() -> task<void> {
    auto handle = spawn(forgetful(), "reader");
    co_await handle.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unawaited_task));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  EXPECT_EQ(run.verdicts[0].tasks[0].name, "reader");
  ASSERT_FALSE(run.verdicts[0].tasks[0].stack.empty());
  EXPECT_EQ(run.verdicts[0].tasks[0].stack[0].line(), line);
}

// Its own line would be the library's.
TEST(TaskTest, OneOfTheLibrarysIsToldWithTheUsersLine) {
  std::uint_least32_t line = 0;
  const auto main = [&]() -> task<void> {
    line = source::current().line() + 1;
    co_await yield();
    static_cast<void>(when_all(answer(), answer()));
  };
  const judged_run run = judge(main);
  ASSERT_EQ(run.verdicts.size(), 3u);
  EXPECT_EQ(run.verdicts[0].message, "the task of when_all() was made and never awaited or spawned");
  EXPECT_EQ(run.verdicts[0].where.line(), line);
  EXPECT_EQ(run.verdicts[1].message, "the task of answer() was made and never awaited or spawned");
}

TEST(TaskTest, OverwritingOneThatWasNotAwaitedIsAVerdict) {
  const auto main = []() -> task<void> {
    task<int> work = answer();
    work = answer();
    co_await std::move(work);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::unawaited_task));
}

TEST(TaskTest, OneThatIsAbandonedByAnExceptionIsNoVerdict) {
  const auto main = []() -> task<void> {
    try {
      const task<int> abandoned = answer();
      throw std::runtime_error("x");
    } catch (const std::runtime_error&) {
    }
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(TaskTest, AwaitingTwiceIsMisuse) {
  const auto main = []() -> task<void> {
    task<int> work = answer();
    co_await std::move(work);
    EXPECT_THROW(co_await std::move(work), misuse);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("a task runs once"));
}

TEST(TaskTest, SpawningOneThatWasMovedFromIsMisuse) {
  const auto main = []() -> task<void> {
    task<int> work = answer();
    const task<int> taken = std::move(work);
    EXPECT_THROW(static_cast<void>(spawn(std::move(work))), misuse);
    EXPECT_EQ(co_await const_cast<task<int>&&>(taken), 42);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

TEST(TaskTest, AnUncaughtExceptionOfTheMainTaskIsItsFailure) {
  const auto main = []() -> task<void> { co_await fails(); };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.failure, "disk full");
  EXPECT_EQ(run.messages(), "");
}

TEST(TaskTest, MayBeMadeAndDestroyedWithoutALoop) {
  { const task<int> unused = answer(); }
  EXPECT_EQ(current_loop(), nullptr);
}

TEST(TaskTest, MayOutliveItsWorldUnstarted) {
  std::optional<task<int>> kept;
  {
    const auto main = [&]() -> task<void> {
      kept = answer();
      co_return;
    };
    EXPECT_EQ(judge(main).messages(), "");
  }
  kept.reset();
}

TEST(TaskTest, OneThatOutlivesItsRunIsNoVerdictOfTheNext) {
  std::optional<task<int>> kept;
  const auto make = [&]() -> task<void> {
    kept = answer();
    co_return;
  };
  const auto drop = [&]() -> task<void> {
    kept.reset();
    co_return;
  };
  EXPECT_EQ(judge(make).messages(), "");
  EXPECT_EQ(judge(drop).messages(), "");
}

TEST(TaskTest, OneThatDiesInAnotherRunIsAVerdictOfBoth) {
  std::string inner;
  const auto main = [&]() -> task<void> {
    std::optional<task<int>> kept = answer();
    const auto drop = [&]() -> task<void> {
      kept.reset();
      co_return;
    };
    inner = judge(drop).messages();
    co_return;
  };
  const std::string outer = judge(main).messages();
  EXPECT_EQ(outer, "misuse: the task of answer() was destroyed in another run than its own\n");
  EXPECT_EQ(inner, outer);
}

TEST(TaskTest, MayBeMadeBeforeItsWorld) {
  task<int> early = answer();
  sim::world world;
  EXPECT_EQ(world.run(std::move(early)), 42);
}

}  // namespace
}  // namespace lockstep
