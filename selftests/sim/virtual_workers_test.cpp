// How simulated workers take jobs: what is fixed, and what is the oracle's to pick.
#include "../sync/schedules.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

// What `make(log)` writes into its log, in all orders that 200 seeds give.
template <class F>
std::set<std::string> logs(F make, ordering order) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed <= 200; ++seed) {
    const auto choices = make_oracle(seed == 0 ? schedule::plain : schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    how.order = order;
    std::string log;
    const judged_run run = judge([&] { return make(log); }, how);
    EXPECT_EQ(run.messages(), "");
    seen.insert(log);
  }
  return seen;
}

// Two jobs on `workers`, given in this order.
task<void> two_jobs(std::string& log, unsigned workers, duration first, duration second) {
  thread_pool pool(workers);
  const auto work = [&](std::string name, duration length) -> task<void> {
    co_await run_blocking(pool, [&log, &name, length] {
      log += name + " begins, ";
      consume(length);
    });
    log += name + " ended, ";
  };
  auto a = spawn(work("a", first));
  while (pool.unfinished() == 0) co_await yield();
  auto b = spawn(work("b", second));
  co_await a.join();
  co_await b.join();
}

TEST(VirtualWorkersTest, OneWorkerTakesThemInOrder) {
  const auto make = [](std::string& log) { return two_jobs(log, 1, 10ms, 10ms); };
  for (const ordering order : {ordering::any_order, ordering::fifo}) {
    for (const std::string& log : logs(make, order)) {
      EXPECT_LT(log.find("a begins"), log.find("b begins"));
      EXPECT_LT(log.find("a begins"), log.find("a ended"));
    }
  }
}

TEST(VirtualWorkersTest, OfTwoThatEndAtOneInstantEitherIsFirst) {
  const auto make = [](std::string& log) { return two_jobs(log, 2, 10ms, 10ms); };
  for (const ordering order : {ordering::any_order, ordering::fifo}) {
    bool a_first = false;
    bool b_first = false;
    for (const std::string& log : logs(make, order)) {
      (log.find("a ended") < log.find("b ended") ? a_first : b_first) = true;
    }
    EXPECT_TRUE(a_first);
    EXPECT_TRUE(b_first);
  }
}

TEST(VirtualWorkersTest, OfTwoThatWereTakenEitherBeginsFirst) {
  const auto make = [](std::string& log) -> task<void> {
    thread_pool pool(2);
    const auto work = [&](std::string name) -> task<void> {
      co_await run_blocking(pool, [&log, &name] { log += name; });
    };
    auto a = spawn(work("a"));
    auto b = spawn(work("b"));
    co_await a.join();
    co_await b.join();
  };
  EXPECT_THAT(logs(make, ordering::any_order), UnorderedElementsAre("ab", "ba"));
}

TEST(VirtualWorkersTest, TheOneThatTakesLessTimeIsFirstOnTwoWorkers) {
  const auto make = [](std::string& log) { return two_jobs(log, 2, 10ms, 5ms); };
  for (const std::string& log : logs(make, ordering::any_order)) EXPECT_LT(log.find("b ended"), log.find("a ended"));
}

TEST(VirtualWorkersTest, AJobIsAChildOfTheTaskThatWaitsWhoeverRunsWhen) {
  std::set<std::string> found;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto choices = make_oracle(schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    const judged_run run = judge(
        [&found]() -> task<void> {
          const auto work = []() -> task<void> { co_await run_blocking([] { consume(1ms); }); };
          auto one = spawn(work());
          auto two = spawn(work());
          co_await sleep_for(500us);
          std::multiset<std::string> paths;
          for (agent* each : current_loop()->alive()) paths.insert(each->path());
          std::string text;
          for (const std::string& each : paths) text += each + " ";
          found.insert(text);
          co_await one.join();
          co_await two.join();
        },
        how);
    EXPECT_EQ(run.messages(), "");
  }
  EXPECT_THAT(found, ElementsAre("1 1.1 2 2.1 main "));
}

TEST(VirtualWorkersTest, NobodyElseEndsAJobEarly) {
  const judged_run run = judge([]() -> task<void> {
    auto waits = spawn(run_blocking([] { consume(10ms); }));
    co_await sleep_for(1ms);
    for (agent* each : current_loop()->alive()) {
      if (each->name().starts_with("blocking_job")) each->cancel();
    }
    co_await waits.join();
    EXPECT_EQ(now(), time_point(10ms));
  });
  EXPECT_EQ(run.messages(), "");
}

// A world that goes at any moment takes the jobs with it, those that wait for a worker and those that are at one.
TEST(VirtualWorkersTest, EndWithTheWorldAtAnyStep) {
  for (std::uint64_t steps = 1; steps < 40; ++steps) {
    sim::world_options how;
    how.steps_max = steps;
    int held = 0;
    struct count {
      int& of;
      explicit count(int& in) : of(in) { ++of; }
      count(const count& other) : of(other.of) { ++of; }
      ~count() { --of; }
    };
    judge(
        [&held]() -> task<void> {
          thread_pool one(1);
          const auto work = [&]() -> task<void> {
            auto function = [kept = count(held)] { consume(1ms); };
            co_await run_blocking(one, function);
          };
          auto a = spawn(work());
          auto b = spawn(work());
          auto c = spawn(work());
          co_await sleep_for(500us);
          b.cancel();
          co_await a.join();
          static_cast<void>(co_await was_cancelled(b));
          co_await c.join();
        },
        how);
    EXPECT_EQ(held, 0);
  }
}

}  // namespace
}  // namespace lockstep
