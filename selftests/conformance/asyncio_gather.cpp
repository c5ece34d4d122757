// asyncio.gather, as when_all(), when_all_settled() and shared_task.
#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Behaviour 41 and the rule of the argument order.
CO_TEST(AsyncioGatherTest, ResultsComeInTheOrderOfTheArgumentsNotOfTheEnds) {
  std::vector<task<int>> works;
  for (const int each : {3, 1, 2}) works.push_back(value_after(std::chrono::seconds(each), each));
  EXPECT_THAT(co_await when_all(std::move(works)), ElementsAre(3, 1, 2));
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(AsyncioGatherTest, ADuplicateRunsOnceAndItsResultIsRepeated) {
  int runs = 0;
  const auto work = [&]() -> task<int> {
    co_await sleep_for(1s);
    co_return ++runs;
  };
  const shared_task once(work());
  const auto [a, b, c] = co_await when_all(once, value_after(2s, 7), once);
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 7);
  EXPECT_EQ(c, 1);
  const auto [again, settled] = co_await when_all_settled(once, once);
  EXPECT_EQ(again.value() + settled.value(), 2);
  EXPECT_EQ(runs, 1);
}

CO_TEST(AsyncioGatherTest, OfNothingIsDoneAtOnce) {
  EXPECT_TRUE((co_await when_all(std::vector<task<int>>())).empty());
  EXPECT_TRUE((co_await when_all_settled(std::vector<task<int>>())).empty());
  EXPECT_EQ(now(), time_point{});
}

// On purpose: asyncio's gather throws at once and leaves the siblings running, which nobody owns then.
CO_TEST(AsyncioGatherTest, AnErrorCancelsTheSiblingsAndIsThrownWhenTheyHaveEnded) {
  std::string log;
  EXPECT_THROW(co_await when_all(fail_after(1s), until_cancelled(log, 2s)), std::runtime_error);
  EXPECT_EQ(log, "[another task of when_all failed]");
  EXPECT_EQ(now(), time_point{3s});
}

// What gather does with its siblings is what the form that collects does.
CO_TEST(AsyncioGatherTest, WithReturnExceptionsAnErrorLeavesTheSiblingsAlone) {
  auto [failed, value] = co_await when_all_settled(fail_after<int>(1s), value_after(2s, 5));
  EXPECT_EQ(text_of(failed.error()), "disk full");
  EXPECT_EQ(value.value(), 5);
  EXPECT_EQ(now(), time_point{2s});
}

task<int> stopped_by_another(agent*& itself) {
  itself = &current_task();
  co_await wait_for_ever();
  co_return 0;
}

// Behaviour 42.
CO_TEST(AsyncioGatherTest, ACancelledChildIsAnErrorOfTheGatherWhichIsNotCancelledItself) {
  agent* child = nullptr;
  const auto stops_it = [&]() -> task<void> {
    co_await sleep_for(1s);
    child->cancel();
  };
  auto stopper = spawn(stops_it());
  EXPECT_THROW(co_await when_all(stopped_by_another(child), wait_for_ever()), cancelled);
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();  // nothing is delivered: this task goes on
  co_await stopper.join();

  auto stops_again = spawn(stops_it());
  auto [stopped, value] = co_await when_all_settled(stopped_by_another(child), value_after(2s, 5));
  EXPECT_TRUE(stopped.was_cancelled());
  EXPECT_EQ(value.value(), 5);
  co_await stops_again.join();
}

// Behaviour 43.
CO_TEST(AsyncioGatherTest, CancellingItAfterItsChildrenHaveFinishedReturnsFalseAndTheResultStands) {
  std::vector<task<int>> works;
  works.push_back(value_after(1s, 42));
  auto gathered = spawn(when_all(std::move(works)));
  co_await sleep_for(2s);
  EXPECT_FALSE(gathered.cancel());
  EXPECT_THAT(co_await gathered.join(), ElementsAre(42));
}

CO_TEST(AsyncioGatherTest, CancellingItCancelsEveryChild) {
  std::string log;
  auto gathered = spawn(when_all(until_cancelled(log), until_cancelled(log)));
  co_await settle();
  EXPECT_TRUE(gathered.cancel("stop"));
  EXPECT_THROW(co_await gathered.join(), cancelled);
  EXPECT_EQ(log, "[stop][stop]");
}

// Behaviour 44.
CO_TEST(AsyncioGatherTest, CancellingItOverridesReturnExceptions) {
  bool returned = false;
  const auto gathers = [&]() -> task<void> {
    static_cast<void>(co_await when_all_settled(wait_for_ever(), wait_for_ever()));
    returned = true;
  };
  auto gathered = spawn(gathers());
  co_await settle();
  EXPECT_TRUE(gathered.cancel());
  EXPECT_THROW(co_await gathered.join(), cancelled);
  EXPECT_FALSE(returned);
}

// The rules of safety: whatever the order, all have ended when it returns, and the first error is told. (An error that
// comes while the caller is being cancelled is a verdict: when_all_test.cpp.)
TEST(AsyncioGatherTest, NothingRunsOnAndTheErrorIsThrownUnderEverySchedule) {
  for (const bool cancel : {false, true}) {
    under_every_schedule([cancel]() -> task<void> {
      int running = 0;
      const auto work = [&](int turns) -> task<int> {
        struct counted {
          int& of;
          explicit counted(int& count) : of(count) { ++of; }
          ~counted() { --of; }
        };
        const counted one(running);
        for (int i = 0; i < turns; ++i) co_await yield();
        if (turns == 2 && !cancel) throw std::runtime_error("disk full");
        co_return turns;
      };
      const auto gathers = [&]() -> task<std::string> {
        try {
          co_await when_all(work(3), work(2), work(1));
        } catch (const std::runtime_error& why) {
          EXPECT_EQ(running, 0);
          co_return why.what();
        } catch (const cancelled&) {
          EXPECT_EQ(running, 0);
          throw;
        }
        co_return "returned";
      };
      auto gathered = spawn(gathers());
      if (cancel) {
        co_await yield();
        co_await yield();
        static_cast<void>(gathered.cancel());
      }
      const auto joins = [&]() -> task<std::string> { co_return co_await gathered.join(); };
      const result<std::string> got = co_await as_result(joins());
      EXPECT_EQ(running, 0);
      EXPECT_TRUE(cancel ? got.was_cancelled() || got.value() == "returned" : got.value() == "disk full");
    });
  }
}

}  // namespace
}  // namespace lockstep
