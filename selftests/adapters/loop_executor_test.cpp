#include <lockstep/adapters/loop_executor.hpp>

#include "../net/in_both_worlds.hpp"
#include "../runtime/judged_run.hpp"

#include <lockstep/adapters/asio.hpp>
#include <lockstep/testing/testing.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace lockstep {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

static_assert(asio::execution::is_executor<loop_executor>::value);
static_assert(asio::can_require<loop_executor, asio::execution::blocking_t::never_t>::value);
static_assert(asio::can_require<loop_executor, asio::execution::outstanding_work_t::tracked_t>::value);
static_assert(std::is_convertible_v<loop_executor, asio::any_io_executor>);

task<void> posts_and_dispatches() {
  const loop_executor executor;
  std::string order;
  asio::post(executor, [&] { order += "posted "; });
  asio::defer(executor, [&] { order += "deferred "; });
  asio::dispatch(executor, [&] { order += "dispatched "; });
  EXPECT_TRUE(executor.running_in_this_thread());
  EXPECT_EQ(order, "dispatched ");
  co_await settle();
  EXPECT_EQ(order, "dispatched posted deferred ");
}

TEST(LoopExecutorTest, PostsACallAndDispatchesHere) { run_in_both_worlds(posts_and_dispatches); }

task<void> has_properties() {
  const loop_executor executor;
  EXPECT_EQ(executor, loop_executor());
  EXPECT_NE(executor, asio::require(executor, asio::execution::blocking.never));
  EXPECT_NE(executor, asio::require(executor, asio::execution::outstanding_work.tracked));
  const loop_executor changed =
      asio::require(executor, asio::execution::blocking.never, asio::execution::relationship.continuation,
                    asio::execution::outstanding_work.tracked);
  EXPECT_EQ(asio::query(changed, asio::execution::blocking), asio::execution::blocking.never);
  EXPECT_EQ(asio::query(changed, asio::execution::relationship), asio::execution::relationship.continuation);
  EXPECT_EQ(asio::query(changed, asio::execution::outstanding_work), asio::execution::outstanding_work.tracked);
  EXPECT_EQ(executor, asio::require(changed, asio::execution::blocking.possibly, asio::execution::relationship.fork,
                                    asio::execution::outstanding_work.untracked));
  const asio::any_io_executor any = executor;
  EXPECT_EQ(&asio::query(any, asio::execution::context), &asio::query(executor, asio::execution::context));
  EXPECT_TRUE(detail::is_loops(any));
  EXPECT_TRUE(detail::is_loops(asio::make_strand(executor)));
  EXPECT_FALSE(detail::is_loops(asio::query(executor, asio::execution::context).get_executor()));
  co_return;
}

TEST(LoopExecutorTest, HasThePropertiesThatAsioAsksFor) { run_in_both_worlds(has_properties); }

TEST(LoopExecutorTest, TheOraclePicksWhatWasPostedLikeAnyOther) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::unique_ptr<oracle> choices = make_oracle(schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    std::string order;
    const auto posts = [&order]() -> task<void> {
      const loop_executor executor;
      asio::post(executor, [&order] { order += 'a'; });
      asio::post(executor, [&order] { order += 'b'; });
      co_await settle();
    };
    EXPECT_EQ(judge(posts, how).messages(), "");
    orders.insert(order);
  }
  EXPECT_EQ(orders, (std::set<std::string>{"ab", "ba"}));
}

// However long the chain, each is a child of the task that began it.
CO_TEST(LoopExecutorTest, WhatGoesOnForLongIsNoChainOfTasks) {
  int left = 1000;
  std::function<void()> again = [&] {
    EXPECT_EQ(current_task().parent()->parent(), nullptr);
    if (--left != 0) asio::post(loop_executor(), again);
  };
  asio::post(loop_executor(), again);
  co_await settle();
  EXPECT_EQ(left, 0);
}

asio::awaitable<int> adds_up(int count) {
  int sum = 0;
  for (int i = 1; i <= count; ++i) {
    co_await asio::post(asio::use_awaitable);
    sum += i;
  }
  co_return sum;
}

task<void> awaits_a_coroutine() {
  const int sum = co_await asio::co_spawn(loop_executor(), adds_up(4), use_task);
  EXPECT_EQ(sum, 10);
}

TEST(LoopExecutorTest, CoroutinesOfAsiosRunOnTheLoop) {
  run_in_both_worlds(awaits_a_coroutine);
  run_in_random_orders(awaits_a_coroutine);
}

