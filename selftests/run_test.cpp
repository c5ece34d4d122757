#include <lockstep/lockstep.hpp>
#include <lockstep/run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The options with which what is found goes into `kinds`.
run_options collect(std::vector<verdict_kind>& kinds) {
  run_options options;
  options.on_verdict = [&kinds](const verdict& found) { kinds.push_back(found.kind); };
  return options;
}

task<int> answer() {
  co_await sleep_for(1ms);
  co_return 42;
}

TEST(RunTest, ReturnsTheResult) {
  EXPECT_EQ(run(answer()), 42);
  EXPECT_EQ(run(answer), 42);
  const auto pointer = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  EXPECT_EQ(*run(pointer()), 7);
  static int variable = 1;
  const auto reference = []() -> task<int&> { co_return variable; };
  EXPECT_EQ(&run(reference()), &variable);
}

TEST(RunTest, ThrowsWhatLeftTheMainTask) {
  const auto fail = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("no disk");
  };
  EXPECT_THROW(run(fail()), std::runtime_error);
  const auto cancel_itself = []() -> task<void> {
    current_task().cancel();
    co_await yield();
  };
  EXPECT_THROW(run(cancel_itself()), cancelled);
}

TEST(RunTest, CancelsAndAwaitsWhatIsLeftAndTellsOfItsErrors) {
  std::vector<verdict_kind> kinds;
  std::vector<join_handle<void>> kept;
  int cleaned_up = 0;
  const auto left = [&]() -> task<void> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ++cleaned_up;
      throw;
    }
  };
  const auto failing = [&]() -> task<void> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ++cleaned_up;
      throw std::runtime_error("flush failed");
    }
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(left());
    spawn_daemon(failing());
    kept.push_back(spawn(left()));
    kept.push_back(spawn(failing()));
    co_await yield();
  };
  run(main(), collect(kinds));
  EXPECT_EQ(cleaned_up, 4);
  EXPECT_THAT(kinds, ElementsAre(verdict_kind::unhandled_exception, verdict_kind::unread_exception));
}

TEST(RunTest, TellsOnStderrWhatATestWouldFailOf) {
  const auto forget = []() -> task<void> {
    auto forgotten = spawn(answer(), "forgotten");
    co_await yield();
  };
  testing::internal::CaptureStderr();
  run(forget());
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_THAT(told, HasSubstr("run_test.cpp:"));
  EXPECT_THAT(told, HasSubstr("the handle of task \"forgotten\" died before the task ended"));
  EXPECT_THAT(told, testing::Not(HasSubstr("virtual")));
}

TEST(RunTest, ThrowsThatEveryTaskWaits) {
  std::vector<verdict_kind> kinds;
  const auto wait = []() -> task<void> {
    event never("never");
    co_await never.wait();
  };
  try {
    run(wait(), collect(kinds));
    ADD_FAILURE() << "it ended";
  } catch (const misuse& found) {
    EXPECT_STREQ(found.what(), "deadlock: every task waits");
  }
  EXPECT_THAT(kinds, ElementsAre(verdict_kind::deadlock));
}

TEST(RunTest, RefusesToRunWithinARun) {
  std::vector<verdict_kind> kinds;
  const auto nest = []() -> task<void> {
    EXPECT_THROW(run(answer()), misuse);
    co_return;
  };
  run(nest(), collect(kinds));
  EXPECT_THAT(kinds, ElementsAre(verdict_kind::misuse));
}

TEST(RunTest, ThrowsInterruptedIfThatEndedTheMainTask) {
  const auto wait = []() -> task<void> {
    std::raise(SIGINT);
    co_await sleep_for(24h);
  };
  EXPECT_THROW(run(wait()), interrupted);
  const auto defy = []() -> task<int> {
    std::raise(SIGINT);
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      current_task().uncancel();
    }
    co_return 7;
  };
  EXPECT_EQ(run(defy()), 7);
}

TEST(RunDeathTest, LeavesInterruptsAloneIfAskedTo) {
  const auto wait = []() -> task<void> {
    std::raise(SIGINT);
    std::exit(3);
    co_return;
  };
  EXPECT_EXIT(run(wait(), {.take_interrupts = false}), testing::KilledBySignal(SIGINT), "");
}

TEST(RunTest, DrawsOtherValuesEachTimeUnlessASeedIsGiven) {
  const auto draw = []() -> task<std::uint64_t> { co_return random_int<std::uint64_t>("draw", 0, ~std::uint64_t{0}); };
  EXPECT_NE(run(draw()), run(draw()));
  run_options seeded;
  seeded.seed = 1;
  EXPECT_EQ(run(draw(), seeded), run(draw(), seeded));
}

TEST(RunTest, RunsOnSeveralThreadsAtATime) {
  std::vector<std::thread> threads;
  std::vector<int> answers(4);
  for (int& each : answers) threads.emplace_back([&each] { each = run(answer()); });
  for (std::thread& each : threads) each.join();
  EXPECT_THAT(answers, testing::Each(42));
}

TEST(RunnerTest, RunsOneAfterAnotherInOneIoContext) {
  runner runs;
  const auto context = []() -> task<void*> { co_return &real::current_io_context(); };
  void* const first = runs.run(context());
  EXPECT_EQ(runs.run(context()), first);
  EXPECT_EQ(runs.run(answer), 42);
  EXPECT_THAT(runs.verdicts(), IsEmpty());
}

}  // namespace
}  // namespace lockstep
