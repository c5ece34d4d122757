// Waits that nothing ends, of every kind.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

task<void> gets_what_nobody_puts() {
  queue<int> jobs(1, "jobs");
  co_await jobs.put(1);
  co_await jobs.get();
  next_line_is_wrong();
  co_await jobs.get();
}

task<void> acquires_what_nobody_releases() {
  semaphore slots(1, "slots");
  co_await slots.acquire();
  next_line_is_wrong();
  co_await slots.acquire();
}

task<void> comes_alone_to_a_barrier() {
  barrier start(2, "start");
  next_line_is_wrong();
  co_await start.wait();
}

task<void> waits_after_the_notification() {
  mutex m("m");
  condition_variable changed(m, "changed");
  const auto held = co_await m.lock();
  changed.notify_all();
  next_line_is_wrong();
  co_await changed.wait();
}

task<void> drains_without_an_end() {
  queue<int> jobs(1, "jobs");
  co_await jobs.put(1);
  co_await jobs.get();
  next_line_is_wrong();
  co_await jobs.join();
}

task<void> loses_what_another_waits_for() {
  std::optional<event> go(std::in_place, label("go"));
  const auto wait = [](event& of) -> task<void> { co_await of.wait(); };
  auto waiter = spawn(wait(*go), "waiter");
  co_await sleep_for(1s);
  go.reset();
  co_await waiter.join();
}

TEST(WaitBugs, WaitsThatNothingEnds) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: get from queue \"jobs\""}}, gets_what_nobody_puts));
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: semaphore \"slots\""}}, acquires_what_nobody_releases));
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: barrier \"start\""}}, comes_alone_to_a_barrier));
  EXPECT_TRUE(
      caught({verdict_kind::deadlock, "", {}, {"main: condition_variable \"changed\""}}, waits_after_the_notification));
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: join of queue \"jobs\""}}, drains_without_an_end));
  EXPECT_TRUE(caught(
      {verdict_kind::misuse, "the event \"go\" died while task \"waiter\" waits for it", {verdict_kind::deadlock}},
      loses_what_another_waits_for));
}

task<void> sleeps() {
  next_line_is_wrong();
  co_await sleep_for(1s);
}

task<void> moves_the_clock() {
  auto sleeper = spawn(sleeps());
  co_await advance(1s);
  co_await sleeper.join();
}

TEST(WaitBugs, ASleepWhileTheClockIsPaused) {
  const sim::world_options paused{.paused_clock = true};
  EXPECT_TRUE(caught({verdict_kind::deadlock, "the clock is paused", {}, {"main: sleep until 1 s"}}, sleeps, paused));
  EXPECT_TRUE(silent(moves_the_clock, paused));
}

task<void> holds_for_ever(mutex& m) {
  const auto held = co_await m.lock();
  co_await sleep_for_ever();
}

task<void> wants_what_a_daemon_holds() {
  mutex m("m");
  spawn_daemon(holds_for_ever(m), "hoarder");
  co_await sleep_for(1s);
  const auto held = co_await m.lock();
}

TEST(WaitBugs, ALockHeldByADaemon) {
  EXPECT_TRUE(
      caught({verdict_kind::deadlock, "", {}, {"main: mutex \"m\" held by hoarder"}}, wants_what_a_daemon_holds));
}

}  // namespace
}  // namespace lockstep::planted
