// Blocking jobs that touch what is the loop's, are forgotten, or outlive their pool.
#include "planted.hpp"

#include <optional>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

TEST(BlockingBugs, AJobThatTouchesWhatIsTheLoops) {
  const auto in_a_job = [](std::string what) {
    return bug{verdict_kind::misuse, what + " in a blocking job (blocking.cpp:"};
  };
  const auto caught_misuse = [](auto use) {
    return [use]() -> task<void> {
      const local mine;
      const auto job = [&use] {
        try {
          use();
        } catch (const misuse&) {
        }
      };
      co_await run_blocking(job);
    };
  };
  EXPECT_TRUE(caught(in_a_job("event \"done\" was set"), []() -> task<void> {
    event done("done");
    co_await run_blocking([&done] {
      try {
        done.set();
      } catch (const misuse&) {
      }
    });
  }));
  EXPECT_TRUE(caught(in_a_job("queue \"results\" was put into"), []() -> task<void> {
    queue<int> results(1, "results");
    co_await run_blocking([&results] {
      try {
        static_cast<void>(results.try_put(1));
      } catch (const misuse&) {
      }
    });
  }));
  EXPECT_TRUE(caught(in_a_job("task \"reader\" was cancelled"), []() -> task<void> {
    auto reader = spawn(sleep_long(), "reader");
    co_await run_blocking([&reader] {
      try {
        reader.cancel();
      } catch (const misuse&) {
      }
    });
    reader.cancel();
    try {
      co_await reader.join();
    } catch (const cancelled&) {
    }
  }));
  EXPECT_TRUE(caught(in_a_job("the loop was used"), caught_misuse([] { static_cast<void>(spawn(sleep_long())); })));
  EXPECT_TRUE(silent([]() -> task<void> {
    const local mine;
    event done("done");
    queue<int> results(1, "results");
    const int result = co_await run_blocking([] {
      consume(5ms);
      return 1;
    });
    done.set();
    static_cast<void>(results.try_put(result));
  }));
}

TEST(BlockingBugs, MisuseThatLeavesTheJobIsToldOnce) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "event \"done\" was set in a blocking job"}, []() -> task<void> {
    event done("done");
    co_await run_blocking([&done] { done.set(); });
  }));
}

TEST(BlockingBugs, AJobThatIsNeverAwaited) {
  EXPECT_TRUE(caught({verdict_kind::unawaited_task, "was made and never awaited"}, []() -> task<void> {
    const local mine;
    {
      const auto forgotten = run_blocking([] { consume(1s); });
    }
    co_return;
  }));
  EXPECT_TRUE(silent([]() -> task<void> {
    const local mine;
    auto later = run_blocking([] { consume(1s); });
    co_await std::move(later);
  }));
}

TEST(BlockingBugs, AJobWhoseTaskIsForgotten) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "died before the task ended"}, []() -> task<void> {
    const local mine;
    auto forgotten = spawn(run_blocking([] { consume(1s); }));
    co_await sleep_for(1ms);
  }));
}

TEST(BlockingBugs, APoolThatDiesUnderItsJobs) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "the thread_pool \"cpu\" died while task \"worker\" waits for a job"},
                     []() -> task<void> {
                       std::optional<thread_pool> pool(std::in_place, 1u, label("cpu"));
                       const auto work = [&pool](local& parent) -> task<void> {
                         const local mine(parent);
                         co_await run_blocking(*pool, [] { consume(1s); });
                       };
                       local mine;
                       auto worker = spawn(work(mine), "worker");
                       co_await sleep_for(1ms);
                       pool.reset();
                       co_await worker.join();
                     }));
  EXPECT_TRUE(silent([]() -> task<void> {
    std::optional<thread_pool> pool(std::in_place, 1u, label("cpu"));
    const auto work = [&pool](local& parent) -> task<void> {
      const local mine(parent);
      co_await run_blocking(*pool, [] { consume(1s); });
    };
    local mine;
    auto worker = spawn(work(mine), "worker");
    co_await sleep_for(1ms);
    if (co_await pool->shut_down() != 0) throw std::runtime_error("it has waited for them all");
    co_await worker.join();
    pool.reset();
  }));
}

TEST(BlockingBugs, AFailureOfAJobThatNobodyReads) {
  EXPECT_TRUE(caught({verdict_kind::unread_exception, "failed and nobody looked: disk full"}, []() -> task<void> {
    const local mine;
    auto writer = spawn(run_blocking([] { throw std::runtime_error("disk full"); }), "writer");
    co_await sleep_for(1ms);
  }));
  EXPECT_TRUE(silent([]() -> task<void> {
    const local mine;
    auto writer = spawn(run_blocking([] { throw std::runtime_error("disk full"); }), "writer");
    try {
      co_await writer.join();
    } catch (const std::runtime_error&) {
    }
  }));
}

// Two computations that a test takes for parallel, on a pool of one.
TEST(BlockingBugs, APoolThatIsTooSmallForADeadline) {
  const auto both_within = [](unsigned workers) {
    return [workers]() -> task<void> {
      thread_pool pool(workers);
      const auto compute = [&pool]() -> task<void> {
        const local mine;
        co_await run_blocking(pool, [] { consume(80ms); });
      };
      co_await with_timeout(100ms, both(compute(), compute()));
    };
  };
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "timed out after 100 ms"}, both_within(1)));
  EXPECT_TRUE(silent(both_within(2)));
}

// A computation on the loop makes a heartbeat late; as a job it does not.
TEST(BlockingBugs, AComputationOnTheLoopThatHoldsUpAHeartbeat) {
  const auto beats_while = [](bool as_job) {
    return [as_job]() -> task<void> {
      const auto beat = []() -> task<void> {
        const local mine;
        for (int i = 1; i <= 10; ++i) {
          const time_point due = now() + 10ms;
          co_await sleep_for(10ms);
          require(now() <= due + 5ms, "the heartbeat is late");
        }
      };
      auto heart = spawn(beat(), "heart");
      co_await sleep_for(5ms);
      if (as_job) {
        co_await run_blocking([] { consume(50ms); });
      } else {
        consume(50ms);
      }
      co_await heart.join();
    };
  };
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "the heartbeat is late"}, beats_while(false)));
  EXPECT_TRUE(silent(beats_while(true)));
}

}  // namespace
}  // namespace lockstep::planted
