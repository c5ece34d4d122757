#include "schedules.hpp"

#include <lockstep/report/text.hpp>
#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Passes the points, whose names are separated by spaces, and says so.
task<void> pass(std::string& log, std::string points) {
  std::istringstream names(points);
  for (std::string name; names >> name;) {
    co_await point(name);
    log += name + " ";
  }
}

CO_TEST(PointTest, OutsideOfAnOrderHoldsNobodyUp) {
  std::string log;
  co_await pass(log, "a b");
  EXPECT_EQ(log, "a b ");
}

CO_TEST(PointTest, DeliversCancellation) {
  std::string log;
  const auto work = [&]() -> task<void> {
    current_task().cancel();
    co_await pass(log, "a");
  };
  auto cancelled_task = spawn(work());
  EXPECT_TRUE(co_await was_cancelled(cancelled_task));
  EXPECT_EQ(log, "");
}

CO_TEST(OrderTest, MakesTasksPassAsItIsWritten) {
  std::string log;
  auto reader = spawn(pass(log, "r1 r2"));
  auto writer = spawn(pass(log, "w1 w2"));
  order steps("w1", "r1", "w2", "r2");
  EXPECT_FALSE(steps.complete());
  co_await reader.join();
  co_await writer.join();
  EXPECT_TRUE(steps.complete());
  EXPECT_EQ(log, "w1 r1 w2 r2 ");
}

TEST(OrderTest, HoldsUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    std::string log;
    auto reader = spawn(pass(log, "r1 free r2"));
    auto writer = spawn(pass(log, "w1 free w2"));
    order steps("w1", "r1", "w2", "r2");
    co_await reader.join();
    co_await writer.join();
    EXPECT_TRUE(steps.complete());
    std::string named = log;
    for (std::size_t at; (at = named.find("free ")) != std::string::npos;) named.erase(at, 5);
    EXPECT_EQ(named, "w1 r1 w2 r2 ");
  });
}

CO_TEST(OrderTest, PointsThatItDoesNotNameAreFree) {
  std::string log;
  auto other = spawn(pass(log, "free a"));
  order steps("b", "a");
  co_await settle();
  EXPECT_EQ(log, "free ");
  co_await pass(log, "b b");
  co_await other.join();
  EXPECT_EQ(log, "free b b a ");
}

CO_TEST(OrderTest, ANameMayComeSeveralTimes) {
  std::string log;
  auto first = spawn(pass(log, "a a a"));
  auto second = spawn(pass(log, "b b"));
  order steps("a", "b", "a", "b", "a");
  co_await first.join();
  co_await second.join();
  EXPECT_EQ(log, "a b a b a ");
}

CO_TEST(OrderTest, OfTwoTasksAtOnePointTheFirstPassesWhereItIsNamedOnceMore) {
  std::string log;
  auto first = spawn(pass(log, "a first"));
  auto second = spawn(pass(log, "a second"));
  order steps("start", "a", "between", "a");
  co_await settle();
  co_await point("start");
  co_await settle();
  EXPECT_EQ(log, "a first ");
  co_await point("between");
  co_await first.join();
  co_await second.join();
  EXPECT_EQ(log, "a first a second ");
}

CO_TEST(OrderTest, OfTwoTasksAtOnePointTheSecondIsFreeWhereItIsNotNamedAgain) {
  std::string log;
  auto first = spawn(pass(log, "a"));
  auto second = spawn(pass(log, "a"));
  order steps("start", "a", "end");
  co_await settle();
  co_await point("start");
  co_await first.join();
  co_await second.join();
  EXPECT_EQ(log, "a a ");
  co_await point("end");
}

CO_TEST(OrderTest, ATaskCancelledAtAPointLeavesItToAnother) {
  std::string log;
  order steps("start", "a", "end");
  auto gone = spawn(pass(log, "a"));
  co_await settle();
  gone.cancel();
  EXPECT_TRUE(co_await was_cancelled(gone));
  co_await point("start");
  EXPECT_FALSE(steps.complete());
  co_await pass(log, "a end");
  EXPECT_EQ(log, "a end ");
}

