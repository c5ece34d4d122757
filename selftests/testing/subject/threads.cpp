// Tests that fail on purpose: what belongs to a run is used on another thread.
#include <lockstep/testing/testing.hpp>

#include <exception>
#include <thread>
#include <utility>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

task<void> takes_a_rest(duration length) { co_await sleep_for(length); }

CO_TEST(Verdict, OtherThread) {
  mutex tx("tx");
  const mutex_guard held = co_await tx.lock();
  auto reader = spawn(takes_a_rest(1h), "reader");
  std::thread other([&] {
    EXPECT_THROW(tx.unlock(), misuse);
    EXPECT_THROW(reader.cancel(), misuse);
    const auto dropped = std::move(reader);
  });
  other.join();
  co_await sleep_for(1s);
}

struct by_thread {
  std::thread thread;
  ~by_thread() { thread.join(); }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) { thread = std::thread(waiter); }
  void await_resume() const noexcept {}
};

CO_TEST(Verdict, OutsideForgotten) {
  by_thread work;
  const auto join_the_thread = [&]() -> task<void> {
    work.thread.join();
    work.thread = std::thread([] {});
    co_return;
  };
  auto joining = spawn(join_the_thread());
  co_await work;
  co_await joining.join();
}

CO_TEST(Verdict, MisuseWithoutALoop) {
  std::exception_ptr thrown;
  const auto ask = [&] {
    try {
      static_cast<void>(now());
    } catch (...) {
      thrown = std::current_exception();
    }
  };
  std::thread other(ask);
  other.join();
  co_await yield();
  std::rethrow_exception(thrown);
}

CO_TEST(Expect, FailsOnAnotherThreadInALaterRun, .runs = 10) {
  co_await yield();
  const auto drawn = random_int("drawn", 0, 3);
  std::thread other([&] { EXPECT_NE(drawn, 0); });
  other.join();
  co_await yield();
}

// Two threads at once, and the run's own.
CO_TEST(Expect, FailsOnManyThreads) {
  co_await yield();
  const auto fail = [] { ADD_FAILURE() << "once"; };
  std::thread one(fail);
  std::thread two(fail);
  fail();
  one.join();
  two.join();
}

}  // namespace
}  // namespace lockstep
