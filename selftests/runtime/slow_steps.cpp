// What a report says of a step that took long in real time: whose it was, and between which lines.
#include "judged_run.hpp"

#include <string>
#include <utility>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

void block() { current_loop()->request(loop::attention_slow); }  // as a watcher would say

unsigned from = 0;
unsigned to = 0;
unsigned spawned = 0;
void next_line(unsigned& is, source here = source::current()) { is = here.line() + 1; }

// What is said of the only step of `make()` that was slow, which the report shows at line `at`.
template <class F>
std::string said_of_slow_step(F make, const unsigned& at) {
  from = to = 0;
  const judged_run run = judge(make);
  if (run.verdicts.size() != 1 || run.verdicts[0].kind != verdict_kind::slow_step) return run.messages();
  EXPECT_EQ(run.verdicts[0].where.line(), at);
  std::string text = run.verdicts[0].message;
  text.resize(text.find(" took long"));
  for (const auto& [line, name] : {std::pair(from, "<from>"), std::pair(to, "<to>")}) {
    const std::string there = "slow_steps.cpp:" + std::to_string(line);
    if (const std::size_t found = text.find(there); found != std::string::npos) text.replace(found, there.size(), name);
  }
  return text;
}

task<void> blocks_between_awaits() {
  next_line(from);
  co_await sleep_for(1s);
  block();
  next_line(to);
  co_await sleep_for(1s);
}
task<void> blocks_first() {
  block();
  next_line(to);
  co_await yield();
}
task<void> blocks_last() {
  next_line(from);
  co_await sleep_for(1s);
  block();
}
task<void> blocks_only() {
  block();
  co_return;
}
task<void> spawns(task<void> work) {
  next_line(spawned);
  auto child = spawn(std::move(work), "child");
  co_await child.join();
}
task<void> awaits(task<void> work) { co_await std::move(work); }

TEST(SlowStepTest, NamesTheLinesBetweenWhichItWas) {
  EXPECT_EQ(said_of_slow_step(blocks_between_awaits, from), "the step of task \"main\", from <from> up to <to>,");
  EXPECT_EQ(said_of_slow_step([] { return spawns(blocks_between_awaits()); }, from),
            "the step of task \"child\", from <from> up to <to>,");
}

TEST(SlowStepTest, AFirstStepNamesTheLineWhereItEnded) {
  EXPECT_EQ(said_of_slow_step(blocks_first, to), "the first step of task \"main\", up to <to>,");
  EXPECT_EQ(said_of_slow_step([] { return spawns(blocks_first()); }, to),
            "the first step of task \"child\", up to <to>,");
  EXPECT_EQ(said_of_slow_step([] { return awaits(blocks_first()); }, to),
            "the first step of task \"main\", up to <to>,");
}

TEST(SlowStepTest, AFirstStepShowsWhereItsTaskWasSpawned) {
  const judged_run run = judge([] { return spawns(blocks_first()); });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::slow_step));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  EXPECT_EQ(run.verdicts[0].tasks[0].spawned_at.line(), spawned);
}

TEST(SlowStepTest, ALastStepNamesTheLineWhereItBegan) {
  EXPECT_EQ(said_of_slow_step(blocks_last, from), "the last step of task \"main\", from <from>,");
  EXPECT_EQ(said_of_slow_step([] { return spawns(blocks_last()); }, from),
            "the last step of a task in blocks_last(), from <from>,");
}

// Its task is gone, and no await was made.
TEST(SlowStepTest, AnOnlyStepNamesTheTaskOrItsFunction) {
  unsigned nowhere = 0;
  EXPECT_EQ(said_of_slow_step(blocks_only, nowhere), "the only step of task \"main\"");
  EXPECT_EQ(said_of_slow_step([] { return spawns(blocks_only()); }, nowhere),
            "the only step of a task in blocks_only()");
}

TEST(SlowStepTest, EachSlowStepOfARunIsReported) {
  const auto main = []() -> task<void> {
    block();
    co_await yield();
    block();
    co_await yield();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::slow_step, verdict_kind::slow_step));
}

TEST(SlowStepTest, BeforeTheFirstStepThereIsNoTaskToName) {
  sim::world world;
  world.start();
  world.loop().request(loop::attention_slow);
  world.drive([]() -> task<void> { co_return; }());
  world.finish();
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_THAT(world.verdicts()[0].message, HasSubstr("what ran before the first step took long"));
}

}  // namespace
}  // namespace lockstep
