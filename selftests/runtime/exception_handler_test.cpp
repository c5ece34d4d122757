#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

task<void> fail(std::string what) {
  co_await yield();
  throw std::runtime_error(what);
}

TEST(ExceptionHandlerTest, IsToldOfEverythingThatNobodyCanCatchAndDecides) {
  std::vector<std::string> told;
  const auto main = [&]() -> task<void> {
    set_exception_handler([&](const exception_context& found) {
      told.push_back(found.thrower + ": " + text_of(found.exception));
      EXPECT_EQ(file_of(found.as_verdict.where), "exception_handler_test.cpp");
    });
    call_soon([] { throw std::runtime_error("one"); });
    co_await sleep_for(1s);
    spawn_daemon(fail("two"), "server");
    co_await sleep_for(1s);
    {
      const auto unread = spawn(fail("three"), "writer");
      co_await sleep_for(1s);
    }
    {
      promise<int> answer("answer");
      answer.set_exception(std::make_exception_ptr(std::runtime_error("four")));
    }
    call_exception_handler(std::make_exception_ptr(std::runtime_error("five")), "the flush");
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_THAT(told, ElementsAre(MatchesRegex("callback 1 \\(exception_handler_test.cpp:[0-9]+\\): one"), "server: two",
                                "writer: three", "future \"answer\": four", "main: five"));
}

TEST(ExceptionHandlerTest, WithoutOneEachIsAVerdict) {
  const auto main = []() -> task<void> {
    call_exception_handler(std::make_exception_ptr(std::runtime_error("disk full")), "the flush");
    EXPECT_FALSE(set_exception_handler([](const exception_context&) {}));
    EXPECT_TRUE(set_exception_handler({}));
    call_soon([] { throw std::runtime_error("no route"); });
    co_await sleep_for(1s);
  };
  EXPECT_THAT(judge(main).messages(), MatchesRegex("unhandled exception: the flush failed: disk full\n"
                                                   "unhandled exception: callback 1 .* failed: no route\n"));
}

TEST(ExceptionHandlerTest, MayLeaveTheDecisionToTheDefault) {
  const auto main = []() -> task<void> {
    set_exception_handler([](const exception_context& found) {
      if (text_of(found.exception) != "expected") default_exception_handler(found);
    });
    call_soon([] { throw std::runtime_error("expected"); });
    call_soon([] { throw std::runtime_error("disk full"); });
    co_await sleep_for(1s);
  };
  EXPECT_THAT(judge(main).messages(), MatchesRegex("unhandled exception: callback 2 .* failed: disk full\n"));
}

TEST(ExceptionHandlerTest, OneThatThrowsIsReportedWithWhatItWasToldAndTheLoopSurvives) {
  const auto main = []() -> task<void> {
    set_exception_handler([](const exception_context&) { throw std::logic_error("no log"); });
    call_soon([] { throw std::runtime_error("disk full"); });
    {
      const auto unread = spawn(fail("no route"), "writer");
      co_await sleep_for(1s);
    }
    co_await sleep_for(1s);
    EXPECT_EQ(now(), time_point{2s});
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_THAT(run.messages(),
              MatchesRegex("unhandled exception: the exception handler failed: no log; it was told that callback 1 .* "
                           "failed: disk full\nunhandled exception: the exception handler failed: no log; it was told "
                           "that task \"writer\" failed and nobody looked: no route\n"));
}

// It would be called for ever.
TEST(ExceptionHandlerTest, WhatFailsWithinItIsAVerdict) {
  int calls = 0;
  const auto main = [&]() -> task<void> {
    set_exception_handler([&](const exception_context& found) {
      ++calls;
      call_exception_handler(found.exception, "the handler");
    });
    call_soon([] { throw std::runtime_error("disk full"); });
    co_await sleep_for(1s);
  };
  EXPECT_EQ(judge(main).messages(), "unhandled exception: the handler failed: disk full\n");
  EXPECT_EQ(calls, 1);
}

TEST(ExceptionHandlerTest, MayReplaceItselfSpawnAndSchedule) {
  std::string log;
  const auto main = [&]() -> task<void> {
    const auto work = [&]() -> task<void> {
      log += current_task().parent()->name();
      co_return;
    };
    set_exception_handler([&, kept = std::make_shared<int>(7)](const exception_context&) {
      set_exception_handler([&](const exception_context&) { log += " second"; });
      EXPECT_EQ(*kept, 7);
      spawn_daemon(work());
      call_soon([&] { log += " soon"; });
    });
    call_soon([] { throw std::runtime_error("disk full"); });
    co_await sleep_for(1s);
    call_soon([] { throw std::runtime_error("disk full"); });
    co_await sleep_for(1s);
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(log, "main soon second") << "between two steps it is called in the name of the main task";
}

TEST(ExceptionHandlerTest, IsForgottenWhenTheRunHasEnded) {
  const auto held = std::make_shared<int>(1);
  join_handle<void> kept;
  int calls = 0;
  const auto first = [&]() -> task<void> {
    set_exception_handler([&, held](const exception_context&) { ++calls; });
    kept = spawn(fail("disk full"), "writer");
    co_await kept.join_shielded();
  };
  const auto looks_away = [&]() -> task<void> {
    set_exception_handler([&, held](const exception_context&) { ++calls; });
    kept = spawn(fail("disk full"), "writer");
    co_await sleep_for(1s);
  };
  EXPECT_EQ(judge(looks_away).messages(), "unread exception: task \"writer\" failed and nobody looked: disk full\n");
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(held.use_count(), 1);
  sim::world world;
  world.start();
  world.drive(first());
  EXPECT_EQ(held.use_count(), 1);
  world.start();
  const auto second = []() -> task<void> {
    call_soon([] { throw std::runtime_error("no route"); });
    co_await sleep_for(1s);
  };
  world.drive(second());
  world.finish();
  EXPECT_EQ(world.verdicts().size(), 1u);
  EXPECT_THROW(set_exception_handler({}), misuse);
}

// It is called in the destructor of a handle while another exception unwinds.
TEST(ExceptionHandlerTest, IsCalledWhileAnotherExceptionUnwinds) {
  std::string told;
  const auto main = [&]() -> task<void> {
    set_exception_handler([&](const exception_context& found) {
      told = found.thrower;
      throw std::logic_error("no log");
    });
    try {
      const auto unread = spawn(fail("disk full"), "writer");
      co_await sleep_for(1s);
      throw std::runtime_error("no route");
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "no route");
    }
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::unhandled_exception));
  EXPECT_EQ(told, "writer");
}

}  // namespace
}  // namespace lockstep
