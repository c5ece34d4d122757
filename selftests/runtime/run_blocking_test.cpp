#include "../sync/schedules.hpp"

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// The result of `make()`, of which nothing may be wrong.
template <class F>
auto run_well(F make, const sim::world_options& how = {}) {
  sim::world world;
  auto result = world.run(std::move(make), how);
  for (const verdict& each : world.verdicts()) ADD_FAILURE() << each.message;
  return result;
}

// -- results ----------------------------------------------------------------------------------------------------------

TEST(RunBlockingTest, ReturnsWhatTheFunctionReturns) {
  const auto main = []() -> task<int> { co_return co_await run_blocking([] { return 42; }); };
  EXPECT_EQ(run_well(main), 42);
}

TEST(RunBlockingTest, ReturnsNothingReferencesAndWhatOnlyMoves) {
  const auto main = []() -> task<bool> {
    int called = 0;
    co_await run_blocking([&called] { ++called; });
    int& same = co_await run_blocking([&called]() -> int& { return called; });
    std::unique_ptr<int> moved = co_await run_blocking([] { return std::make_unique<int>(7); });
    const std::string constant = co_await run_blocking([]() -> const std::string { return "constant"; });
    co_return called == 1 && &same == &called&&* moved == 7 && constant == "constant";
  };
  EXPECT_TRUE(run_well(main));
}

TEST(RunBlockingTest, TakesAFunctionThatOnlyMovesAndDestroysItInTheJob) {
  struct witness {
    std::vector<std::string>* said;
    explicit witness(std::vector<std::string>& into) : said(&into) {}
    witness(const witness&) = delete;
    ~witness() { said->push_back(current_loop() == nullptr ? "destroyed in the job" : "destroyed in a task"); }
  };
  const auto main = []() -> task<std::vector<std::string>> {
    std::vector<std::string> said;
    // Named, as g++ 12 destroys a closure that owns something twice if it is written within a co_await.
    auto speak = [kept = std::make_unique<witness>(said)] { kept->said->push_back("called"); };
    co_await run_blocking(std::move(speak));
    said.push_back("returned");
    co_return said;
  };
  EXPECT_THAT(run_well(main), ElementsAre("called", "destroyed in the job", "returned"));
}

TEST(RunBlockingTest, ThrowsWhatLeftTheFunctionWithItsType) {
  struct no_exception_of_std {
    int code;
  };
  const auto main = []() -> task<int> {
    int caught = 0;
    try {
      co_await run_blocking([] { throw std::out_of_range("beyond"); });
    } catch (const std::out_of_range& thrown) {
      caught += thrown.what() == std::string("beyond") ? 1 : 0;
    }
    try {
      co_await run_blocking([]() -> int { throw no_exception_of_std{10}; });
    } catch (const no_exception_of_std& thrown) {
      caught += thrown.code;
    }
    co_return caught;
  };
  EXPECT_EQ(run_well(main), 11);
}

TEST(RunBlockingTest, IsATaskAsEveryOther) {
  const auto main = []() -> task<int> {
    const auto [one, two] = co_await when_all(run_blocking([] { return 1; }), run_blocking([] { return 2; }));
    auto spawned = spawn(run_blocking([] { return 4; }));
    const int four = co_await spawned.join();
    const int eight = co_await with_timeout(1s, run_blocking([] { return 8; }));
    co_return one + two + four + eight;
  };
  EXPECT_EQ(run_well(main), 15);
}

TEST(RunBlockingTest, NobodyRunsWhatIsNotAwaited) {
  bool called = false;
  const judged_run run = judge([&]() -> task<void> {
    {
      const auto forgotten = run_blocking([&called] { called = true; });
    }
    co_return;
  });
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::unawaited_task));
  EXPECT_FALSE(called);
}

// -- cancellation -----------------------------------------------------------------------------------------------------

