// asyncio.run and asyncio.Runner.
#include "../real/stuck_job.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
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

// A program in which nobody has a handler: that of a CO_TEST stays when the test is over.
class AsyncioRunnerTest : public testing::Test {
 protected:
  AsyncioRunnerTest() {
    struct sigaction none {};
    none.sa_handler = SIG_DFL;
    sigaction(SIGINT, &none, &before_);
  }
  ~AsyncioRunnerTest() override { sigaction(SIGINT, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};
using AsyncioRunnerDeathTest = AsyncioRunnerTest;

task<int> answer() {
  co_await yield();
  co_return 42;
}

task<void> wait_for_ever() { co_await sleep_until(time_point::max()); }

task<void> raise_and_wait() {
  std::raise(SIGINT);
  co_await sleep_for(24h);
}

run_options tell(std::vector<std::string>& told) {
  run_options options;
  options.on_verdict = [&told](const verdict& found) { told.push_back(found.message); };
  return options;
}

// -- results ----------------------------------------------------------------------------------------------------------

TEST_F(AsyncioRunnerTest, ReturnsTheResultOfTheMainTask) { EXPECT_EQ(run(answer()), 42); }

TEST_F(AsyncioRunnerTest, ThrowsTheErrorOfTheMainTask) {
  const auto fail = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("no disk");
  };
  EXPECT_THROW(run(fail()), std::runtime_error);
}

TEST_F(AsyncioRunnerTest, ThrowsCancelledIfTheMainTaskWasCancelled) {
  const auto main = []() -> task<void> {
    current_task().cancel();
    co_await yield();
  };
  EXPECT_THROW(run(main()), cancelled);
}

TEST_F(AsyncioRunnerTest, CannotBeCalledWithinARun) {
  std::vector<std::string> told;
  const auto main = []() -> task<void> {
    EXPECT_THROW(run(answer()), misuse);
    co_return;
  };
  run(main(), tell(told));
  EXPECT_THAT(told, ElementsAre("run() is called within a run: await the task instead"));
}

TEST_F(AsyncioRunnerTest, RunsSeveralMainTasksOneAfterAnother) {
  runner runs;
  EXPECT_EQ(runs.run(answer()), 42);
  const auto fail = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("no disk");
  };
  EXPECT_THROW(runs.run(fail()), std::runtime_error);
  EXPECT_EQ(runs.run(answer()), 42);
}

// -- what is left -----------------------------------------------------------------------------------------------------

TEST_F(AsyncioRunnerTest, CancelsAndAwaitsWhatIsLeft) {
  std::vector<join_handle<void>> kept;
  bool cleaned_up = false;
  const auto clean_up = [&]() -> task<void> {
    co_await sleep_for(1ms);
    cleaned_up = true;
  };
  const auto left = [&]() -> task<void> {
    std::exception_ptr ended;
    try {
      co_await sleep_for(24h);
    } catch (...) {
      ended = std::current_exception();
    }
    co_await shield(clean_up());
    std::rethrow_exception(ended);
  };
  const auto main = [&]() -> task<void> {
    kept.push_back(spawn(left()));
    co_await yield();
  };
  std::vector<std::string> told;
  run(main(), tell(told));
  EXPECT_TRUE(cleaned_up);
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(AsyncioRunnerTest, CancelsAndAwaitsWhatIsLeftWhenTheMainTaskHasFailedAsWell) {
  bool cancelled_it = false;
  const auto serve = [&]() -> task<void> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      cancelled_it = true;
      throw;
    }
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve());
    co_await yield();
    throw std::runtime_error("no disk");
  };
  EXPECT_THROW(run(main()), std::runtime_error);
  EXPECT_TRUE(cancelled_it);
}

TEST_F(AsyncioRunnerTest, ReportsTheErrorsOfWhatIsLeft) {
  const auto serve = []() -> task<void> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      throw std::runtime_error("flush failed");
    }
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve(), "server");
    co_await yield();
  };
  std::vector<std::string> told;
  run(main(), tell(told));
  EXPECT_THAT(told, ElementsAre("daemon \"server\" failed: flush failed"));
}

// There, a task that nobody holds runs on until the end. Here a handle that is dropped ends its task, and that is told.
TEST_F(AsyncioRunnerTest, LeavesNoTaskBehindThatNobodyHolds) {
  const auto main = []() -> task<void> {
    {
      auto forgotten = spawn(wait_for_ever(), "forgotten");
      co_await yield();
    }
    EXPECT_TRUE(current_loop() != nullptr);
  };
  std::vector<std::string> told;
  run(main(), tell(told));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told.front(), HasSubstr("the handle of task \"forgotten\" died before the task ended"));
}

// -- the default executor ---------------------------------------------------------------------------------------------

