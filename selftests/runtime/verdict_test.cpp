#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <set>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(VerdictTest, EveryKindHasAName) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(verdict_kind::slow_step); ++kind) {
    const std::string_view name = name_of(static_cast<verdict_kind>(kind));
    EXPECT_NE(name, "unknown verdict") << kind;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(name_of(static_cast<verdict_kind>(999)), "unknown verdict");
}

TEST(VerdictTest, TellsWhenAndWhere) {
  unsigned line = 0;
  const auto main = [&]() -> task<void> {
    event never("never");
    co_await sleep_for(3s);
    line = source::current().line() + 1;
    co_await never.wait();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  const verdict& found = run.verdicts[0];
  EXPECT_EQ(found.at, time_point{3s});
  EXPECT_EQ(found.step, run.summary.steps);
  EXPECT_EQ(found.where.line(), line) << "where the first of the tasks waits";
  EXPECT_EQ(file_of(found.where), "verdict_test.cpp");
}

// The tasks and objects that it tells of are gone.
TEST(VerdictTest, OutlivesItsRun) {
  const auto main = []() -> task<void> {
    const auto work = [](std::string name) -> task<void> {
      event never(name + " that has a name too long for a small string");
      const scoped_annotation note("a note that is too long for a small string");
      co_await never.wait();
    };
    auto handle = spawn(work("event"), std::string("a task that has a name too long for a small string"));
    co_await handle.join();
  };
  const judged_run run = judge(main);
  ASSERT_EQ(run.verdicts.size(), 1u);
  const task_snapshot& task = run.verdicts[0].tasks.at(1);
  EXPECT_EQ(task.name, "a task that has a name too long for a small string");
  EXPECT_EQ(task.waits_for, "event \"event that has a name too long for a small string\"");
  EXPECT_EQ(task.notes.size(), 1u);
}

TEST(VerdictTest, OfADeadlockTellsTheCycle) {
  const judged_run run = judge(lock_each_other_out);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, testing::UnorderedElementsAre("reader", "writer"));
  EXPECT_EQ(run.verdicts[0].tasks.size(), 3u) << "all that wait";
}

// A run goes on after a verdict that does not end it, and the monitor hears of each when it is found.
TEST(VerdictTest, IsReportedWhenItIsFound) {
  std::string log;
  sim::world world;
  world.on_verdict([&](const verdict& found) {
    log += std::string(name_of(found.kind)) + " at " + to_text(now().time_since_epoch()) + "; ";
  });
  const auto main = [&]() -> task<void> {
    co_await sleep_for(1s);
    { const auto dropped = spawn(advance(1h), "x"); }
    log += "went on; ";
    co_await sleep_for(1s);
    { const auto unawaited = advance(1s); }
  };
  world.run(main);
  EXPECT_EQ(log, "dropped handle at 1 s; went on; unawaited task at 2 s; ");
}

}  // namespace
}  // namespace lockstep
