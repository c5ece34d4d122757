#include "../sync/schedules.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

CO_TEST(WhenAllSettledTest, ReturnsWhatEachCameToInTheOrderOfTheArguments) {
  const auto gives_up = []() -> task<int> {
    co_await sleep_for(2s);
    throw cancelled();
  };
  auto [value, nothing, failed, stopped] =
      co_await when_all_settled(value_after(4s, 1), pass(1s), fail_after<int>(3s, "disk full"), gives_up());
  EXPECT_EQ(value.value(), 1);
  EXPECT_TRUE(nothing.has_value());
  EXPECT_EQ(text_of(failed.error()), "disk full");
  EXPECT_TRUE(stopped.was_cancelled());
  EXPECT_EQ(text_of(stopped.error()), "cancelled");
  EXPECT_EQ(now(), time_point{4s});
  co_await yield();
}

CO_TEST(WhenAllSettledTest, TakesAVectorAndNone) {
  std::vector<task<int>> works;
  works.push_back(value_after(2s, 1));
  works.push_back(fail_after<int>(1s, "disk full"));
  works.push_back(value_after(3s, 3));
  const std::vector<result<int>> results = co_await when_all_settled(std::move(works));
  CO_ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].value(), 1);
  EXPECT_EQ(text_of(results[1].error()), "disk full");
  EXPECT_EQ(results[2].value(), 3);
  EXPECT_TRUE((co_await when_all_settled(std::vector<task<void>>())).empty());
}

CO_TEST(WhenAllSettledTest, CancellingTheCallerCancelsAllAndWaits) {
  std::string log;
  const auto work = [&]() -> task<void> {
    static_cast<void>(co_await when_all_settled(until_cancelled<int>(log, 3s), until_cancelled<int>(log, 1s)));
    log += "went on";
  };
  auto handle = spawn(work());
  co_await sleep_for(1s);
  handle.cancel("shutdown");
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "[shutdown][shutdown]");
  EXPECT_EQ(now(), time_point{4s});
}

TEST(WhenAllSettledTest, AFailureDuringTheCancellationOfTheCallerIsAVerdict) {
  const auto main = []() -> task<void> {
    const auto fails = []() -> task<void> {
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
      }
      throw std::runtime_error("flush failed");
    };
    auto handle = spawn(when_all_settled(fails(), wait_for_ever()));
    co_await settle();
    handle.cancel();
    EXPECT_THROW(static_cast<void>(co_await handle.join()), cancelled);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unread_exception));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("flush failed"));
}

CO_TEST(WhenAllSettledTest, ACancellationKeepsTheReasonThatItCameWith) {
  const promise<int> answer;
  future<int> wanted = answer.get_future();
  const auto waits = [&]() -> task<int> { co_return co_await wanted.get(); };
  const auto cancels = [&]() -> task<void> {
    co_await settle();
    wanted.cancel("nobody is left");
  };
  const auto [waited, cancelled_it] = co_await when_all_settled(waits(), cancels());
  EXPECT_TRUE(waited.was_cancelled());
  EXPECT_EQ(text_of(waited.error()), "cancelled: nobody is left");
}

TEST(WhenAllSettledTest, TheReportOfAResultThatThrowsTellsOfTheTask) {
  const auto main = []() -> task<void> {
    auto [failed] = co_await when_all_settled(fail_after(1s));
    failed.value();
  };
  const judged_run run = judge(main);
  ASSERT_TRUE(run.failure_report.has_value());
  ASSERT_EQ(run.failure_report->tasks.size(), 2u);
  EXPECT_THAT(run.failure_report->tasks[1].name, HasSubstr("fail_after"));
}

// However they are ordered: all have ended when it returns, and nothing of what they came to is lost.
TEST(WhenAllSettledTest, LosesNothingUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    int running = 0;
    const auto work = [&](int turns, bool fails) -> task<int> {
      ++running;
      for (int i = 0; i < turns; ++i) co_await yield();
      --running;
      if (fails) throw std::runtime_error("disk full");
      co_return turns;
    };
    auto [one, two, three] = co_await when_all_settled(work(2, false), work(1, true), work(3, false));
    EXPECT_EQ(running, 0);
    EXPECT_EQ(one.value(), 2);
    EXPECT_EQ(text_of(two.error()), "disk full");
    EXPECT_EQ(three.value(), 3);
  });
}

}  // namespace
}  // namespace lockstep
