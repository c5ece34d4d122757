// An operation that has its job only when it knows that it must.
#include "judged_run.hpp"

#include <lockstep/runtime/job_waiter.hpp>

#include <memory>
#include <utility>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

// Counts on the spot, or on a worker that takes a second for it.
class counting final : public primitive<counting, detail::job_waiter> {
 public:
  counting(int& counted, bool on_worker, executor* on = nullptr) noexcept
      : primitive(operation_kind::job), counted_(counted), on_worker_(on_worker), on_(on) {}
  ~counting() { part(); }

  bool try_now() {
    if (!on_worker_) {
      ++counted_;
      return true;
    }
    const auto count = [&counted = counted_] {
      consume(1s);
      ++counted;
    };
    is_for(on_);
    has_job(std::make_shared<detail::job_of<decltype(count)>>(count, source()));
    return false;
  }
  void enqueue() noexcept override { submit(); }
  void withdraw() noexcept override { part(); }
  bool cancel_requested() noexcept override { return cancel_job(); }
  bool revoke() noexcept override { return false; }
  void result() const {
    if (failure() != nullptr) std::rethrow_exception(failure());
  }

 private:
  void job_ended() noexcept override { detail::current_context->owner->grant(*this); }

  int& counted_;
  bool on_worker_;
  executor* on_;
};

task<void> count(int& counted, bool on_worker, executor* on = nullptr) {
  counting one(counted, on_worker, on);
  co_await one;
}

TEST(JobWaiterTest, NeedsNoJobIfItNeedNotWait) {
  sim::world world;
  int counted = 0;
  world.run(count(counted, false));
  EXPECT_EQ(counted, 1);
  EXPECT_TRUE(world.verdicts().empty());
}

TEST(JobWaiterTest, WaitsUntilItsJobIsDone) {
  sim::world world;
  int counted = 0;
  const auto body = [&]() -> task<void> {
    const time_point before = now();
    co_await count(counted, true);
    EXPECT_EQ(now() - before, 1s);
  };
  world.run(body());
  EXPECT_EQ(counted, 1);
  EXPECT_TRUE(world.verdicts().empty());
}

// One worker is busy with the first: the second job is taken back, the first is waited for and then seen.
TEST(JobWaiterTest, TakesBackAJobThatNobodyHasBegun) {
  sim::world world;
  int counted = 0;
  const auto body = [&]() -> task<void> {
    thread_pool pool(1);
    auto first = spawn(count(counted, true, &pool));
    auto second = spawn(count(counted, true, &pool));
    co_await sleep_for(500ms);
    EXPECT_EQ(pool.unfinished(), 2U);
    second.cancel();
    EXPECT_TRUE((co_await as_result(second.join())).was_cancelled());
    EXPECT_EQ(pool.unfinished(), 1U);
    first.cancel();
    EXPECT_TRUE((co_await as_result(first.join())).was_cancelled());
    EXPECT_EQ(now().time_since_epoch(), 1s);
  };
  world.run(body());
  EXPECT_EQ(counted, 1);
  EXPECT_TRUE(world.verdicts().empty());
}

TEST(JobWaiterTest, WaitsForTheTaskThatRunsItsJob) {
  sim::world world;
  int counted = 0;
  const auto body = [&]() -> task<void> {
    auto waiter = spawn(count(counted, true));
    co_await sleep_for(500ms);
    const operation* const at = waiter.get().parked_at();
    EXPECT_NE(at->holder(), nullptr);
    std::vector<agent*> awaited;
    at->awaits(awaited);
    EXPECT_EQ(awaited, std::vector{at->holder()});
    co_await waiter.join();
  };
  world.run(body());
  EXPECT_TRUE(world.verdicts().empty());
}

}  // namespace
}  // namespace lockstep
