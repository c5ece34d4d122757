#include "../sync/schedules.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

CO_TEST(AsCompletedTest, YieldsTheHandlesInTheOrderOfTheEnds) {
  std::vector<join_handle<int>> handles;
  for (const int seconds : {3, 1, 2}) handles.push_back(spawn(value_after(std::chrono::seconds(seconds), seconds)));
  as_completed ends(handles);
  EXPECT_EQ(ends.left(), 3u);
  std::string order;
  while (join_handle<int>* const each = co_await ends.next()) {
    order += std::to_string(each->result());
    EXPECT_EQ(now(), time_point{std::chrono::seconds(each == &handles[0] ? 3 : each == &handles[1] ? 1 : 2)});
  }
  EXPECT_EQ(order, "123");
  EXPECT_EQ(ends.left(), 0u);
  EXPECT_EQ(co_await ends.next(), nullptr);
}

CO_TEST(AsCompletedTest, RunsAndOwnsTasks) {
  std::vector<task<int>> works;
  works.push_back(value_after(2s, 2));
  works.push_back(fail_after<int>(1s, "disk full"));
  as_completed<int> ends(std::move(works));
  join_handle<int>* each = co_await ends.next();
  EXPECT_EQ(text_of(each->exception()), "disk full");
  each = co_await ends.next();
  EXPECT_EQ(each->result(), 2);
  EXPECT_EQ(co_await ends.next(), nullptr);
}

CO_TEST(AsCompletedTest, OfNoneEndsAtOnce) {
  as_completed<int> ends{std::vector<task<int>>()};
  EXPECT_EQ(co_await ends.next(), nullptr);
}

CO_TEST(AsCompletedTest, AsksTheRestToStopAndYieldsThemToo) {
  std::string log;
  std::vector<task<int>> works;
  works.push_back(until_cancelled<int>(log));
  works.push_back(value_after(1s, 1));
  as_completed<int> ends(std::move(works));
  EXPECT_EQ((co_await ends.next())->result(), 1);
  ends.cancel("enough");
  EXPECT_TRUE((co_await ends.next())->was_cancelled());
  EXPECT_EQ(log, "[enough]");
}

CO_TEST(AsCompletedTest, ATimedFormThrowsAndLosesNothing) {
  std::vector<task<int>> works;
  works.push_back(value_after(2s, 2));
  works.push_back(value_after(3s, 3));
  as_completed<int> ends(std::move(works));
  EXPECT_THROW(co_await ends.next_for(1s), timed_out);
  EXPECT_EQ((co_await ends.next_for(5s))->result(), 2);
  EXPECT_THROW(co_await ends.next_until(time_point{2500ms}), timed_out);
  EXPECT_EQ(now(), time_point{2500ms});
  EXPECT_EQ((co_await ends.next())->result(), 3);
}

CO_TEST(AsCompletedTest, ALimitMayLieBeyondTheEndsOfTime) {
  std::vector<task<int>> works;
  works.push_back(value_after(24h * 300, 2));
  as_completed<int> ends(std::move(works));
  co_await sleep_for(1s);
  EXPECT_THROW(co_await ends.next_for(std::chrono::hours::min()), timed_out);
  EXPECT_THROW(co_await ends.next_until(time_point::min()), timed_out);
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ((co_await ends.next_for(std::chrono::hours::max()))->result(), 2);
}

CO_TEST(AsCompletedTest, CancellingTheWaiterLeavesTheTasksAlone) {
  std::vector<join_handle<int>> handles;
  handles.push_back(spawn(value_after(2s, 2)));
  const auto reads = [&]() -> task<void> {
    as_completed ends(handles);
    co_await ends.next();
  };
  auto reader = spawn(reads());
  co_await settle();
  reader.cancel();
  EXPECT_THROW(co_await reader.join(), cancelled);
  EXPECT_EQ(co_await handles[0].join(), 2);
}

TEST(AsCompletedTest, TasksThatItOwnsAndThatStillRunWhenItDiesAreAVerdict) {
  const auto main = []() -> task<void> {
    std::vector<task<void>> works;
    works.push_back(wait_for_ever());
    as_completed<void> ends(std::move(works));
    co_await settle();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
}

TEST(AsCompletedTest, AnExceptionThatNobodyReadsIsAVerdict) {
  const auto main = []() -> task<void> {
    std::vector<task<void>> works;
    works.push_back(fail_after(1s));
    as_completed<void> ends(std::move(works));
    co_await ends.next();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::unread_exception));
}

TEST(AsCompletedTest, YieldsEachOnceUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    const auto turns = [](int count) -> task<int> {
      for (int i = 0; i < count; ++i) co_await yield();
      co_return 1 << count;
    };
    std::vector<task<int>> works;
    for (const int each : {2, 0, 1, 3}) works.push_back(turns(each));
    as_completed<int> ends(std::move(works));
    int seen = 0;
    while (join_handle<int>* const each = co_await ends.next()) {
      EXPECT_TRUE(each->done());
      seen += each->result();
    }
    EXPECT_EQ(seen, 15);
  });
}

}  // namespace
}  // namespace lockstep