// What became of a job of 10 ms on the one worker, behind another of 10 ms, that is cancelled at `when`.
struct cancelled_job {
  bool ran = false;
  bool got_cancelled = false;
  time_point ended;
};

task<cancelled_job> cancel_second_job_at(duration when) {
  cancelled_job found;
  thread_pool one(1);
  const auto first = [&one]() -> task<void> { co_await run_blocking(one, [] { consume(10ms); }); };
  const auto second = [&]() -> task<void> {
    co_await run_blocking(one, [&found] {
      found.ran = true;
      consume(10ms);
    });
  };
  auto before = spawn(first());
  auto job = spawn(second());
  co_await sleep_for(when);
  job.cancel();
  found.got_cancelled = co_await was_cancelled(job);
  found.ended = now();
  co_await before.join();
  co_return found;
}

TEST(RunBlockingTest, AJobThatHasNotBegunIsTakenBack) {
  const cancelled_job found = run_well([] { return cancel_second_job_at(5ms); });
  EXPECT_FALSE(found.ran);
  EXPECT_TRUE(found.got_cancelled);
  EXPECT_EQ(found.ended, time_point(5ms));
}

TEST(RunBlockingTest, AJobThatRunsIsAwaitedBeforeItsTaskIsCancelled) {
  const cancelled_job found = run_well([] { return cancel_second_job_at(15ms); });
  EXPECT_TRUE(found.ran);
  EXPECT_TRUE(found.got_cancelled);
  EXPECT_EQ(found.ended, time_point(20ms));
}

TEST(RunBlockingTest, ACancellationThatIsTakenBackBeforeTheJobEndsIsNone) {
  const auto main = []() -> task<int> {
    auto job = spawn(run_blocking([] {
      consume(10ms);
      return 42;
    }));
    co_await sleep_for(1ms);
    job.cancel();
    co_await sleep_for(1ms);
    job.get().uncancel();
    co_return co_await job.join();
  };
  EXPECT_EQ(run_well(main), 42);
}

TEST(RunBlockingTest, ATimeoutIsToldWhenTheJobHasEnded) {
  const auto main = []() -> task<time_point> {
    EXPECT_THROW(co_await with_timeout(10ms, run_blocking([] { consume(50ms); })), timed_out);
    co_return now();
  };
  EXPECT_EQ(run_well(main), time_point(50ms));
}

TEST(RunBlockingTest, AnErrorOfACancelledJobIsNotLost) {
  const auto main = []() -> task<bool> {
    bool cancelled_next = false;
    const auto work = [&cancelled_next]() -> task<void> {
      bool failed = false;
      try {
        co_await run_blocking([] {
          consume(10ms);
          throw std::runtime_error("disk full");
        });
      } catch (const std::runtime_error&) {
        failed = true;
      }
      EXPECT_TRUE(failed);
      try {
        co_await yield();
      } catch (const cancelled&) {
        cancelled_next = true;
        throw;
      }
    };
    auto job = spawn(work());
    co_await sleep_for(1ms);
    job.cancel();
    co_return co_await was_cancelled(job) && cancelled_next;
  };
  EXPECT_TRUE(run_well(main));
}

TEST(RunBlockingTest, ATaskThatIsCancelledBeforeSubmitsNothing) {
  bool ran = false;
  const judged_run run = judge([&ran]() -> task<void> {
    const auto work = [&ran]() -> task<void> {
      current_task().cancel();
      co_await run_blocking([&ran] { ran = true; });
    };
    auto job = spawn(work());
    EXPECT_TRUE(co_await was_cancelled(job));
  });
  EXPECT_EQ(run.messages(), "");
  EXPECT_FALSE(ran);
}