CO_TEST(OrderTest, ATaskCancelledWhenItsTurnHasComeLeavesItToAnother) {
  std::string log;
  order steps("start", "a", "end");
  auto gone = spawn(pass(log, "a"));
  auto second = spawn(pass(log, "a end"));
  co_await settle();
  co_await point("start");
  gone.cancel();
  EXPECT_TRUE(co_await was_cancelled(gone));
  co_await second.join();
  EXPECT_EQ(log, "a end ");
  EXPECT_TRUE(steps.complete());
}

CO_TEST(OrderTest, ATaskWhoseTurnHasComeNeedNotHaveRunWhenTheOrderEnds) {
  std::string log;
  std::optional<join_handle<void>> second;
  {
    order steps("a", "b");
    second.emplace(spawn(pass(log, "b")));
    co_await settle();
    co_await point("a");
  }
  co_await second->join();
  EXPECT_EQ(log, "b ");
}

CO_TEST(OrderTest, AnotherMayFollowWhenItHasEnded) {
  std::string log;
  {
    order steps("a", "b");
    co_await pass(log, "a b");
  }
  order steps("b", "a");
  co_await pass(log, "b a");
  EXPECT_TRUE(steps.complete());
}

TEST(OrderTest, SaysWhichPointWasNeverReachedAndWhereItIsWritten) {
  unsigned line = 0;
  const auto main = [&]() -> task<void> {
    std::string log;
    line = source::current().line() + 1;
    order steps("a", std::string("b"), "c");
    co_await pass(log, "a");
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unreached_point));
  EXPECT_EQ(run.verdicts[0].message, "point \"b\" was never reached, number 2 of 3 in the order");
  EXPECT_EQ(file_of(run.verdicts[0].where), "point_test.cpp");
  EXPECT_EQ(run.verdicts[0].where.line(), line);
}

TEST(OrderTest, KnowsItsLineHoweverItIsMade) {
  std::vector<unsigned> lines;
  const auto main = [&]() -> task<void> {
    {
      lines.push_back(source::current().line() + 1);
      order one("a");
    }
    {
      lines.push_back(source::current().line() + 1);
      order several(std::vector<std::string>{"a", "b"});
    }
    {
      const std::string_view name = "a";
      lines.push_back(source::current().line() + 1);
      order views(name, name);
    }
    co_return;
  };
  const judged_run run = judge(main);
  ASSERT_EQ(run.verdicts.size(), 3u);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(run.verdicts[i].where.line(), lines[i]);
}

TEST(OrderTest, SaysWhoWaitsForThePointThatWasNotReached) {
  const auto main = []() -> task<void> {
    std::string log;
    std::optional<join_handle<void>> reader;
    {
      order steps("a", "b", "c");
      reader.emplace(spawn(pass(log, "c"), "reader"));
      co_await pass(log, "a");
      co_await settle();
    }
    co_await reader->join();
    EXPECT_EQ(log, "a c ") << "who waited goes on when the order has ended";
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unreached_point));
  EXPECT_EQ(run.verdicts[0].message,
            "point \"b\" was never reached, number 2 of 3 in the order; task \"reader\" waits for it at \"c\"");
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  EXPECT_EQ(run.verdicts[0].tasks[0].name, "reader");
}

TEST(OrderTest, ShowsANameThatIsMisspeltInTheCode) {
  const auto main = []() -> task<void> {
    std::string log;
    order steps("reader:start", "reader:got-lock", "writer:start");
    auto reader = spawn(pass(log, "reader:start reader:start reader:got_lock reader:got_lock"));
    co_await reader.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unreached_point));
  EXPECT_EQ(run.verdicts[0].message,
            "point \"reader:got-lock\" was never reached, number 2 of 3 in the order; points passed that the order "
            "does not name: \"reader:got_lock\"");
}

TEST(OrderTest, ShowsAFewSuchNames) {
  const auto main = []() -> task<void> {
    std::string log;
    order steps("a");
    co_await pass(log, "b c d e f g h");
  };
  EXPECT_THAT(judge(main).messages(), testing::EndsWith("does not name: \"b\", \"c\", \"d\", \"e\", \"f\"\n"));
}

