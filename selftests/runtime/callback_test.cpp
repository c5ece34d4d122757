#include "../sync/schedules.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

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
using testing::MatchesRegex;

CO_TEST(CallbackTest, CallsSoonButNotAtOnce) {
  std::string log;
  call_soon([&] { log += 'a'; });
  call_soon([&] { log += 'b'; });
  EXPECT_EQ(log, "");
  co_await settle();
  EXPECT_EQ(log, "ab");
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(CallbackTest, CallsAfterADelayAndAtATime) {
  std::vector<std::pair<char, time_point>> log;
  const auto note = [&](char name) { return [&log, name] { log.emplace_back(name, now()); }; };
  call_later(2s, note('c'));
  call_at(time_point{1s}, note('b'));
  call_later(-1s, note('a'));
  call_at(time_point::max(), note('x'));
  call_later(1h, note('x'));
  co_await sleep_for(3s);
  EXPECT_THAT(
      log, ElementsAre(std::pair('a', time_point{}), std::pair('b', time_point{1s}), std::pair('c', time_point{2s})));
}

// A timer is armed when the call is scheduled, not when its task would have been first picked.
CO_TEST(CallbackTest, CallsOfOneInstantAreMadeInTheOrderInWhichTheyWereScheduled, .order = ordering::fifo) {
  std::string log;
  call_later(1s, [&] { log += 'a'; });
  co_await sleep_for(1s);
  EXPECT_EQ(log, "a");
}

CO_TEST(CallbackTest, WhatIsCancelledIsNotCalledAndItsFunctionIsDestroyed) {
  const auto held = std::make_shared<int>(1);
  bool called = false;
  const auto call = [held, &called] { called = true; };
  const long before = held.use_count();
  callback_handle soon = call_soon(call);
  callback_handle later = call_later(1s, call);
  const callback_handle copy = later;
  EXPECT_EQ(held.use_count(), before + 2);
  EXPECT_FALSE(copy.cancelled());
  EXPECT_TRUE(soon.cancel());
  EXPECT_TRUE(later.cancel());
  EXPECT_FALSE(later.cancel()) << "once";
  EXPECT_TRUE(copy.cancelled());
  EXPECT_EQ(held.use_count(), before);
  co_await sleep_for(2s);
  EXPECT_FALSE(called);
}

CO_TEST(CallbackTest, WhatWasCalledIsNotCancelledAnyMore) {
  const auto held = std::make_shared<int>(1);
  callback_handle handle;
  handle = call_soon([&handle, held] { EXPECT_FALSE(handle.cancel()) << "it has begun"; });
  co_await settle();
  EXPECT_EQ(held.use_count(), 1) << "the handle does not keep the function";
  EXPECT_FALSE(handle.cancel());
  EXPECT_FALSE(handle.cancelled());
}

CO_TEST(CallbackTest, TellsItsTime) {
  EXPECT_EQ(call_soon([] {}).when(), std::nullopt);
  EXPECT_EQ(call_later(5s, [] {}).when(), time_point{5s});
  EXPECT_EQ(call_at(time_point{7s}, [] {}).when(), time_point{7s});
  EXPECT_EQ(call_later(std::chrono::hours::max(), [] {}).when(), time_point::max());
  EXPECT_EQ(callback_handle().when(), std::nullopt);
  EXPECT_FALSE(callback_handle().cancel());
  EXPECT_FALSE(callback_handle().cancelled());
  co_await yield();
}

// It fires in the instant in which another one cancels it.
CO_TEST(CallbackTest, MayBeCancelledWhenItIsDueButHasNotBegun, .order = ordering::fifo) {
  std::string log;
  callback_handle second;
  call_later(1s, [&] {
    log += 'a';
    EXPECT_TRUE(second.cancel());
  });
  second = call_later(1s, [&] { log += 'b'; });
  call_later(1s, [&] { log += 'c'; });
  co_await sleep_for(2s);
  EXPECT_EQ(log, "ac");
}

CO_TEST(CallbackTest, IsATaskOfItsOwn) {
  agent& caller = current_task();
  std::string name;
  call_soon([&] {
    name = current_task().name();
    EXPECT_EQ(current_task().parent(), &caller);
    EXPECT_TRUE(current_task().is_callback());
  });
  EXPECT_FALSE(caller.is_callback());
  co_await settle();
  EXPECT_THAT(name, MatchesRegex("callback 1 \\(callback_test.cpp:[0-9]+\\)"));
}

CO_TEST(CallbackTest, MaySpawnAndScheduleMore) {
  std::string log;
  join_handle<void> child;
  const auto work = [&]() -> task<void> {
    co_await sleep_for(1s);
    log += 'c';
  };
  call_soon([&] {
    log += 'a';
    child = spawn(work());
    call_soon([&] { log += 'b'; });
  });
  co_await settle();
  co_await child.join();
  EXPECT_EQ(log, "abc");
}

// -- the end of a task ------------------------------------------------------------------------------------------------

CO_TEST(CallbackTest, IsCalledWhenATaskIsDone, .order = ordering::fifo) {
  std::string log;
  const auto work = [&]() -> task<int> {
    co_await sleep_for(1s);
    co_return 7;
  };
  auto worker = spawn(work());
  worker.on_done([&] { log += std::to_string(worker.result()); });
  callback_handle removed = worker.on_done([&] { log += 'x'; });
  const auto wait = [&]() -> task<void> {
    co_await worker.join_shielded();
    log += 'b';
  };
  auto waiter = spawn(wait());
  co_await yield();
  worker.on_done([&] { log += 'c'; });
  EXPECT_TRUE(removed.cancel());
  co_await waiter.join();
  co_await yield();
  EXPECT_EQ(log, "7bc");
  worker.on_done([&] { log += 'd'; });
  EXPECT_EQ(log, "7bc");
  co_await yield();
  EXPECT_EQ(log, "7bcd");
}

CO_TEST(CallbackTest, IsCalledWhenATaskFailsOrIsCancelled) {
  int calls = 0;
  const auto fail = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("disk full");
  };
  auto failing = spawn(fail());
  auto resting = spawn(advance(1h));
  failing.on_done([&] { ++calls; });
  resting.on_done([&] { ++calls; });
  resting.cancel();
  co_await settle();
  EXPECT_EQ(calls, 2);
  EXPECT_NE(failing.exception(), nullptr) << "the callback has not read it";
}