TEST(RunBlockingTest, JobsAreRunOnceOrNotAtAllUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    std::array<int, 6> ran{};
    std::array<bool, 6> returned{};
    thread_pool pool(2);
    const auto work = [&](std::size_t i) -> task<void> {
      co_await run_blocking(pool, [&ran, i] {
        ++ran[i];
        consume(1ms);
      });
      returned[i] = true;
    };
    std::vector<join_handle<void>> jobs;
    for (std::size_t i = 0; i < ran.size(); ++i) jobs.push_back(spawn(work(i)));
    const auto cancel_some = [&](std::size_t from) -> task<void> {
      co_await sleep_for(1ms * static_cast<int>(from));
      for (std::size_t i = from; i < jobs.size(); i += 2) jobs[i].cancel();
    };
    auto at_once = spawn(cancel_some(0));
    auto later = spawn(cancel_some(1));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const bool was = co_await was_cancelled(jobs[i]);
      EXPECT_EQ(was, !returned[i]);
      if (returned[i]) {
        EXPECT_EQ(ran[i], 1);
      }
      EXPECT_LE(ran[i], 1);
    }
    co_await at_once.join();
    co_await later.join();
    EXPECT_EQ(pool.unfinished(), 0u);
    // No worker was lost.
    const time_point before = now();
    co_await when_all(work(0), work(1));
    EXPECT_EQ(now() - before, 1ms);
  });
}

TEST(RunBlockingTest, ATaskThatDiesTakesItsJobAlong) {
  const auto main = []() -> task<bool> {
    thread_pool one(1);
    int ran = 0;
    {
      const auto work = [&]() -> task<void> {
        co_await run_blocking(one, [&ran] {
          ++ran;
          consume(1h);
        });
      };
      task_group group;
      group.spawn(work());
      group.spawn(work());
      co_await sleep_for(1ms);
      // Both die with the group, the one that runs and the one that waits.
    }
    EXPECT_EQ(one.unfinished(), 0u);
    co_await run_blocking(one, [] {});
    co_return ran == 1 && now() == time_point(1ms);
  };
  sim::world world;
  EXPECT_TRUE(world.run(main));
}

#ifdef __cpp_lib_jthread
TEST(RunBlockingTest, AFunctionMayAskWhetherItIsToStop) {
  const auto main = []() -> task<bool> {
    co_return co_await run_blocking(
        [](std::stop_token stop) { return stop.stop_possible() && !stop.stop_requested(); });
  };
  EXPECT_TRUE(run_well(main));
}
#endif

// -- what a job may not do --------------------------------------------------------------------------------------------

