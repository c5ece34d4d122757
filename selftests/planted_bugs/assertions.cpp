// Assertions that fail in the midst of other things: one failure, and nothing that is only its consequence.
#include "planted.hpp"

#include <lockstep/testing/co_assert.hpp>

#include <gtest/gtest-spi.h>

#include <optional>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// Whether the program fails one assertion, whose text holds `text`, in every run, and no verdict comes on top but
// `also`.
template <class F>
testing::AssertionResult fails_once(const std::string& text, F make, std::optional<verdict_kind> also = {}) {
  for (const way& how : all_ways()) {
    testing::TestPartResultArray parts;
    std::vector<verdict> found;
    {
      const testing::ScopedFakeTestPartResultReporter listening(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &parts);
      found = run_once(make, how, {});
    }
    const std::string left = leftovers();
    if (!left.empty()) return testing::AssertionFailure() << how.text() << ": " << left;
    if (parts.size() != 1) return testing::AssertionFailure() << how.text() << ": " << parts.size() << " failures";
    if (std::string(parts.GetTestPartResult(0).message()).find(text) == std::string::npos) {
      return testing::AssertionFailure() << how.text() << ": " << parts.GetTestPartResult(0).message();
    }
    // The exception itself left the main task.
    std::erase_if(found, [](const verdict& each) { return each.kind == verdict_kind::unhandled_exception; });
    if (also && found.size() == 1 && found.front().kind == *also) continue;
    if (!found.empty()) return testing::AssertionFailure() << how.text() << ":\n" << text_of(found);
  }
  return testing::AssertionSuccess();
}

task<void> asserts_beside_children() {
  local mine;
  const auto reader = spawn(sleep_beside(mine, 1h), "reader");
  task_group group;
  group.spawn(sleep_beside(mine, 1h), "writer");
  const auto later = sleep_long();
  co_await sleep_for(1s);
  CO_FAIL() << "no page";
}

// Unwinding alone would destroy the local before the task that points to it.
task<void> asserts_under_an_older_handle() {
  join_handle<void> reader;
  local mine;
  reader = spawn(sleep_beside(mine, 1h), "reader");
  co_await sleep_for(1s);
  CO_FAIL() << "no page";
}

task<int> asserts_deep_down(local& parent) {
  const local mine(parent);
  co_await sleep_for(1s);
  CO_ASSERT_EQ(1, 2) << "no page";
  co_return 1;
}

task<void> asserts_in_a_callee() {
  local mine;
  const auto reader = spawn(sleep_beside(mine, 1h), "reader");
  co_await asserts_deep_down(mine);
}

task<void> asserts_in_a_child() {
  local mine;
  auto reader = spawn(asserts_deep_down(mine), "reader");
  const auto writer = spawn(sleep_beside(mine, 1h), "writer");
  co_await reader.join();
}

task<void> asserts_in_a_daemon() {
  spawn_daemon([]() -> task<void> {
    local mine;
    co_await asserts_deep_down(mine);
  }());
  co_await sleep_for(1h);
}

task<void> reads_a_failure_later(local& parent) {
  local mine(parent);
  auto writer = spawn(fail_beside(mine, 500ms, "disk full"), "writer");
  co_await sleep_for(2s);
  co_await writer.join();
}

task<void> groups_a_failure(local& parent) {
  local mine(parent);
  task_group group;
  group.spawn(fail_beside(mine, 500ms, "disk full"), "writer");
  co_await sleep_for(2s);
  co_await group.join();
}

task<void> asserts_before_it_reads_a_failure() {
  local mine;
  const auto writer = spawn(fail_beside(mine, 500ms, "disk full"), "writer");
  co_await asserts_deep_down(mine);
}

task<void> asserts_before_others_read_a_failure(bool in_a_group) {
  local mine;
  const auto reader = spawn(in_a_group ? groups_a_failure(mine) : reads_a_failure_later(mine), "reader");
  co_await asserts_deep_down(mine);
}

// Which came first, and may well be the cause.
TEST(AssertionBugs, AnAssertionAfterAFailureThatNobodyHasRead) {
  const auto unread = verdict_kind::unread_exception;
  EXPECT_TRUE(fails_once("no page", asserts_before_it_reads_a_failure, unread));
  // What the others would have read, if they were not destroyed, is nobody's mistake.
  EXPECT_TRUE(fails_once("no page", [] { return asserts_before_others_read_a_failure(false); }));
  EXPECT_TRUE(fails_once("no page", [] { return asserts_before_others_read_a_failure(true); }));
}

TEST(AssertionBugs, AnAssertionThatUnwindsWhatOthersPointTo) {
  EXPECT_TRUE(fails_once("no page", asserts_beside_children));
  EXPECT_TRUE(fails_once("no page", asserts_under_an_older_handle));
  EXPECT_TRUE(fails_once("no page", asserts_in_a_callee));
  EXPECT_TRUE(fails_once("no page", asserts_in_a_child));
  EXPECT_TRUE(fails_once("no page", asserts_in_a_daemon));
}

task<void> swallows_an_assertion() {
  local mine;
  const auto reader = spawn(sleep_beside(mine, 1h), "reader");
  for (;;) {
    try {
      co_await asserts_deep_down(mine);
    } catch (...) {
    }
  }
}

TEST(AssertionBugs, AnAssertionThatIsSwallowed) { EXPECT_TRUE(fails_once("no page", swallows_an_assertion)); }

task<void> cleans_up_with_an_assertion(local& parent) {
  const local mine(parent);
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
    CO_FAIL() << "no page";
  }
}

task<void> fails_beside_a_careful_task() {
  local mine;
  co_await with_task_group([&mine](task_group& group) -> task<void> {
    group.spawn(cleans_up_with_an_assertion(mine), "careful");
    group.spawn(fail_beside(mine, 1s, "disk full"), "writer");
    co_await sleep_for(1h);
  });
}

TEST(AssertionBugs, AnAssertionWhileAnotherFailureUnwinds) {
  EXPECT_TRUE(fails_once("no page", fails_beside_a_careful_task));
}

}  // namespace
}  // namespace lockstep::planted
