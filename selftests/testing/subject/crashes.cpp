// Tests that end the process. Run by the test of crash, each in a process of its own.
#include <lockstep/testing/testing.hpp>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

CO_TEST(Crash, ReadsThroughANullPointer) {
  co_await yield();
  int* volatile nowhere = nullptr;
  *nowhere = 1;
}

CO_TEST(Crash, Aborts) {
  co_await sleep_for(1s);
  std::abort();
}

CO_TEST(Crash, AbortsAfterAFailure) {
  co_await yield();
  EXPECT_EQ(1, 2) << "the cause";
  std::abort();
}

CO_TEST(Crash, IsToldToTerminate) {
  co_await yield();
  std::raise(SIGTERM);
}

const int sent = std::getenv("SUBJECT_SIGNAL") != nullptr ? std::atoi(std::getenv("SUBJECT_SIGNAL")) : 0;
// Who starts the tests in the background may have it ignored.
const bool not_ignored = sent != 0 && std::signal(sent, SIG_DFL) != SIG_ERR;
CO_TEST(Crash, IsSentASignal) {
  co_await yield();
  EXPECT_TRUE(not_ignored);
  std::raise(sent);
}

CO_TEST(Crash, WritesToAClosedPipe) {
  co_await yield();
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
}

CO_TEST(Crash, Terminates) {
  co_await yield();
  std::terminate();
}

CO_TEST(Crash, Exits) {
  co_await yield();
  std::exit(3);
}

CO_TEST(Crash, ExitsAsIfAllWereWell) {
  co_await yield();
  std::printf("its output");
  std::exit(0);
}

CO_TEST(Crash, ExitsOnAnotherThread) {
  co_await yield();
  std::thread other([] { std::exit(0); });
  other.join();
}

CO_TEST(Crash, ExitsQuickly) {
  co_await yield();
  std::printf("its output");
  std::quick_exit(0);
}

CO_TEST(Crash, ExitsAtOnce) {
  co_await yield();
  ::_exit(0);
}

// -- misuse that nothing catches -------------------------------------------------------------------------------------

struct at_death {
  std::function<void()> act;
  ~at_death() { act(); }
};

CO_TEST(Crash, MisuseInADestructor) {
  queue<int> jobs(1, "jobs");
  const at_death local{[&] { jobs.task_done(); }};
  co_await yield();
}

CO_TEST(Crash, MisuseInADestructorOfTheTearDown) {
  queue<int> jobs(1, "jobs");
  const auto work = [&]() -> task<void> {
    const at_death local{[&] { jobs.task_done(); }};
    co_await sleep_until(time_point::max());
  };
  auto worker = spawn(work(), "worker");
  co_await worker.join();
}

CO_TEST(Crash, MisuseOnAnotherThread) {
  mutex tx("tx");
  co_await yield();
  std::thread other([&] { tx.unlock(); });
  other.join();
}

int fall(volatile int* depth) {
  volatile int here[1000] = {*depth};
  return *depth < 0 ? 0 : fall(here) + here[1];
}
CO_TEST(Crash, OverflowsTheStack) {
  co_await yield();
  volatile int depth = 1;
  EXPECT_EQ(fall(&depth), 0);
}

CO_TEST(Crash, UsesFreedMemory) {
  co_await yield();
  auto number = std::make_unique<int>(1);
  int* volatile dangling = number.get();
  number.reset();
  EXPECT_EQ(*dangling, 1);
}

CO_TEST(Crash, InSetUpOfTheNextRun, .runs = 3) {
  static int runs = 0;
  co_await yield();
  std::printf("run %d of three\n", ++runs);
  std::fflush(stdout);
  if (runs == 2) std::abort();
}

CO_TEST(Crash, ExitsInTheNextRun, .runs = 3) {
  static int runs = 0;
  co_await yield();
  std::printf("run %d of three\n", ++runs);
  if (runs == 2) std::exit(3);
}

CO_TEST(Crash, HasADeathTestInEachRun, .runs = 3) {
  static int runs = 0;
  co_await yield();
  std::printf("run %d of three\n", ++runs);
  EXPECT_EXIT(std::exit(4), testing::ExitedWithCode(4), "");
}

CO_TEST(Crash, HasADeathTestThatSucceeds) {
  co_await yield();
  EXPECT_EXIT(std::exit(0), testing::ExitedWithCode(0), testing::Not(testing::HasSubstr("lockstep")));
}

CO_TEST(Crash, HasADeathTest) {
  co_await yield();
  EXPECT_EXIT(std::exit(4), testing::ExitedWithCode(4), testing::Not(testing::HasSubstr("lockstep")));
}

// A handler that was there before the first test, as a crash reporter's would be.
void report_address(int, siginfo_t* why, void*) {
  std::fprintf(stderr, "the earlier handler sees address %d\n", static_cast<int>(reinterpret_cast<long>(why->si_addr)));
  ::_exit(5);
}
const bool earlier_handler = [] {
  if (std::getenv("SUBJECT_HANDLER") == nullptr) return false;
  struct sigaction action {};
  action.sa_sigaction = &report_address;
  action.sa_flags = SA_SIGINFO;
  return ::sigaction(SIGSEGV, &action, nullptr) == 0;
}();

volatile std::sig_atomic_t news = 0;
const bool earlier_handler_of_news =
    std::getenv("SUBJECT_HANDLER") != nullptr && std::signal(SIGUSR1, [](int) { news = 1; }) != SIG_ERR;
CO_TEST(Crash, IsSentNewsThatItHandles) {
  co_await yield();
  std::raise(SIGUSR1);
  EXPECT_EQ(news, 1);
}

volatile std::sig_atomic_t samples = 0;
bool profile() {
  return std::signal(SIGPROF, [](int) { samples = samples + 1; }) != SIG_ERR;
}
const bool profiled_early = std::getenv("SUBJECT_HANDLER") != nullptr && profile();
CO_TEST(Crash, IsProfiled, .runs = 2) {
  EXPECT_TRUE(profiled_early || profile());
  const int before = samples;
  std::raise(SIGPROF);
  co_await yield();
  EXPECT_EQ(samples, before + 1);
}

CO_TEST(CrashOutside, First) { co_await yield(); }
TEST(CrashOutside, ThenAborts) { std::abort(); }

}  // namespace
}  // namespace lockstep
