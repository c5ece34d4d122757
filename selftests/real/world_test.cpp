// What real::world has of its own; what it shares with sim::world is tested in selftests/sim/world_test.cpp.
#include "../runtime/judged_run.hpp"
#include "stuck_job.hpp"

#include <lockstep/real/world.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <stdexcept>

namespace lockstep::real {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// A bit of everything, as long as it takes.
task<int> busy() {
  mutex lock("lock");
  queue<int> sent(2, "sent");
  int count = 0;
  const auto send = [&]() -> task<void> {
    for (int i = 0; i < 5; ++i) {
      co_await sleep_for(100us);
      co_await sent.put(1);
    }
  };
  const auto receive = [&]() -> task<void> {
    for (int i = 0; i < 10; ++i) {
      const int received = co_await sent.get();
      const mutex_guard held = co_await lock.lock();
      count += received;
    }
  };
  co_await when_all(send(), send(), receive());
  co_return count;
}

TEST(RealWorldTest, RunsATaskAndReturnsItsResult) {
  world world;
  EXPECT_EQ(world.run(busy()), 10);
  EXPECT_EQ(world.run(busy), 10);  // made within the run, which is the second of this world
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(RealWorldTest, ThrowsWhatLeftTheMainTask) {
  world world;
  const auto fail = []() -> task<void> {
    co_await sleep_for(1ms);
    throw std::runtime_error("disk full");
  };
  EXPECT_THROW(world.run(fail()), std::runtime_error);
}

TEST(RealWorldTest, BeginsEachRunAtTimeZero) {
  world world;
  const auto main = []() -> task<void> {
    EXPECT_EQ(now(), time_point{});
    co_await sleep_for(1ms);
  };
  world.run(main());
  world.run(main());
}

TEST(RealWorldTest, FindsWhatASimulationFinds) {
  world world;
  const auto hold_and_wait = [](mutex& first, mutex& second) -> task<void> {
    const mutex_guard one = co_await first.lock();
    co_await sleep_for(1ms);
    const mutex_guard other = co_await second.lock();
  };
  const auto main = [&]() -> task<void> {
    mutex a("a"), b("b");
    co_await when_all(hold_and_wait(a, b), hold_and_wait(b, a));
  };
  EXPECT_THROW(world.run(main()), misuse);
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::deadlock);
  EXPECT_EQ(world.verdicts().front().cycle.size(), 2u);
}

TEST(RealWorldTest, CancelsAndAwaitsTheDaemonsAtTheEnd) {
  world world;
  bool ended = false;
  const auto serve = [&]() -> task<void> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ended = true;
      throw;
    }
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve());
    co_await yield();
  };
  world.run(main());
  EXPECT_TRUE(ended);
}

TEST(RealWorldTest, AwaitsEverybodyWhoIsLeftIfItIsToDoThat) {
  world world;
  std::vector<join_handle<void>> kept;
  const auto left = []() -> task<void> { co_await sleep_for(24h); };
  const auto failing = []() -> task<void> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      throw std::runtime_error("flush failed");
    }
  };
  const auto main = [&]() -> task<void> {
    kept.push_back(spawn(left(), "left"));
    kept.push_back(spawn(failing(), "failing"));
    co_await yield();
  };
  world_options how;
  how.await_everybody = true;
  world.run(main(), how);
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::unread_exception);
  EXPECT_EQ(world.verdicts().front().message, "task \"failing\" failed and nobody looked: flush failed");
  kept.clear();
  world.run(main());  // as a simulation does: they should not be there
  EXPECT_EQ(world.verdicts().size(), 2u);
  for (const verdict& each : world.verdicts()) EXPECT_EQ(each.kind, verdict_kind::leaked_task);
  kept.clear();
}

TEST(RealWorldTest, LetsAnExceptionOfAHandlerLeaveTheRun) {
  world world;
  const auto main = []() -> task<void> {
    boost::asio::post(current_io_context(), [] { throw std::runtime_error("of a handler"); });
    co_await sleep_for(24h);
  };
  EXPECT_THROW(world.run(main()), std::runtime_error);
  EXPECT_EQ(current_loop(), nullptr);
  EXPECT_EQ(world.run(busy()), 10);
}

TEST(RealWorldTest, LeavesBlockingJobsThatDoNotEndInTimeAndWaitsForThemBeforeItsNextRun) {
  const stuck_job job;
  bool destroyed = false;
  std::vector<join_handle<void>> kept;
  const auto write = [&]() -> task<void> {
    struct witness {
      bool& destroyed;
      ~witness() { destroyed = true; }
    };
    const witness used_by_the_job{destroyed};
    auto blocks = job.function();
    co_await run_blocking(std::move(blocks));
  };
  const auto main = [&]() -> task<int> {
    kept.push_back(spawn(write(), "writer"));
    co_await yield();
    job.wait_until_it_has_begun();
    co_return 42;
  };
  world world;
  world_options how;
  how.await_everybody = true;
  how.jobs_limit = 0s;
  EXPECT_EQ(world.run(main(), how), 42);
  EXPECT_TRUE(world.left_jobs());
  EXPECT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(current_loop(), nullptr);
  EXPECT_FALSE(destroyed);
  job.let_end();
  EXPECT_EQ(world.run(busy()), 10);
  EXPECT_TRUE(destroyed);
  EXPECT_FALSE(world.left_jobs());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(RealWorldTest, MayRunInATaskOfASimulation) {
  sim::world outer;
  const auto main = []() -> task<int> {
    co_await sleep_for(24h);
    world inner;
    const int result = inner.run(busy());
    EXPECT_EQ(now(), time_point{24h});
    co_return result;
  };
  EXPECT_EQ(outer.run(main()), 10);
  EXPECT_THAT(outer.verdicts(), IsEmpty());
}

}  // namespace
}  // namespace lockstep::real
