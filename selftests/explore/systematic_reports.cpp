// What objects report of the steps that touch them is all that matters: programs in which something was left out once,
// found by systematic_fuzz.cpp.
#include "../runtime/foreign_coroutines.hpp"
#include "explored.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/sync/shared.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

constexpr systematic_options plain{.reduced_by = reduction::none};
constexpr systematic_options declared{.all_shared_declared = true};

// The search must come to what all orders come to, and make each class once.
void expect_nothing_left_out(const searched_program& program) {
  sim::world world;
  const explored all = explore_all(world, program, plain);
  const explored reduced = explore_all(world, program, declared);
  EXPECT_TRUE(all.complete && reduced.complete);
  EXPECT_EQ(reduced.outcomes, all.outcomes);
  EXPECT_EQ(reduced.orders, static_cast<double>(all.runs));
}

// Whoever asks has a step that is asleep, and then is cancelled before it makes that: it would have raced with the end
// of the work, and what it does instead does not.
TEST(SystematicReports, LosesNoClassWhereATaskIsWokenToDoSomethingElse) {
  expect_nothing_left_out([](std::string& outcome) -> task<void> {
    const auto do_work = []() -> task<void> {
      co_await yield();
      co_await yield();
    };
    const shared_task<void> work(do_work());
    int seen = 2;
    const auto ask = [&]() -> task<void> {
      seen = work.done() ? 1 : 0;
      co_await yield();
    };
    auto asks = spawn(ask());
    const auto start_and_cancel = [&]() -> task<void> {
      work.start();
      co_await yield();
      asks.cancel();
      co_await yield();
    };
    auto cancels = spawn(start_and_cancel());
    co_await cancels.join();
    try {
      co_await asks.join_shielded();
    } catch (const cancelled&) {
      outcome = "cancelled ";
    }
    outcome += std::to_string(seen);
    co_await work.get();
  });
}

// Spawns that, and one who cancels it, having set `before` if there is one. Adds what it came to.
task<void> cancelled_by_another(task<void> work, std::string& outcome, event* before = nullptr) {
  auto works = spawn(std::move(work));
  const auto cancel = [&]() -> task<void> {
    if (before != nullptr) before->set();
    works.cancel();
    co_await yield();
  };
  auto cancels = spawn(cancel());
  co_await cancels.join();
  try {
    co_await works.join_shielded();
  } catch (const cancelled&) {
    outcome += "cancelled ";
  }
}

// -- groups -----------------------------------------------------------------------------------------------------------

TEST(SystematicReports, KnowsThatACancelledGroupLooksWhetherAnybodyIsLeft) {
  expect_nothing_left_out([](std::string& outcome) -> task<void> {
    event never;
    const auto wait = [&]() -> task<void> { co_await never.wait(); };
    const auto fail = []() -> task<void> {
      co_await yield();
      throw std::runtime_error("planned");
    };
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(fail());
      group.spawn(wait());
      co_await yield();
    };
    const auto run = [&]() -> task<void> {
      bool failed = false;
      try {
        co_await with_task_group(body);
      } catch (const exception_group&) {
        failed = true;
      }
      outcome += failed ? "failed " : "ended ";
    };
    co_await cancelled_by_another(run(), outcome);
  });
}

TEST(SystematicReports, KnowsThatABodyWhichIsCancelledCancelsWhoIsLeft) {
  expect_nothing_left_out([](std::string& outcome) -> task<void> {
    event happened;
    const auto wait = [&]() -> task<void> {
      co_await happened.wait();
      outcome += "waited ";
    };
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(wait());
      co_await yield();
    };
    const auto run = [&]() -> task<void> { co_await with_task_group(body); };
    co_await cancelled_by_another(run(), outcome, &happened);
  });
}

TEST(SystematicReports, KnowsWhoMayStillSpawnIntoAGroup) {
  expect_nothing_left_out([](std::string& outcome) -> task<void> {
    task_group group;
    const auto nothing = []() -> task<void> { co_return; };
    const auto join_in = [&]() -> task<void> {
      bool refused = false;
      try {
        group.spawn(nothing());
      } catch (const misuse&) {
        refused = true;
      }
      outcome += refused ? "refused " : "accepted ";
      co_return;
    };
    group.spawn(nothing());
    auto joins = spawn(join_in());
    co_await yield();
    co_await group.join();
    co_await joins.join();
  });
}

