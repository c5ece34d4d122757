// Tests that fail on purpose: one for each verdict, for the texts of the reports. Coroutines that a report names stand
// on one line, since compilers differ in which line of a function they call its own.
#include <lockstep/testing/testing.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

task<int> fetch(std::string url) { co_return static_cast<int>(url.size()); }
task<void> rest(duration length) { co_await sleep_for(length); }
task<void> fail_after(duration delay) {
  co_await sleep_for(delay);
  throw std::runtime_error("disk full");
}

CO_TEST(Verdict, UnawaitedTask) {
  auto forgotten = fetch("index.html");
  co_await yield();
}

CO_TEST(Verdict, UnreadException) {
  auto writer = spawn(fail_after(1s), "writer");
  co_await sleep_for(2s);
}

task<void> flush() { co_await fail_after(1s); }
CO_TEST(Verdict, UnhandledException) { co_await flush(); }

CO_TEST(Verdict, LeakedTask) {
  static join_handle<void> kept;
  kept = spawn(rest(1h), "janitor");
  co_await yield();
}

CO_TEST(Verdict, DroppedHandle) {
  { auto dropped = spawn(rest(1h), "janitor"); }
  co_await yield();
}

struct bank {
  mutex accounts{"accounts"};
  mutex audit{"audit"};
};
task<void> lock_both(mutex& first, mutex& second) {
  auto outer = co_await first.lock();
  co_await sleep_for(1s);
  auto inner = co_await second.lock();
}

CO_TEST(Verdict, Deadlock) {
  bank of;
  auto transfer = spawn(lock_both(of.accounts, of.audit), "transfer");
  auto review = spawn(lock_both(of.audit, of.accounts), "review");
  co_await transfer.join();
  co_await review.join();
}

CO_TEST(Verdict, PartialDeadlock) {
  bank of;
  auto transfer = spawn(lock_both(of.accounts, of.audit), "transfer");
  auto review = spawn(lock_both(of.audit, of.accounts), "review");
  for (;;) co_await sleep_for(10s);
}

CO_TEST(Verdict, Livelock, .steps_max = 100) {
  for (;;) co_await yield();
}

CO_TEST(Verdict, TimeLimit, .time_max = 90s) {
  for (;;) co_await sleep_for(1min);
}

CO_TEST(Verdict, PausedClock, .clock = clock_mode::paused) { co_await sleep_for(1s); }

CO_TEST(Verdict, AwaitedTwice) {
  auto once = fetch("index.html");
  co_await std::move(once);
  co_await std::move(once);
}

CO_TEST(Verdict, ForeignUnlock) {
  mutex door("door");
  co_await yield();
  door.unlock();
}

CO_TEST(Verdict, SwallowedCancellation) {
  const auto stubborn = []() -> task<void> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
    }
    co_await sleep_for(1s);
  };
  auto task = spawn(stubborn(), "stubborn");
  co_await yield();
  task.cancel();
  co_await task.join();
}

CO_TEST(Verdict, UnreachedPoint) {
  const order wanted("reader:got-lock", "writer:start");
  co_await point("reader:got-lock");
}

// -- runs that are repeated ------------------------------------------------------------------------------------------

bool edited() { return std::getenv("SUBJECT_EDITED") != nullptr; }

struct counter {
  int value = 0;
  task<void> increment() {
    const int read = value;
    co_await yield();
    if (edited()) co_await yield();
    value = read + 1;
  }
};

// The first seed happens to keep the update.
CO_TEST(Replay, LosesAnUpdateInSomeOrders, .seed = 7, .runs = 100) {
  counter hits;
  const auto in_its_turn = [&](int place) -> task<void> {
    for (int i = 0; i < place; ++i) co_await yield();
    co_await hits.increment();
  };
  co_await when_all(in_its_turn(0), in_its_turn(3));
  EXPECT_EQ(hits.value, 2);
}

class ReplayOf : public testing::TestWithParam<int> {};
CO_TEST_P(ReplayOf, AParameter) {
  co_await yield();
  EXPECT_LT(GetParam(), 2);
}
INSTANTIATE_TEST_SUITE_P(Numbers, ReplayOf, testing::Values(1, 2));

CO_TEST(Replay, PassesUnlessEdited) {
  co_await yield();
  EXPECT_FALSE(edited());
}

CO_TEST(Determinism, IsBrokenByWhatOneRunLeavesToTheNext, .check_determinism = true) {
  static int runs = 0;
  co_await yield();
  if (++runs > 1) co_await sleep_for(3s);
  co_await yield();
}

// -- runs that are watched in real time ------------------------------------------------------------------------------

void block_until_the_watcher_asks() {
  const loop& runs_here = *detail::here().owner;
  while (!runs_here.needs_attention()) {
  }
}

CO_TEST(Watched, StepInTheMiddle) {
  co_await sleep_for(1s);
  block_until_the_watcher_asks();
  co_await yield();
}

CO_TEST(Watched, StepAtTheEnd) {
  co_await sleep_for(1s);
  block_until_the_watcher_asks();
}

task<void> spin() {
  co_await sleep_for(1s);
  for (volatile bool stuck = true; stuck;) {
  }
}
CO_TEST(Watched, StuckStep) {
  auto spinner = spawn(spin(), "spinner");
  co_await spinner.join();
}

// -- exceptions that go through several tasks -----------------------------------------------------------------------

task<void> save() {
  auto writer = spawn(fail_after(1s), "writer");
  co_await writer.join();
}
CO_TEST(Verdict, ExceptionThroughJoins) {
  auto saving = spawn(save(), "saving");
  co_await saving.join();
}

task<void> close_badly() {
  try {
    co_await rest(1h);
  } catch (const cancelled&) {
    throw std::runtime_error("cannot close:\nthe disk is full");
  }
}
task<void> serve(task_group& group) {
  group.spawn(save(), "saving");
  group.spawn(close_badly(), "log");
  co_await rest(1h);
}
CO_TEST(Verdict, ExceptionsOfAGroup) { co_await with_task_group(serve); }

CO_TEST(Verdict, Timeout) { co_await with_timeout(1s, rest(1h)); }

// -- first steps that are watched ------------------------------------------------------------------------------------

task<void> parse() {
  block_until_the_watcher_asks();
  co_await yield();
}
CO_TEST(Watched, FirstStep) { co_await parse(); }

CO_TEST(Watched, FirstStepOfATask) {
  auto parser = spawn(parse(), "parser");
  co_await parser.join();
}

CO_TEST(Watched, OnlyStep) {
  block_until_the_watcher_asks();
  co_return;
}

// The lines above stand in approved reports.
CO_TEST(Determinism, IsOnlyCheckedOnRequest) {
  static int runs = 0;
  if (++runs > 1) co_await yield();
}

task<void> lock_twice() {
  mutex tx("tx");
  const mutex_guard held = co_await tx.lock();
  const mutex_guard again = co_await tx.lock();
}
CO_TEST(Verdict, MisuseInANestedWorld) {
  co_await yield();
  sim::world inner;
  inner.run(lock_twice());
}

class WithANestedWorld : public testing::Test {
 protected:
  WithANestedWorld() { sim::world().run(lock_twice()); }
};
CO_TEST_F(WithANestedWorld, NeverBegins) { co_await yield(); }

CO_TEST(Determinism, IsBrokenByAnEndThatDiffers, .check_determinism = true) {
  static int runs = 0;
  co_await yield();
  EXPECT_EQ(++runs, 1);
}

}  // namespace
}  // namespace lockstep