TEST(LoopExecutorTest, WhatAHandlerThrowsIsTheRuns) {
  const auto throws = []() -> task<void> {
    const loop_executor executor;
    asio::post(executor, [] { throw std::runtime_error("of a call"); });
    asio::post(asio::query(executor, asio::execution::context), [] { throw std::runtime_error("of the context"); });
    co_await settle();
  };
  const judged_run found = judge(throws);
  EXPECT_TRUE(found.ended);
  EXPECT_THAT(found.messages(), testing::AllOf(testing::HasSubstr("of a call"), testing::HasSubstr("of the context")));
}

TEST(LoopExecutorTest, ThereMustBeALoop) { EXPECT_THROW(loop_executor(), misuse); }

TEST(LoopExecutorTest, DropsWhatItIsGivenWhenItsRunIsOver) {
  std::optional<loop_executor> kept;
  std::optional<loop_executor> working;
  const auto main = [&]() -> task<void> {
    kept.emplace();
    working.emplace(asio::require(*kept, asio::execution::outstanding_work.tracked));
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
  const auto owned = std::make_shared<int>();
  asio::post(*kept, [owned] { ADD_FAILURE() << "called"; });
  asio::dispatch(*working, [owned] { ADD_FAILURE() << "called"; });
  EXPECT_EQ(owned.use_count(), 1);
  const asio::steady_timer timer(*kept);  // its context is there, if only for that
}

// -- the context ------------------------------------------------------------------------------------------------------

CO_TEST(LoopExecutorTest, ItsContextIsPolledBeforeTimeMoves) {
  asio::io_context& context = asio::query(loop_executor(), asio::execution::context);
  std::optional<time_point> called;
  asio::post(context, [&] { called = now(); });
  co_await sleep_for(1h);
  EXPECT_EQ(called, time_point{});
}

CO_TEST(LoopExecutorTest, AHandlerOfTheContextMayUseTheLoop) {
  asio::io_context& context = asio::query(loop_executor(), asio::execution::context);
  bool called = false;
  asio::post(context, [&] { asio::dispatch(loop_executor(), [&] { called = true; }); });
  co_await sleep_for(1ns);
  EXPECT_TRUE(called);
}

// Asio's time is not the virtual one: nobody waits for it, unless it is marked.
CO_TEST(LoopExecutorTest, ATimerOfAsiosIsOutside) {
  asio::steady_timer timer(loop_executor(), 1ms);
  const auto waits = [](asio::steady_timer& of) -> task<void> { co_await of.async_wait(use_task); };
  EXPECT_THROW(co_await with_timeout(1h, waits(timer)), timed_out);
  EXPECT_EQ(now().time_since_epoch(), 1h);
  timer.expires_after(1ms);
  co_await outside(timer.async_wait(use_task));
  EXPECT_EQ(now().time_since_epoch(), 1h);
}

TEST(LoopExecutorTest, WhatItsContextHasBegunIsDroppedAtTheEndOfTheRun) {
  const auto owned = std::make_shared<int>();
  const auto main = [&]() -> task<void> {
    const auto timer = std::make_shared<asio::steady_timer>(loop_executor(), 1h);
    timer->async_wait([owned, timer](boost::system::error_code) { ADD_FAILURE() << "called"; });
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(owned.use_count(), 1);
}

CO_TEST(LoopExecutorTest, StartsNoThread) {
  const auto threads = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}); };
  const auto before = threads();
  asio::steady_timer timer(loop_executor(), 1h);
  timer.async_wait(asio::detached);
  co_await sleep_for(1s);
  EXPECT_EQ(threads(), before);
}

// -- threads ----------------------------------------------------------------------------------------------------------

task<void> is_posted_to_by_a_thread() {
  const auto came = std::make_shared<promise<std::thread::id>>();
  future<std::thread::id> where = came->get_future();
  std::thread poster([work = asio::make_work_guard(loop_executor()), came]() mutable {
    asio::dispatch(work.get_executor(), [came = std::move(came)] { came->set_value(std::this_thread::get_id()); });
    work.reset();
  });
  EXPECT_EQ(co_await where.get(), std::this_thread::get_id());
  poster.join();
}

// The work keeps the loop waiting.
TEST(LoopExecutorTest, AThreadMayPost) {
  real::world world;
  world.run(is_posted_to_by_a_thread());
  EXPECT_THAT(world.verdicts(), testing::IsEmpty());
}

}  // namespace
}  // namespace lockstep