TEST(SystematicReports, KnowsWhoWaitsForQuietFirst) {
  expect_nothing_left_out([](std::string& outcome) -> task<void> {
    const auto wait = [&](int who) -> task<void> {
      co_await settle();
      outcome += std::to_string(who);
    };
    auto one = spawn(wait(1));
    auto other = spawn(wait(2));
    co_await one.join();
    co_await other.join();
  });
}

// A join alone waits in any case for a task that runs; as one arm of several, it decides what the others come to.
TEST(SystematicReports, KnowsThatASelectLooksWhetherATaskHasEnded) {
  const searched_program program = [](std::string& outcome) -> task<void> {
    event happened;
    const auto end = []() -> task<void> { co_await yield(); };
    auto ends = spawn(end());
    const auto wait = [&]() -> task<void> {
      const auto first = co_await select(ends.join_shielded(), happened.wait());
      outcome += std::to_string(first.index);
    };
    const auto set = [&]() -> task<void> {
      happened.set();
      co_return;
    };
    auto waits = spawn(wait());
    auto sets = spawn(set());
    co_await waits.join();
    co_await sets.join();
    co_await ends.join();
  };
  sim::world world;
  const explored all = explore_all(world, program, plain);
  const explored reduced = explore_all(world, program, declared);
  EXPECT_EQ(reduced.outcomes, all.outcomes);
  EXPECT_GE(reduced.orders, static_cast<double>(all.runs));  // which arm is tried first is a value
}

TEST(SystematicReports, KnowsWhoAsksWhetherATimeoutHasExpired) {
  expect_nothing_left_out([](std::string& outcome) -> task<void> {
    shared<timeout_scope*> shown{nullptr};
    const auto wait = [&](timeout_scope& scope) -> task<void> {
      shown = &scope;
      co_await sleep_for(1s);
    };
    const auto run = [&]() -> task<void> {
      try {
        co_await with_timeout(2s, wait);
      } catch (const timed_out&) {
        outcome += "late ";
      }
      shown = nullptr;
    };
    auto runs = spawn(run());
    co_await settle();  // all are ready once it waits
    const auto end_now = [&]() -> task<void> {
      if (timeout_scope* const scope = shown) scope->reschedule(now());
      co_await yield();
    };
    const auto ask = [&]() -> task<void> {
      if (timeout_scope* const scope = shown) outcome += scope->expired() ? "expired " : "not yet ";
      co_await yield();
    };
    auto one = spawn(end_now());
    auto other = spawn(ask());
    co_await one.join();
    co_await other.join();
    co_await runs.join();
  });
}

// -- what is asked of a task ------------------------------------------------------------------------------------------

// Of one that waits for an event, which is set by another, as a third one asks.
void expect_answers_differ(const std::function<std::string(const agent&)>& ask, bool cancels = false) {
  const searched_program program = [&](std::string& outcome) -> task<void> {
    event go;
    const auto work = [&]() -> task<void> {
      co_await go.wait();
      co_await yield();
    };
    auto works = spawn(work());
    const auto start = [&]() -> task<void> {
      cancels ? static_cast<void>(works.cancel("too late")) : go.set();
      works.get().rename("started");
      co_return;
    };
    const auto look = [&]() -> task<void> {
      outcome += ask(works.get());
      co_return;
    };
    auto starts = spawn(start());
    auto looks = spawn(look());
    co_await starts.join();
    co_await looks.join();
    try {
      co_await works.join_shielded();
    } catch (const cancelled&) {
      outcome += " cancelled";
    }
  };
  expect_nothing_left_out(program);
  sim::world world;
  EXPECT_GT(explore_all(world, program, declared).outcomes.size(), 1u) << "nothing would have been missed";
}

TEST(SystematicReports, KnowsWhoAsksWhetherATaskHasEnded) {
  expect_answers_differ([](const agent& who) { return who.finished() ? "ended" : "runs"; });
  expect_answers_differ([](const agent& who) { return who.was_cancelled() ? "was cancelled" : "was not"; }, true);
  expect_answers_differ([](const agent& who) { return who.cancelling() != 0 ? "is cancelled" : "is not"; }, true);
  expect_answers_differ([](const agent& who) { return std::string(who.cancel_reason().view()); }, true);
}

