#include "real/stuck_job.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

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

TEST(RunnerTest, GoesOnAfterARunThatAnExceptionOfAHandlerHasLeft) {
  runner runs;
  const auto fail_beside = []() -> task<void> {
    boost::asio::post(real::current_io_context(), [] { throw std::runtime_error("of a handler"); });
    co_await sleep_for(24h);
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(runs.run(fail_beside()), std::runtime_error);
    EXPECT_EQ(runs.run(answer), 42);
  }
  EXPECT_THAT(runs.verdicts(), IsEmpty());
}

// -- blocking jobs that do not end ------------------------------------------------------------------------------------

// The options with which no job is waited for, and what is found goes into `found`.
run_options without_jobs(std::vector<verdict>& found) {
  run_options options;
  options.on_verdict = [&found](const verdict& each) { found.push_back(each); };
  options.jobs_limit = 0s;
  return options;
}

constexpr unsigned line_of_the_wait = __LINE__ + 14;

// A task in `into` that waits for `job`, which has begun.
task<void> begin(const stuck_job& job, std::vector<join_handle<void>>& into, bool& destroyed, thread_pool* on) {
  struct witness {
    bool& destroyed;
    ~witness() { destroyed = true; }
  };
  const auto write = [](const stuck_job& on_thread, bool& gone, thread_pool* pool) -> task<void> {
    const witness used_by_the_job{gone};
    auto blocks = on_thread.function();
    if (pool != nullptr) {
      co_await run_blocking(*pool, std::move(blocks));
    } else {
      co_await run_blocking(std::move(blocks));
    }
  };
  into.push_back(spawn(write(job, destroyed, on), "writer"));
  co_await yield();
  job.wait_until_it_has_begun();
}

TEST(RunTest, EndsWithoutBlockingJobsThatDoNotEndAndSaysWhich) {
  const stuck_job job;
  bool destroyed = false;
  std::vector<join_handle<void>> kept;
  std::vector<verdict> found;
  const auto main = [&]() -> task<int> {
    co_await begin(job, kept, destroyed, nullptr);
    co_return 42;
  };
  EXPECT_EQ(run(main(), without_jobs(found)), 42);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, verdict_kind::leaked_task);
  EXPECT_EQ(found[0].message, "the run ends without blocking jobs that still run: task \"writer\" at run_test.cpp:" +
                                  std::to_string(line_of_the_wait));
  ASSERT_EQ(found[0].tasks.size(), 1u);
  EXPECT_EQ(found[0].tasks[0].name, "writer");
  EXPECT_EQ(found[0].where.line(), line_of_the_wait);
  kept.clear();
  job.let_end_and_wait_for_the_thread();
  EXPECT_FALSE(destroyed);
  EXPECT_EQ(found.size(), 1u);
}

TEST(RunTest, ThrowsWhatLeftTheMainTaskAlsoWithoutABlockingJob) {
  const stuck_job job;
  bool destroyed = false;
  std::vector<join_handle<void>> kept;
  std::vector<verdict> found;
  const auto main = [&]() -> task<int> {
    co_await begin(job, kept, destroyed, nullptr);
    throw std::runtime_error("no disk");
  };
  EXPECT_THROW(run(main(), without_jobs(found)), std::runtime_error);
  EXPECT_EQ(found.size(), 1u);
  job.let_end_and_wait_for_the_thread();
}

TEST(RunTest, WaitsForABlockingJobThatEndsInTime) {
  const stuck_job job;
  bool destroyed = false;
  std::vector<join_handle<void>> kept;
  std::vector<verdict_kind> kinds;
  const auto let_end_when_cancelled = [&]() -> task<void> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      job.let_end();
      throw;
    }
  };
  const auto main = [&]() -> task<int> {
    kept.push_back(spawn(let_end_when_cancelled()));
    co_await begin(job, kept, destroyed, nullptr);
    co_return 42;
  };
  EXPECT_EQ(run(main(), collect(kinds)), 42);
  EXPECT_TRUE(destroyed);
  EXPECT_THAT(kinds, IsEmpty());
}