// To be told of the end is not to look at it.
TEST(CallbackTest, IsNoReaderOfATasksException) {
  const auto main = []() -> task<void> {
    const auto fail = []() -> task<void> {
      co_await yield();
      throw std::runtime_error("disk full");
    };
    auto failing = spawn(fail(), "failing");
    failing.on_done([] {});
    co_await settle();
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: task \"failing\" failed and nobody looked: disk full\n");
}

// -- errors -----------------------------------------------------------------------------------------------------------

TEST(CallbackTest, AnExceptionThatLeavesItIsAVerdictAndTheLoopGoesOn) {
  unsigned line = 0;
  const auto main = [&]() -> task<void> {
    line = source::current().line() + 1;
    call_soon([] { throw std::runtime_error("disk full"); });
    call_soon([] { throw cancelled("no more"); });
    co_await sleep_for(1s);
    EXPECT_EQ(now(), time_point{1s});
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unhandled_exception, verdict_kind::unhandled_exception));
  EXPECT_EQ(run.verdicts[0].message, "callback 1 (callback_test.cpp:" + std::to_string(line) + ") failed: disk full");
  EXPECT_EQ(run.verdicts[0].where.line(), line);
  EXPECT_THAT(run.verdicts[1].message, HasSubstr("failed: cancelled: no more"));
}

