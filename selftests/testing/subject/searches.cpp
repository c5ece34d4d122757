// Tests that are searched, and fail, crash or are interrupted meanwhile. Run by the tests of workers and of seeds, each
// in a process of its own.
#include "../lost_update.hpp"

#include <lockstep/testing/testing.hpp>
#include <lockstep/testing/worker_process.hpp>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

CO_TEST(Searched, ReadsThroughANullPointer, explore()) {
  co_await add_two([] {
    int* volatile nowhere = nullptr;
    *nowhere = 1;
  });
}

CO_TEST(Searched, Aborts, explore()) {
  co_await add_two([] {
    std::fputs("the end of it\n", stderr);
    std::abort();
  });
}

CO_TEST(Searched, Terminates, explore()) {
  co_await add_two([] { std::terminate(); });
}

CO_TEST(Searched, Exits, explore()) {
  co_await add_two([] { std::exit(0); });
}

CO_TEST(Searched, ExitsAtOnce, explore()) {
  co_await add_two([] { ::_exit(3); });
}

CO_TEST(Searched, IsKilled, explore()) {
  co_await add_two([] { ::kill(::getpid(), SIGKILL); });
}

// As many lines are in that file as runs have come to a step without an end; there may be none.
void note_stuck_run() {
  if (const char* const file = std::getenv("STUCK_RUNS"); file != nullptr) {
    std::ofstream(file, std::ios::app) << "stuck\n" << std::flush;
  }
}
CO_TEST(Searched, NeverEndsAStep, explore()) {
  co_await add_two([] {
    note_stuck_run();
    for (volatile bool forever = true; forever;) {
    }
  });
}

CO_TEST(Searched, UsesFreedMemory, explore()) {
  co_await add_two([] {
    auto number = std::make_unique<int>(1);
    int* volatile dangling = number.get();
    number.reset();
    EXPECT_EQ(*dangling, 1);
  });
}

CO_TEST(Searched, Fails, explore()) {
  bool lost = false;
  co_await add_two([&] { lost = true; });
  EXPECT_FALSE(lost);
}

// Fails in more orders than it crashes in, but only in those that come to nobody's mind at first.
CO_TEST(Searched, CrashesBeforeItFails, explore(60)) {
  int lost = 0;
  co_await add_two([&] { ++lost; });
  if (lost == 0) co_return;
  const int drawn = random_int("drawn", 0, 99);
  if (drawn == 0) std::abort();
  EXPECT_LT(drawn, 50);
}

// The plain run ends the process; in another order it fails.
CO_TEST(Searched, DiesInThePlainRun, explore()) {
  std::string order;
  const auto note = [](std::string& into, char who) -> task<void> {
    into += who;
    co_return;
  };
  co_await when_all(note(order, 'a'), note(order, 'b'));
  if (order == "ab") std::abort();
  EXPECT_EQ(order, "ab");
}
CO_TEST(Searched, DiesInThePlainRunAndIsFollowed) { co_await yield(); }
CO_TEST(Searched, NeverEndsThePlainRun, explore()) {
  co_await yield();
  for (volatile bool forever = true; forever;) {
  }
}

CO_TEST(Searched, Passes, explore()) {
  co_await add_two([] {});
}

task<void> take_turns(int times) {
  for (int i = 0; i < times; ++i) co_await yield();
}
// So many orders that nobody sees all of them.
CO_TEST(Searched, IsLarge, explore(1'000)) {
  co_await when_all(take_turns(6), take_turns(6), take_turns(6), take_turns(6));
}

// As somebody at the terminal would, who sees the search: once, whichever worker comes to it.
const detail::shared_object<std::atomic<int>> runs_of_all;
CO_TEST(Searched, IsInterrupted, explore(1h)) {
  if (++*runs_of_all == 2'000) ::kill(::getppid(), SIGINT);
  co_await when_all(take_turns(6), take_turns(6), take_turns(6), take_turns(6));
}
CO_TEST(Searched, IsTerminated, explore(1h)) {
  if (++*runs_of_all == 2'000) {
    ::kill(::getppid(), SIGTERM);
    ::kill(::getppid(), SIGTERM);  // as timeout(1) does
  }
  co_await when_all(take_turns(6), take_turns(6), take_turns(6), take_turns(6));
}
// Within this process, where a signal has been handled when raise() returns.
CO_TEST(Searched, EndsAtTheSecondInterrupt, explore(1h, {.jobs = 0})) {
  static int runs = 0;
  if (++runs == 10) {
    ::raise(SIGINT);
    ::raise(SIGINT);
  }
  co_await when_all(take_turns(6), take_turns(6), take_turns(6), take_turns(6));
}
CO_TEST(Searched, FailsAndIsInterrupted, explore({}, {.jobs = 0})) {
  static bool told = false;
  bool lost = false;
  co_await add_two([&] { lost = true; });
  if (lost && !std::exchange(told, true)) ::raise(SIGINT);
  EXPECT_FALSE(lost);
}
CO_TEST(Searched, EndsItselfInOneOrder, explore()) {
  bool first = false;
  const auto come_first = [&]() -> task<void> {
    first = true;
    co_return;
  };
  const auto come_second = [&]() -> task<void> {
    if (!first) ::raise(SIGTERM);
    co_return;
  };
  co_await when_all(come_first(), come_second());
}
CO_TEST(Searched, IsLeftOutWhenTheSearchWasInterrupted, explore()) { co_await yield(); }

CO_TEST(Searched, LeavesSomethingToTheNextRun, explore(400)) {
  static int runs = 0;
  ++runs;
  auto one = spawn(take_turns(runs % 2 == 0 ? 4 : 3));
  co_await one.join();
}

CO_TEST(Stopped, InAWorker) {
  if (++*runs_of_all == 20) ::kill(::getppid(), SIGTERM);
  co_await yield();
}
CO_TEST(Stopped, InThisProcess, .jobs = 0) {
  if (++*runs_of_all == 20) ::raise(SIGINT);
  co_await yield();
}
CO_TEST(Stopped, IsBehindThose) { co_await yield(); }

// -- for one run a seed ----------------------------------------------------------------------------------------------

CO_TEST(Seeded, LosesAnUpdateInSomeOrders) {
  bool lost = false;
  co_await add_two([&] { lost = true; });
  EXPECT_FALSE(lost);
}
CO_TEST(Seeded, CrashesInSomeOrders) {
  co_await add_two([] { std::abort(); });
}
CO_TEST(Seeded, Passes) { co_await take_turns(3); }
CO_TEST(Seeded, LeavesSomethingToTheNextRun) {
  static int runs = 0;
  co_await take_turns(++runs);
}

}  // namespace
}  // namespace lockstep