TEST(RunTest, WaitsForWhatElseIsLeftHoweverLongAJobRuns) {
  const stuck_job job;
  bool destroyed = false;
  bool cleaned_up = false;
  std::vector<join_handle<void>> kept;
  std::vector<verdict> found;
  const auto clean_up = [&]() -> task<void> {
    const shield_scope uninterrupted;
    for (int i = 0; i < 3; ++i) co_await sleep_for(1ms);
    cleaned_up = true;
  };
  const auto main = [&]() -> task<void> {
    kept.push_back(spawn(clean_up()));
    co_await begin(job, kept, destroyed, nullptr);
  };
  run(main(), without_jobs(found));
  EXPECT_TRUE(cleaned_up);
  EXPECT_EQ(found.size(), 1u);
  job.let_end_and_wait_for_the_thread();
}

TEST(RunTest, WaitsForNoCallThatIsToBeMadeLater) {
  const stuck_job job;
  bool destroyed = false;
  std::vector<join_handle<void>> kept;
  std::vector<verdict> found;
  const auto main = [&]() -> task<void> {
    call_later(24h, [] { ADD_FAILURE() << "the run has ended"; });
    co_await begin(job, kept, destroyed, nullptr);
  };
  run(main(), without_jobs(found));
  EXPECT_EQ(found.size(), 1u);
  job.let_end_and_wait_for_the_thread();
}

TEST(RunTest, ForgetsWhoWaitsForSomethingThatOutlivesARunWithoutItsJobs) {
  const stuck_job job;
  bool destroyed = false;
  std::vector<join_handle<void>> kept;
  std::vector<verdict> found;
  thread_pool pool(1, "outside");
  mutex lock("outside");
  runner runs(without_jobs(found));
  const auto wait = [&]() -> task<void> {
    const shield_scope uninterrupted;
    const mutex_guard never = co_await lock.lock();
    ADD_FAILURE() << "it belongs to a run that has ended";
  };
  const auto hold = [&]() -> task<void> {
    const mutex_guard held = co_await lock.lock();
    co_await begin(job, kept, destroyed, &pool);
    kept.push_back(spawn(wait()));
    co_await yield();
    co_await kept.front().join();
  };
  const auto leave = [&]() -> task<void> {
    kept.reserve(3);
    spawn_daemon(hold());
    co_await settle();
  };
  runs.run(leave());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(pool.unfinished(), 0u);
  const auto use = [&]() -> task<int> {
    kept.clear();
    {
      const mutex_guard held = co_await lock.lock();
      co_await yield();
    }
    EXPECT_FALSE(lock.locked());
    co_await yield();
    co_return co_await run_blocking(pool, [] { return 42; });
  };
  EXPECT_EQ(runs.run(use()), 42);
  EXPECT_THAT(runs.verdicts(), IsEmpty());
  job.let_end_and_wait_for_the_thread();
  EXPECT_FALSE(destroyed);
}

TEST(RunnerTest, GoesOnAfterARunThatHasLeftBlockingJobsBehind) {
  const stuck_job first, second;
  bool destroyed = false;
  std::vector<join_handle<void>> kept;
  std::vector<verdict> found;
  runner runs(without_jobs(found));
  EXPECT_EQ(runs.run(answer), 42);
  for (const stuck_job* job : {&first, &second}) {
    const auto main = [&]() -> task<int> {
      co_await begin(*job, kept, destroyed, nullptr);
      co_return 7;
    };
    EXPECT_EQ(runs.run(main()), 7);
    EXPECT_EQ(runs.verdicts().size(), 1u);
    EXPECT_EQ(current_loop(), nullptr);
    EXPECT_EQ(runs.run(answer), 42);
    EXPECT_THAT(runs.verdicts(), IsEmpty());
  }
  EXPECT_EQ(found.size(), 2u);
  first.let_end_and_wait_for_the_thread();
  second.let_end_and_wait_for_the_thread();
  EXPECT_FALSE(destroyed);
}

}  // namespace
}  // namespace lockstep