TEST(RunBlockingTest, ObjectsOfTheRunAreRefusedInAJob) {
  const judged_run run = judge([]() -> task<void> {
    mutex tx("tx");
    const mutex_guard held = co_await tx.lock();
    bool refused = false;
    co_await run_blocking([&] {
      try {
        static_cast<void>(tx.try_lock());
      } catch (const misuse&) {
        refused = true;
      }
    });
    EXPECT_TRUE(refused);
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("mutex \"tx\" was locked in a blocking job (run_blocking_test.cpp:"));
}

TEST(RunBlockingTest, TheLoopIsRefusedInAJob) {
  const auto nothing = []() -> task<void> { co_return; };
  const std::vector<std::function<void()>> deeds{[&] { static_cast<void>(spawn(nothing())); },
                                                 [] { static_cast<void>(wall_now()); }};
  for (const auto& deed : deeds) {
    const judged_run run = judge([&]() -> task<void> {
      bool refused = false;
      co_await run_blocking([&] {
        try {
          deed();
        } catch (const misuse&) {
          refused = true;
        }
      });
      EXPECT_TRUE(refused);
    });
    ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
    EXPECT_THAT(run.verdicts[0].message, HasSubstr("the loop was used in a blocking job (run_blocking_test.cpp:"));
  }
}

TEST(RunBlockingTest, MisuseThatLeavesAJobIsOneVerdict) {
  const judged_run run = judge([]() -> task<void> {
    event done("done");
    co_await run_blocking([&] { done.set(); });
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(run.failure, HasSubstr("event \"done\" was set in a blocking job"));
}

TEST(RunBlockingTest, AfterAJobTheLoopIsAtHomeAgain) {
  const auto main = []() -> task<bool> {
    mutex tx("tx");
    co_await run_blocking([] {});
    const mutex_guard held = co_await tx.lock();
    co_return detail::current_job == nullptr;
  };
  EXPECT_TRUE(run_well(main));
}

TEST(RunBlockingTest, AWorldOfItsOwnMayRunInAJob) {
  const auto main = []() -> task<int> {
    co_return co_await run_blocking([] {
      sim::world inner;
      const int result = inner.run([]() -> task<int> {
        co_await sleep_for(1h);
        co_return co_await run_blocking([] { return 42; });
      });
      consume(1s);
      return result;
    });
  };
  EXPECT_EQ(run_well(main), 42);
}

TEST(RunBlockingTest, AJobIsNotBlamedForRealTimeAndWhatFollowsIs) {
  const auto slow = [] { current_loop()->request(loop::attention_slow); };  // as a watcher would say
  loop* watched = nullptr;
  const auto slow_job = [&watched] { watched->request(loop::attention_slow); };
  const judged_run excused = judge([&]() -> task<void> {
    watched = current_loop();
    co_await run_blocking([&] { slow_job(); });
    co_await run_blocking([&] {
      slow_job();
      consume(1s);
    });
    co_await yield();
  });
  EXPECT_EQ(excused.messages(), "");
  const judged_run blamed = judge([&]() -> task<void> {
    co_await run_blocking([] {});
    slow();
    co_await yield();
  });
  ASSERT_THAT(blamed.kinds(), ElementsAre(verdict_kind::slow_step));
  EXPECT_THAT(blamed.verdicts[0].message, HasSubstr("run_blocking() is for that"));
}

// -- the default executor ---------------------------------------------------------------------------------------------

TEST(RunBlockingTest, TheDefaultPoolHasFourWorkersInASimulation) {
  const auto main = []() -> task<time_point> {
    std::vector<join_handle<void>> jobs;
    for (int i = 0; i < 5; ++i) jobs.push_back(spawn(run_blocking([] { consume(10ms); })));
    for (auto& each : jobs) co_await each.join();
    co_return now();
  };
  EXPECT_EQ(run_well(main), time_point(20ms));
}

TEST(RunBlockingTest, AnotherExecutorCanBeTheDefault) {
  const auto main = []() -> task<time_point> {
    thread_pool one(1);
    set_default_executor(one);
    auto first = spawn(run_blocking([] { consume(10ms); }));
    auto second = spawn(run_blocking([] { consume(10ms); }));
    co_await first.join();
    co_await second.join();
    co_return now();
  };
  sim::world world;
  EXPECT_EQ(world.run(main), time_point(20ms));
  // It is forgotten with the run.
  EXPECT_EQ(world.run([]() -> task<int> { co_return co_await run_blocking([] { return 42; }); }), 42);
}

TEST(RunBlockingTest, ADefaultThatHasDiedIsMisuseWhereItIsUsed) {
  const auto main = []() -> task<void> {
    {
      thread_pool one(1);
      set_default_executor(one);
    }
    EXPECT_THROW(co_await run_blocking([] {}), misuse);
    thread_pool other(1);
    set_default_executor(other);
    co_await run_blocking([] {});
  };
  EXPECT_EQ(judge(main).messages(), "misuse: the executor that was given to set_default_executor() has died\n");
}

TEST(RunBlockingTest, WhoUsesTheDefaultPoolFirstIsInNoIdentity) {
  // Its making is nobody's: the object that is made next has the identity that it would have without it.
  const auto id_after = [](bool used) {
    return run_well([used]() -> task<identity> {
      if (used) static_cast<void>(current_loop()->default_executor());
      const event next;
      co_return next.id();
    });
  };
  EXPECT_EQ(id_after(true), id_after(false));
}

}  // namespace
}  // namespace lockstep