// Reported where it was made, and only there.
TEST(CallbackTest, AMistakeInItIsReportedOnce) {
  const auto main = []() -> task<void> {
    mutex door("door");
    call_soon([&] { door.unlock(); });
    co_await sleep_for(1s);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

TEST(CallbackTest, NeedsATaskInWhoseNameItIsMade) {
  EXPECT_THROW(call_soon([] {}), misuse);
  sim::world world;
  world.start();
  EXPECT_THROW(call_soon([] {}), misuse);
  world.finish();
}

// -- the end ----------------------------------------------------------------------------------------------------------

TEST(CallbackTest, WhatIsLeftAtTheEndIsDroppedAndIsNoVerdict) {
  const auto held = std::make_shared<int>(1);
  int called = 0;
  callback_handle kept;
  const auto main = [&]() -> task<void> {
    const promise<int> answer;
    const auto call = [held, &called] { ++called; };
    kept = call_later(1h, call);
    call_soon(call);
    answer.get_future().on_done(call);
    co_return;
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(run.summary.virtual_time, 0s);
  EXPECT_EQ(called, 0);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(kept.cancel());
  EXPECT_FALSE(kept.cancelled()) << "nobody has";
}

TEST(CallbackTest, ADaemonMayStillHaveCallsMadeInItsCleanUp) {
  bool called = false;
  const auto main = [&]() -> task<void> {
    const auto serve = [](bool* told) -> task<void> {
      bool ended = false;
      try {
        co_await sleep_for(1h);
      } catch (const cancelled&) {
        ended = true;
      }
      if (ended) call_later(1s, [told] { *told = true; });
      co_await shield(advance(2s));
    };
    spawn_daemon(serve(&called));
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_TRUE(called);
}

TEST(CallbackTest, AtAStandstillWhatIsLeftIsDestroyed) {
  const auto held = std::make_shared<int>(1);
  const auto main = [&]() -> task<void> {
    event never("never");
    call_at(time_point::max(), [held] {});
    co_await never.wait();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].tasks.back().waits_for, HasSubstr("sleep"));
  EXPECT_EQ(held.use_count(), 1);
}

CO_TEST(CallbackTest, IsNotAmongAllTasks) {
  agent* const me = &current_task();
  auto reader = spawn(pass(1s), "reader");
  std::size_t within = 0;
  call_soon([&] { within = all_tasks().size(); });
  call_later(1h, [] {});
  reader.on_done([] {});
  EXPECT_THAT(all_tasks(), testing::ElementsAre(me, &reader.get()));
  co_await reader.join();
  EXPECT_EQ(within, 2u) << "not even the one that runs";
  EXPECT_THAT(all_tasks(), testing::ElementsAre(me));
}

// Whoever cancels everything that there is cancels calls as well.
CO_TEST(CallbackTest, ItsTaskMayBeCancelled) {
  bool called = false;
  const auto call = [&] { called = true; };
  const promise<> answer;
  const std::vector<callback_handle> handles = {call_soon(call), call_later(1s, call),
                                                answer.get_future().on_done(call)};
  for (agent* who : current_loop()->alive()) {
    if (who->is_callback()) who->cancel();
  }
  co_await sleep_for(2s);
  EXPECT_FALSE(called);
  for (const callback_handle& each : handles) EXPECT_TRUE(each.cancelled());
}

TEST(CallbackTest, CancellingItOnAnotherThreadIsMisuse) {
  std::string thrown;
  const auto main = [&]() -> task<void> {
    callback_handle handle = call_later(1s, [] {});
    std::thread([&] {
      try {
        handle.cancel();
      } catch (const misuse& error) {
        thrown = error.what();
      }
    }).join();
    EXPECT_FALSE(handle.cancelled());
    co_await sleep_for(2s);
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(thrown, MatchesRegex("callback \\(callback_test.cpp:[0-9]+\\) was cancelled on another thread .*"));
}

TEST(CallbackTest, EachIsCalledOnceInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    std::vector<int> called(6);
    std::vector<callback_handle> handles;
    for (std::size_t i = 0; i < called.size(); ++i) {
      const auto call = [&called, i] { ++called[i]; };
      handles.push_back(i % 2 == 0 ? call_soon(call) : call_later(1s, call));
    }
    const auto cancel = [&]() -> task<bool> {
      co_await yield();
      co_return handles[2].cancel();
    };
    auto canceller = spawn(cancel());
    co_await sleep_for(2s);
    const int expected = co_await canceller.join() ? 0 : 1;
    for (std::size_t i = 0; i < called.size(); ++i) EXPECT_EQ(called[i], i == 2 ? expected : 1);
    EXPECT_EQ(handles[2].cancelled(), expected == 0);
  });
}

}  // namespace
}  // namespace lockstep