TEST(SystematicReports, KnowsWhoAsksForTheExceptionOfATask) {
  for (const bool by_handle : {false, true}) {
    expect_nothing_left_out([by_handle](std::string& outcome) -> task<void> {
      const auto fail = []() -> task<void> {
        co_await yield();
        throw std::runtime_error("failed");
      };
      auto fails = spawn(fail());
      const auto look = [&]() -> task<void> {
        const bool failed = (by_handle ? fails.exception() : fails.get().failure()) != nullptr;
        outcome += failed ? "failed" : "runs";
        co_return;
      };
      auto looks = spawn(look());
      co_await looks.join();
      try {
        co_await fails.join();
      } catch (const std::runtime_error&) {
      }
    });
  }
}

TEST(SystematicReports, KnowsWhoAsksWhereATaskStands) {
  expect_answers_differ([](const agent& who) { return std::to_string(static_cast<int>(who.condition())); });
  expect_answers_differ([](const agent& who) { return who.parked_at() != nullptr ? "waits" : "does not"; });
  expect_answers_differ([](const agent& who) { return std::to_string(who.steps()); });
  expect_answers_differ([](const agent& who) { return std::to_string(who.stack().size()); });
  expect_answers_differ([](const agent&) {
    const call_graph all = capture_call_graph();
    return std::to_string(all.tasks.size()) + all.tasks[1].waits_for;
  });
}

TEST(SystematicReports, KnowsWhoAsksForTheNameOfATask) {
  expect_answers_differ([](const agent& who) { return who.name(); });
}

// What a task asks of itself is the same in each order.
TEST(SystematicReports, TakesNoTaskThatLooksAtItselfForAnAccess) {
  sim::world world;
  const explored found = explore_all(
      world,
      [](std::string& outcome) -> task<void> {
        const auto look = []() -> task<void> {
          co_await yield();
          EXPECT_EQ(current_task().condition(), agent::state::running);
          EXPECT_EQ(current_task().steps(), 2u);
          EXPECT_FALSE(current_task().finished());
          EXPECT_NE(current_task().name(), "");
          EXPECT_FALSE(current_task().stack().empty());
        };
        auto one = spawn(look());
        auto other = spawn(look());
        co_await one.join();
        co_await other.join();
        outcome = "ended";
      },
      declared);
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.runs, 1u);
}

// -- coroutines of others --------------------------------------------------------------------------------------------

// What is done when a foreign awaiter is told to suspend belongs to the step that awaits, whoever else is ready.
TEST(SystematicReports, KnowsThatAForeignAwaiterMayTouchAnything) {
  expect_nothing_left_out([](std::string& outcome) -> task<void> {
    foreign::signal signal;
    shared<int> fired{0};
    const auto wait = [&]() -> task<void> { outcome += fmt::format("got {} ", co_await signal); };
    const auto fire = [&]() -> task<void> {
      fired += 1;
      if (signal.awaited()) signal.fire(7);
      co_await yield();
    };
    auto waiter = spawn(wait());
    auto first = spawn(fire());
    auto second = spawn(fire());
    co_await first.join();
    co_await second.join();
    outcome += signal.awaited() ? "waits" : "fired";
    if (signal.awaited()) signal.fire(8);
    co_await waiter.join();
  });
}

// Its own agent or not: that does not depend on whether somebody else is ready.
TEST(SystematicReports, KnowsAForeignCoroutineThatBeginsWithinAStep) {
  expect_nothing_left_out([](std::string& outcome) -> task<void> {
    mutex lock;
    shared<int> value{0};
    const auto abroad = [&]() -> foreign::fire_and_forget {
      {
        const auto held = co_await lock.lock();
        value += 1;
      }
      co_await yield();
      value += 1;
    };
    const auto start = [&]() -> task<void> {
      abroad();
      co_await yield();
    };
    const auto read = [&]() -> task<void> {
      outcome += fmt::format("{} ", value.get());
      co_await yield();
      outcome += fmt::format("{} ", value.get());
    };
    auto one = spawn(start());
    auto other = spawn(read());
    co_await one.join();
    co_await other.join();
    co_await settle();  // it has ended
  });
}

}  // namespace
}  // namespace lockstep
