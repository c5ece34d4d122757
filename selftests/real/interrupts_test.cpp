#include <lockstep/lockstep.hpp>
#include <lockstep/real/interrupts.hpp>
#include <lockstep/real/world.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace lockstep::real {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

world_options interruptible() {
  world_options how;
  how.take_interrupts = true;
  return how;
}

void (*handler_of_interrupts())(int) {
  struct sigaction present {};
  sigaction(SIGINT, nullptr, &present);
  return present.sa_handler;
}

TEST(InterruptsTest, TheFirstCancelsTheMainTask) {
  world world;
  const auto main = []() -> task<void> {
    std::raise(SIGINT);
    co_await sleep_for(24h);
  };
  EXPECT_THROW(world.run(main(), interruptible()), cancelled);
  EXPECT_TRUE(world.interrupted());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(InterruptsTest, TheFirstIsSeenWhileATaskIsAlwaysReady) {
  world world;
  const auto main = []() -> task<void> {
    std::raise(SIGINT);
    for (;;) co_await yield();
  };
  EXPECT_THROW(world.run(main(), interruptible()), cancelled);
  EXPECT_TRUE(world.interrupted());
}

TEST(InterruptsTest, TheFirstWakesALoopThatWaits) {
  world world;
  const auto main = []() -> task<void> {
    std::thread other([] { kill(getpid(), SIGINT); });
    const auto wait = []() -> task<void> { co_await sleep_for(24h); };
    auto waiting = spawn(wait());
    std::exception_ptr ended;
    try {
      co_await waiting.join();
    } catch (...) {
      ended = std::current_exception();
    }
    other.join();
    std::rethrow_exception(ended);
  };
  EXPECT_THROW(world.run(main(), interruptible()), cancelled);
  EXPECT_TRUE(world.interrupted());
}

TEST(InterruptsTest, AResultStandsIfTheMainTaskReturnsOneAllTheSame) {
  world world;
  const auto main = []() -> task<int> {
    std::raise(SIGINT);
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      current_task().uncancel();
    }
    co_return 7;
  };
  EXPECT_EQ(world.run(main(), interruptible()), 7);
  EXPECT_FALSE(world.interrupted());
}

TEST(InterruptsTest, AMainTaskThatAnotherTaskCancelledAsWellWasNotInterruptedAlone) {
  world world;
  const auto main = []() -> task<void> {
    std::raise(SIGINT);
    current_task().cancel();
    co_await sleep_for(24h);
  };
  EXPECT_THROW(world.run(main(), interruptible()), cancelled);
  EXPECT_FALSE(world.interrupted());
}

using InterruptsDeathTest = testing::Test;

TEST(InterruptsDeathTest, TheSecondEndsTheProcess) {
  const auto interrupted_twice = [] {
    world world;
    const auto main = []() -> task<void> {
      std::raise(SIGINT);
      std::raise(SIGINT);
      std::exit(3);
      co_return;
    };
    world.run(main(), interruptible());
  };
  EXPECT_EXIT(interrupted_twice(), testing::KilledBySignal(SIGINT), "");
}

TEST(InterruptsDeathTest, OneThatComesAfterTheMainTaskEndsTheProcess) {
  const auto interrupted_late = [] {
    world world;
    const auto serve = []() -> task<void> {
      try {
        co_await sleep_for(24h);
      } catch (const cancelled&) {
        std::raise(SIGINT);
        std::exit(3);
      }
    };
    const auto main = [&]() -> task<void> {
      spawn_daemon(serve());
      co_await yield();
    };
    world.run(main(), interruptible());
  };
  EXPECT_EXIT(interrupted_late(), testing::KilledBySignal(SIGINT), "");
}

TEST(InterruptsTest, WhatWasThereBeforeIsPutBack) {
  world world;
  const auto before = handler_of_interrupts();
  EXPECT_EQ(before, SIG_DFL);
  const auto main = [&]() -> task<void> {
    EXPECT_NE(handler_of_interrupts(), before);
    co_return;
  };
  world.run(main(), interruptible());
  EXPECT_EQ(handler_of_interrupts(), before);
  const auto fail = []() -> task<void> {
    event never;
    co_await never.wait();
  };
  EXPECT_THROW(world.run(fail(), interruptible()), misuse);
  EXPECT_EQ(handler_of_interrupts(), before);
  const auto fail_beside = []() -> task<void> {
    boost::asio::post(current_io_context(), [] { throw std::runtime_error("of a handler"); });
    co_await sleep_for(24h);
  };
  EXPECT_THROW(world.run(fail_beside(), interruptible()), std::runtime_error);
  EXPECT_EQ(handler_of_interrupts(), before);
}

int handled = 0;
void count(int) { ++handled; }

TEST(InterruptsTest, AHandlerOfTheProgramsOwnStays) {
  handled = 0;
  std::signal(SIGINT, count);
  world world;
  const auto main = []() -> task<int> {
    std::raise(SIGINT);
    co_await yield();
    co_return 7;
  };
  EXPECT_EQ(world.run(main(), interruptible()), 7);
  EXPECT_EQ(handled, 1);
  std::signal(SIGINT, SIG_DFL);
}

TEST(InterruptsTest, AreTakenOnTheMainThreadOnly) {
  std::thread other([] {
    os_driver driver;
    EXPECT_FALSE(interrupts(driver, [] {}).taken());
  });
  other.join();
  os_driver driver;
  const interrupts first(driver, [] {});
  EXPECT_TRUE(first.taken());
  os_driver inner;
  EXPECT_FALSE(interrupts(inner, [] {}).taken());  // by one at a time
}

TEST(InterruptsTest, ThatMayComeAreNoReasonToWait) {
  world world;
  const auto main = []() -> task<void> {
    event never("never");
    co_await never.wait();
  };
  EXPECT_THROW(world.run(main(), interruptible()), misuse);
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::deadlock);
}

}  // namespace
}  // namespace lockstep::real
