#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::vector<std::uint_least32_t> lines_of(const std::vector<place>& stack) {
  std::vector<std::uint_least32_t> lines;
  for (const place& at : stack) lines.push_back(at.line());
  return lines;
}

struct where_it_waits {
  std::uint_least32_t inner = 0;
  std::uint_least32_t outer = 0;
};

task<void> wait_below(where_it_waits& lines) {
  lines.inner = source::current().line() + 1;
  co_await sleep_for(1h);
}
task<void> wait_above(where_it_waits& lines) {
  lines.outer = source::current().line() + 1;
  co_await wait_below(lines);
}

CO_TEST(FrameTest, TheChainOfCallersIsTheStackOfAWaitingTask) {
  where_it_waits lines;
  auto child = spawn(wait_above(lines));
  co_await settle();
  EXPECT_THAT(lines_of(child.get().stack()), ElementsAre(lines.inner, lines.outer));
  co_await child.join();
  EXPECT_THAT(lines_of(child.get().stack()), ElementsAre());
}

CO_TEST(FrameTest, ATaskThatRunsKnowsItsOwnStack) {
  const auto look = []() -> task<std::vector<place>> {
    co_await yield();
    co_return current_task().stack();
  };
  const auto call = [&]() -> task<std::vector<place>> {
    co_await yield();
    co_return co_await look();
  };
  auto child = spawn(call());
  const std::vector<place> stack = co_await child.join();
  CO_ASSERT_EQ(stack.size(), 2u);
  EXPECT_EQ(lines_of(stack)[0] + 5, lines_of(stack)[1]);  // the yield of look(), then the await in call()
}

CO_TEST(FrameTest, ATaskThatHasNotStartedStandsWhereItsFunctionBegins) {
  where_it_waits lines;
  auto child = spawn(wait_above(lines));
  CO_ASSERT_EQ(child.get().stack().size(), 1u);
  EXPECT_EQ(function_of(child.get().stack()[0]), "wait_above");
  co_await child.join();
}

struct thrown_at {
  std::uint_least32_t inner = 0;
  std::uint_least32_t outer = 0;
};

task<void> fail_below(thrown_at& lines) {
  lines.inner = source::current().line() + 1;
  co_await yield();
  throw std::runtime_error("disk full");
}
task<void> fail_above(thrown_at& lines) {
  lines.outer = source::current().line() + 1;
  co_await fail_below(lines);
}

TEST(FrameTest, AnExceptionIsReportedWithTheStackItCameFrom) {
  thrown_at lines;
  const auto main = [&]() -> task<void> {
    const auto child = spawn(fail_above(lines));
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unread_exception));
  EXPECT_THAT(lines_of(run.verdicts[0].tasks[0].stack), ElementsAre(lines.inner, lines.outer));
}

TEST(FrameTest, AnotherExceptionHasAStackOfItsOwn) {
  std::uint_least32_t line = 0;
  const auto work = [&]() -> task<void> {
    thrown_at ignored;
    try {
      co_await fail_above(ignored);
    } catch (const std::runtime_error&) {
    }
    line = source::current().line() + 1;
    co_await yield();
    throw std::runtime_error("another");
  };
  const auto main = [&]() -> task<void> {
    const auto child = spawn(work());
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unread_exception));
  EXPECT_THAT(lines_of(run.verdicts[0].tasks[0].stack), ElementsAre(line));
}

task<void> fail_at_once() {
  throw std::runtime_error("disk full");
  co_return;
}
task<void> call_at_once(thrown_at& lines) {
  lines.outer = source::current().line() + 1;
  co_await fail_at_once();
}

// Compilers differ in the line that they give to a coroutine before its first await, so none is named.
TEST(FrameTest, BeforeItsFirstAwaitOnlyItsFunctionIsKnown) {
  thrown_at lines;
  const judged_run below = judge([&] { return call_at_once(lines); });
  ASSERT_EQ(below.failure_report->tasks.size(), 1u);
  const std::vector<place>& stack = below.failure_report->tasks[0].stack;
  EXPECT_THAT(lines_of(stack), ElementsAre(0, lines.outer));
  EXPECT_EQ(file_and_line(stack.at(0)), "frame_test.cpp in fail_at_once()");
  EXPECT_EQ(below.failure_report->where.line(), lines.outer);  // the innermost line that is known

  std::uint_least32_t spawned = 0;
  const auto spawns = [&]() -> task<void> {
    spawned = source::current().line() + 1;
    auto child = spawn(fail_at_once());
    co_await child.join();
  };
  EXPECT_EQ(judge(spawns).failure_report->where.line(), spawned);
}

// Tells of its end, and needs what it points to until then.
struct pointer_to {
  std::string& log;
  const std::string* target;
  ~pointer_to() { log += *target + ' '; }
};

TEST(FrameTest, FramesAreDestroyedLeafFirst) {
  std::string log;
  const auto leaf = [&](const std::string* of_caller) -> task<void> {
    const pointer_to local{log, of_caller};
    co_await sleep_until(time_point::max());
  };
  const auto middle = [&](const std::string* of_caller) -> task<void> {
    const pointer_to local{log, of_caller};
    const std::string mine = "leaf";
    co_await leaf(&mine);
  };
  const auto root = [&](const std::string* of_spawner) -> task<void> {
    const pointer_to local{log, of_spawner};
    const std::string mine = "middle";
    co_await middle(&mine);
  };
  const auto main = [&]() -> task<void> {
    const std::string mine = "root";
    auto child = spawn(root(&mine));
    co_await child.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(log, "leaf middle root ");
}

}  // namespace
}  // namespace lockstep