TEST_F(AsyncioRunnerTest, ShutsTheDefaultExecutorDownAndWaitsNoLongerThanItsTimeout) {
  const stuck_job job;
  std::vector<join_handle<void>> kept;
  const auto write = [&]() -> task<void> {
    auto blocks = job.function();
    co_await run_blocking(std::move(blocks));
  };
  const auto main = [&]() -> task<int> {
    kept.push_back(spawn(write(), "writer"));
    co_await yield();
    job.wait_until_it_has_begun();
    co_return 42;
  };
  std::vector<std::string> told;
  run_options options = tell(told);
  EXPECT_EQ(options.jobs_limit, 300s);
  options.jobs_limit = 1ms;
  EXPECT_EQ(run(main(), options), 42);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told.front(), HasSubstr("the run ends without blocking jobs that still run: task \"writer\" at "));
  job.let_end_and_wait_for_the_thread();
}

// There, the thread's function is detached from the task that awaited it. Here its end is awaited with the task's.
TEST_F(AsyncioRunnerTest, WaitsForFunctionsOfTheDefaultExecutorThatEndInTime) {
  bool ended = false;
  std::vector<join_handle<void>> kept;
  const stuck_job job;
  const auto write = [&]() -> task<void> {
    const auto blocks = job.function();
    co_await run_blocking([&] {
      blocks();
      ended = true;
    });
  };
  const auto let_end_when_cancelled = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      job.let_end();
      throw;
    }
  };
  const auto main = [&]() -> task<void> {
    kept.push_back(spawn(write()));
    kept.push_back(spawn(let_end_when_cancelled()));
    co_await yield();
    job.wait_until_it_has_begun();
  };
  std::vector<std::string> told;
  run(main(), tell(told));
  EXPECT_TRUE(ended);
  EXPECT_THAT(told, IsEmpty());
}

// -- interrupts -------------------------------------------------------------------------------------------------------

TEST_F(AsyncioRunnerTest, TheFirstInterruptCancelsTheMainTaskAndRunThrowsInterrupted) {
  EXPECT_THROW(run(raise_and_wait()), interrupted);
}

TEST_F(AsyncioRunnerTest, AMainTaskThatIsInterruptedMayCleanUp) {
  bool cleaned_up = false;
  const auto clean_up = [&]() -> task<void> {
    co_await sleep_for(1ms);
    cleaned_up = true;
  };
  const auto main = [&]() -> task<void> {
    std::exception_ptr ended;
    try {
      co_await raise_and_wait();
    } catch (...) {
      ended = std::current_exception();
    }
    co_await shield(clean_up());
    std::rethrow_exception(ended);
  };
  EXPECT_THROW(run(main()), interrupted);
  EXPECT_TRUE(cleaned_up);
}

TEST_F(AsyncioRunnerTest, TheResultStandsIfTheMainTaskReturnsOneAllTheSame) {
  const auto main = []() -> task<int> {
    try {
      co_await raise_and_wait();
    } catch (const cancelled&) {
      current_task().uncancel();
    }
    co_return 42;
  };
  EXPECT_EQ(run(main()), 42);
}

TEST_F(AsyncioRunnerTest, RunThrowsCancelledIfTheInterruptWasNotAllThatCancelledTheMainTask) {
  const auto main = []() -> task<void> {
    current_task().cancel();
    co_await raise_and_wait();
  };
  EXPECT_THROW(run(main()), cancelled);
}

TEST_F(AsyncioRunnerDeathTest, TheSecondInterruptEndsTheProcess) {
  const auto main = []() -> task<void> {
    std::raise(SIGINT);
    std::raise(SIGINT);
    std::exit(3);
    co_return;
  };
  EXPECT_EXIT(run(main()), testing::KilledBySignal(SIGINT), "");
}

TEST_F(AsyncioRunnerTest, AHandlerOfTheProgramsOwnIsLeftAlone) {
  static int handled;
  handled = 0;
  std::signal(SIGINT, [](int) { ++handled; });
  const auto main = []() -> task<int> {
    std::raise(SIGINT);
    co_await yield();
    co_return 42;
  };
  EXPECT_EQ(run(main()), 42);
  EXPECT_EQ(handled, 1);
  std::signal(SIGINT, SIG_DFL);
}

TEST_F(AsyncioRunnerTest, TheHandlerBeforeIsPutBack) {
  run(answer());
  struct sigaction present {};
  sigaction(SIGINT, nullptr, &present);
  EXPECT_EQ(present.sa_handler, SIG_DFL);
}

TEST_F(AsyncioRunnerTest, RunsOnOtherThreadsWithoutTakingInterrupts) {
  std::thread other([] {
    const auto main = []() -> task<int> {
      struct sigaction present {};
      sigaction(SIGINT, nullptr, &present);
      EXPECT_EQ(present.sa_handler, SIG_DFL);
      co_return 42;
    };
    EXPECT_EQ(run(main()), 42);
  });
  other.join();
}

}  // namespace
}  // namespace lockstep
