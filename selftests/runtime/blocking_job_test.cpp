// The two sides of one job: who has it, and how its result is kept.
#include "judged_run.hpp"

#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/inbox.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

template <class F>
std::shared_ptr<detail::job_of<F>> make_job(F function) {
  return std::make_shared<detail::job_of<F>>(std::move(function), source());
}

TEST(BlockingJobTest, IsBegunOrTakenBackAndNeverBoth) {
  sim::world world;
  world.start();
  const auto begun = make_job([] {});
  EXPECT_TRUE(begun->begin());
  EXPECT_FALSE(begun->begin());
  EXPECT_FALSE(begun->take_back());
  const auto taken = make_job([] {});
  EXPECT_TRUE(taken->take_back());
  EXPECT_TRUE(taken->take_back());
  EXPECT_FALSE(taken->begin());
}

TEST(BlockingJobTest, OfSeveralThreadsOneHasIt) {
  sim::world world;
  world.start();
  for (int round = 0; round < 100; ++round) {
    const auto contended = make_job([] {});
    std::atomic<int> winners = 0;
    std::vector<std::thread> workers;
    for (int i = 0; i < 2; ++i) {
      workers.emplace_back([&] {
        if (contended->begin()) ++winners;
      });
    }
    if (contended->take_back()) ++winners;
    for (std::thread& each : workers) each.join();
    EXPECT_EQ(winners, 1);
  }
}

TEST(BlockingJobTest, TheFunctionGoesWhenItHasRunOrIsTakenBack) {
  sim::world world;
  world.start();
  const auto held = std::make_shared<int>(1);
  const auto run = make_job([held] { return *held; });
  const auto taken = make_job([held] { return *held; });
  const auto dropped = make_job([held] { return *held; });
  EXPECT_EQ(held.use_count(), 4);
  ASSERT_TRUE(run->begin());
  run->run();
  EXPECT_EQ(held.use_count(), 3);
  EXPECT_TRUE(taken->take_back());
  EXPECT_EQ(held.use_count(), 2);
  dropped->drop();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(run->failed());
  EXPECT_EQ(run->take(), 1);
  EXPECT_TRUE(dropped->failed());
}

TEST(BlockingJobTest, WhileItRunsTheThreadIsNoLoops) {
  sim::world world;
  world.start();
  loop* seen_loop = &world.loop();
  detail::job_state* seen_job = nullptr;
  bool at_home = true;
  const auto looks = make_job([&] {
    seen_loop = current_loop();
    seen_job = detail::job_state::here();
    at_home = world.loop().outside().on_its_thread();
  });
  ASSERT_TRUE(looks->begin());
  looks->run();
  EXPECT_EQ(seen_loop, nullptr);
  EXPECT_EQ(seen_job, looks.get());
  EXPECT_FALSE(at_home);
  EXPECT_EQ(current_loop(), &world.loop());
  EXPECT_EQ(detail::job_state::here(), nullptr);
  EXPECT_TRUE(world.loop().outside().on_its_thread());
}

TEST(BlockingJobTest, TimeAddsUpInASimulation) {
  sim::world world;
  world.start();
  const auto works = make_job([] {
    consume(1ms);
    consume(2ms);
    return now();
  });
  ASSERT_TRUE(works->begin());
  EXPECT_EQ(works->run_at(time_point(10ms)), 3ms);
  EXPECT_EQ(works->take(), time_point(13ms));
}

TEST(BlockingJobTest, TheResultIsAValueAnLvalueReferenceOrNothing) {
  int named = 0;
  const auto by_value = [] { return 1; };
  const auto by_const_value = []() -> const std::string { return "constant"; };
  const auto by_reference = [&named]() -> int& { return named; };
  const auto by_rvalue = [&named]() -> int&& { return std::move(named); };
  const auto nothing = [] {};
  static_assert(std::is_same_v<detail::job_result<decltype(by_value)>, int>);
  static_assert(std::is_same_v<detail::job_result<decltype(by_const_value)>, std::string>);
  static_assert(std::is_same_v<detail::job_result<decltype(by_reference)>, int&>);
  static_assert(std::is_same_v<detail::job_result<decltype(by_rvalue)>, int>);
  static_assert(std::is_void_v<detail::job_result<decltype(nothing)>>);
  sim::world world;
  world.start();
  const auto refers = make_job(by_reference);
  ASSERT_TRUE(refers->begin());
  refers->run();
  EXPECT_EQ(&refers->take(), &named);
}

}  // namespace
}  // namespace lockstep
