// Exceptions that nobody sees.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

task<void> looks_away() {
  local mine;
  next_line_is_wrong();
  const auto writer = spawn(fail_beside(mine, 1s, "disk full"), "writer");
  co_await sleep_for(2s);
}

task<void> joins_and_handles() {
  local mine;
  auto writer = spawn(fail_beside(mine, 1s, "disk full"), "writer");
  try {
    co_await writer.join();
  } catch (const std::runtime_error&) {
  }
}

task<void> reads_the_exception() {
  local mine;
  const auto writer = spawn(fail_beside(mine, 1s, "disk full"), "writer");
  co_await sleep_for(2s);
  static_cast<void>(writer.exception());
}

TEST(ExceptionBugs, AnExceptionThatNobodyReads) {
  EXPECT_TRUE(
      caught({verdict_kind::unread_exception, "task \"writer\" failed and nobody looked: disk full"}, looks_away));
  EXPECT_TRUE(silent(joins_and_handles));
  EXPECT_TRUE(silent(reads_the_exception));
}

task<void> fails_first_and_loses_another() {
  local mine;
  const auto writer = spawn(fail_beside(mine, 1s, "disk full"), "writer");
  co_await sleep_for(2s);
  throw std::invalid_argument("wrong path");
}

TEST(ExceptionBugs, AnExceptionLostWhileAnotherUnwinds) {
  EXPECT_TRUE(caught({verdict_kind::unread_exception, "disk full", {verdict_kind::unhandled_exception}},
                     fails_first_and_loses_another));
}

task<int> fails_deep_down() {
  const local mine;
  co_await sleep_for(1s);
  throw std::runtime_error("disk full");
}

task<void> fails_through_frames() {
  const local mine;
  next_line_is_wrong();
  co_await fails_deep_down();
}

task<void> lets_it_escape() {
  local mine;
  auto writer = spawn(fail_beside(mine, 1s, "disk full"), "writer");
  next_line_is_wrong();
  co_await writer.join();
}

TEST(ExceptionBugs, AnExceptionThatLeavesTheMainTask) {
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "disk full"}, fails_through_frames));
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "disk full"}, lets_it_escape));
}

task<void> joins_what_it_cancelled() {
  local mine;
  auto reader = spawn(sleep_beside(mine, 9s), "reader");
  co_await sleep_for(1s);
  reader.cancel("no more pages");
  co_await reader.join();
}

task<void> expects_the_cancellation() {
  local mine;
  auto reader = spawn(sleep_beside(mine, 9s), "reader");
  co_await sleep_for(1s);
  reader.cancel();
  try {
    co_await reader.join();
  } catch (const cancelled&) {
  }
}

TEST(ExceptionBugs, ACancellationThatLeavesTheMainTask) {
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "cancelled: no more pages"}, joins_what_it_cancelled));
  EXPECT_TRUE(silent(expects_the_cancellation));
}

task<void> fails_on_its_own() {
  const local mine;
  co_await sleep_for(1s);
  throw std::runtime_error("disk full");
}

task<void> has_a_failing_daemon(duration length) {
  next_line_is_wrong();
  spawn_daemon(fails_on_its_own(), "server");
  co_await sleep_for(length);
}

TEST(ExceptionBugs, AnExceptionThatLeavesADaemon) {
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "daemon \"server\" failed: disk full"},
                     [] { return has_a_failing_daemon(2s); }));
  EXPECT_TRUE(silent([] { return has_a_failing_daemon(500ms); }));
}

task<void> fails_in_its_cleanup(local& parent) {
  const local mine(parent);
  try {
    co_await sleep_for(9s);
  } catch (const cancelled&) {
    throw std::runtime_error("cannot close");
  }
}

task<void> races() {
  local mine;
  auto winner = sleep_beside(mine, 1s);
  auto loser = fails_in_its_cleanup(mine);
  co_await when_any(std::move(winner), std::move(loser));
}

TEST(ExceptionBugs, ALoserOfARaceThatFails) {
  EXPECT_TRUE(caught({verdict_kind::unread_exception, "cannot close"}, races));
}

task<void> handles_a_groups_failures() {
  local mine;
  try {
    co_await with_task_group([&mine](task_group& group) -> task<void> {
      group.spawn(fail_beside(mine, 1s, "disk full"));
      group.spawn(fail_beside(mine, 1s, "no route"));
      group.spawn(sleep_beside(mine, 9s));
      co_await sleep_for(9s);
    });
  } catch (const exception_group&) {
  }
}

TEST(ExceptionBugs, AGroupReadsAllItsFailures) { EXPECT_TRUE(silent(handles_a_groups_failures)); }

// The mistake is reported once, where it is made, and not again as the exception that it throws.
task<void> unlocks_wrongly(mutex& m) {
  co_await yield();
  m.unlock();
}

task<void> spawns_a_mistake() {
  mutex m("m");
  const auto child = spawn(unlocks_wrongly(m), "child");
  co_await sleep_for(1s);
}

TEST(ExceptionBugs, AMistakeIsNoUnreadExceptionAsWell) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "unlock() of mutex \"m\" by task \"child\""}, spawns_a_mistake));
}

// A worker that nobody looked at has failed, and who waits for its work waits for ever.
task<void> waits_for_a_worker_that_has_failed() {
  const local mine;
  event done("done");
  const auto work = [&]() -> task<void> {
    co_await yield();
    throw std::runtime_error("bad job");
  };
  auto worker = spawn(work(), "worker");
  co_await done.wait();
  co_await worker.join();
}

// The worker says that it is done also when it fails, and its failure is seen.
task<void> hears_of_a_worker_that_has_failed() {
  const local mine;
  event done("done");
  const auto work = [&]() -> task<void> {
    co_await yield();
    done.set();
    throw std::runtime_error("bad job");
  };
  auto worker = spawn(work(), "worker");
  co_await done.wait();
  try {
    co_await worker.join();
  } catch (const std::runtime_error&) {
  }
}

// A failure that was seen is not what a standstill comes from.
task<void> waits_for_ever_after_a_failure_that_it_saw() {
  local mine;
  event done("done");
  const auto worker = spawn(fail_beside(mine, 1s, "bad job"), "worker");
  co_await sleep_for(2s);
  static_cast<void>(worker.exception());
  co_await done.wait();
}

TEST(ExceptionBugs, AFailureThatBringsTheRunToAStandstill) {
  EXPECT_TRUE(caught(
      {verdict_kind::unread_exception, "task \"worker\" failed and nobody looked: bad job", {verdict_kind::deadlock}},
      waits_for_a_worker_that_has_failed));
  EXPECT_TRUE(silent(hears_of_a_worker_that_has_failed));
  EXPECT_TRUE(caught({verdict_kind::deadlock, "every task waits"}, waits_for_ever_after_a_failure_that_it_saw));
}

}  // namespace
}  // namespace lockstep::planted