TEST(OrderTest, ADeadlockItCausesNamesThePointAndTheOrder) {
  unsigned line = 0;
  const auto main = [&]() -> task<void> {
    std::string log;
    line = source::current().line() + 1;
    order steps("reader:start", "writer:done", "reader:done");
    auto reader = spawn(pass(log, "reader:start reader:done"), "reader");
    co_await reader.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock, verdict_kind::unreached_point)) << run.messages();
  EXPECT_THAT(run.verdicts[1].message, HasSubstr("point \"writer:done\" was never reached, number 2 of 3"));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 2u);
  EXPECT_EQ(run.verdicts[0].tasks[1].waits_for,
            "point \"reader:done\", which waits for \"writer:done\", number 2 of 3 in the order at point_test.cpp:" +
                std::to_string(line));
}

TEST(OrderTest, SaysNothingWhenAnExceptionEndsItsScope) {
  std::string log;
  const auto main = [&]() -> task<void> {
    std::optional<join_handle<void>> reader;
    try {
      order steps("a", "b");
      reader.emplace(spawn(pass(log, "b")));
      co_await settle();
      throw std::runtime_error("x");
    } catch (const std::runtime_error&) {
    }
    co_await reader->join();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(log, "b ");
}

// A failed assertion destroys the tasks that its task has spawned, then unwinds the order.
TEST(OrderTest, MayUnwindAfterATaskWhoseTurnHasComeWasDestroyed) {
  std::string log;
  const auto main = [&]() -> task<void> {
    order steps("a", "b");
    auto second = spawn(pass(log, "b"));
    co_await settle();
    co_await point("a");
    current_loop()->kill_descendants(current_task());
    throw std::runtime_error("assertion");
  };
  EXPECT_EQ(judge(main).failure, "assertion");
  EXPECT_EQ(log, "");
}

TEST(OrderTest, MayBeTornDownAfterATaskWhoseTurnHasCome) {
  std::string log;
  const auto main = [&]() -> task<void> {
    order steps("a", "b", "c");
    auto second = spawn(pass(log, "b"));
    co_await settle();
    co_await point("a");
    current_loop()->stop();
    co_await second.join();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(log, "");
}

TEST(OrderTest, AWaiterThatIsCancelledMayRunAfterItsEnd) {
  std::string log;
  const auto main = [&]() -> task<void> {
    auto steps = std::make_unique<order>(std::vector<std::string>{"a", "b"});
    auto second = spawn(pass(log, "b"));
    co_await settle();
    second.cancel();
    co_await point("a");
    steps.reset();
    EXPECT_TRUE(co_await was_cancelled(second));
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::unreached_point));
  EXPECT_EQ(log, "");
}

// Torn down by the task that owns the order, before the older one that waits at a point.
TEST(OrderTest, MayBeTornDownBeforeAWaiter) {
  std::string log;
  const auto main = [&]() -> task<void> {
    const auto own = []() -> task<void> {
      order steps("a", "b");
      co_await sleep_until(time_point::max());
    };
    auto owner = spawn(own());
    co_await settle();
    co_await pass(log, "b");
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock, verdict_kind::unreached_point));
  EXPECT_EQ(log, "");
}

TEST(OrderTest, TwoAtATimeAreMisuse) {
  const auto main = []() -> task<void> {
    std::string log;
    order steps("a");
    EXPECT_THROW(const order second("b"), misuse);
    EXPECT_THROW(const order nothing(std::vector<std::string>{}), misuse);
    co_await pass(log, "a");
    EXPECT_TRUE(steps.complete());
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: there is an order of points already; end it first\n"
            "misuse: an order of points needs at least one\n");
}

TEST(OrderTest, OneThatOutlivesItsRunIsNotOfTheNext) {
  sim::world world;
  std::optional<order> kept;
  const auto make = [&]() -> task<void> {
    kept.emplace(std::vector<std::string>{"a", "b"});
    co_return;
  };
  const auto next = []() -> task<void> {
    co_await point("b");
    const order own("a");
    co_await point("a");
  };
  world.run(make);
  kept.reset();
  world.run(next);
  EXPECT_THAT(world.verdicts(), testing::IsEmpty());
}

}  // namespace
}  // namespace lockstep
