// Tests that fail on purpose: how assertions and skips end a coroutine test. Run by the tests of co_assert and
// failures.
#include <lockstep/testing/testing.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

task<int> checked_size(std::string text) {
  co_await sleep_for(1s);
  CO_ASSERT_EQ(text.size(), 3u) << "of \"" << text << '"';
  co_return 3;
}
task<int> doubled_size(std::string text) { co_return 2 * co_await checked_size(std::move(text)); }

task<void> sleep_and_tell(std::string who) {
  co_await sleep_for(1min);
  ADD_FAILURE() << who << " went on";
}

CO_TEST(Assert, StopsNestedCoroutinesThatReturnValues) {
  EXPECT_EQ(co_await doubled_size("abc"), 6);
  EXPECT_EQ(co_await doubled_size("abcd"), 8);
  ADD_FAILURE() << "went on";
}

CO_TEST(Assert, StopsCodeThatSwallowsItAtItsNextAwait) {
  try {
    co_await checked_size("ab");
  } catch (...) {
    std::printf("swallowed\n");
  }
  std::printf("not yet stopped\n");
  co_await sleep_for(1s);
  ADD_FAILURE() << "went on";
}

CO_TEST(Assert, StopsTheTestFromASpawnedTask) {
  auto checker = spawn(checked_size("a"), "checker");
  co_await sleep_for(1h);
  ADD_FAILURE() << "went on";
  co_await checker.join();
}

CO_TEST(Assert, StopsTheTestFromATaskOfAGroup) {
  const auto work = [](task_group& group) -> task<void> {
    group.spawn(sleep_and_tell("the other task"), "other");
    group.spawn(checked_size("a"), "checker");
    co_await sleep_and_tell("the body");
  };
  co_await with_task_group(work);
  ADD_FAILURE() << "went on";
}

CO_TEST(Assert, FailsPlainly) {
  co_await yield();
  CO_FAIL() << "the message";
}

struct loud {
  explicit loud(const std::string& watched) : text(watched) {}
  ~loud() { std::printf("the child's frame is gone while its \"%s\" lives\n", text.c_str()); }
  const std::string& text;
};
task<void> watch(const std::string& text) {
  const loud watcher(text);
  co_await sleep_until(time_point::max());
}

CO_TEST(Assert, EndsParkedChildrenBeforeTheLocalsThatTheyPointTo) {
  const std::string local = "a local long enough to be allocated";
  const auto work = [&]() -> task<void> {
    const std::string inner = "another, in a nested coroutine of the test";
    auto child = spawn(watch(inner));
    auto other = spawn(watch(local));
    co_await settle();
    CO_ASSERT_TRUE(inner.empty());
    co_await child.join();
    co_await other.join();
  };
  co_await work();
}

task<void> expect_small(int value) {
  co_await sleep_for(2s);
  EXPECT_LT(value, 10);
}
task<void> write_pages(int value) {
  co_await expect_small(value);
  EXPECT_EQ(value, 11) << "the test went on";
}

CO_TEST(Expect, NamesTheTaskAndItsCallers) {
  auto writer = spawn(write_pages(12), "writer");
  co_await writer.join();
  co_await expect_small(13);
}

task<void> traced(std::string name, duration until_failure) {
  CO_SCOPED_TRACE("outer of " + name);
  {
    CO_SCOPED_TRACE("gone by then");
    co_await sleep_for(1s);
  }
  CO_SCOPED_TRACE("inner of " + name);
  co_await sleep_for(until_failure);
  EXPECT_EQ(name, "");
}

CO_TEST(Expect, ShowsTheTracesOfItsTaskOnly) {
  CO_SCOPED_TRACE("of the test");
  auto a = spawn(traced("a", 2s), "a");
  auto b = spawn(traced("b", 1s), "b");
  co_await a.join();
  co_await b.join();
  EXPECT_TRUE(false);
}

task<void> skip_deep_down() {
  co_await yield();
  CO_SKIP() << "no network here";
}

CO_TEST(Skip, FromANestedCoroutine) {
  co_await skip_deep_down();
  ADD_FAILURE() << "went on";
}

class SkipSetUp : public testing::Test {
 protected:
  void SetUp() override { std::printf("SetUp\n"); }
  void TearDown() override { std::printf("TearDown\n"); }
  task<void> CoSetUp() { co_await skip_deep_down(); }
  task<void> CoTearDown() {
    co_await yield();
    std::printf("CoTearDown\n");
  }
};

CO_TEST_F(SkipSetUp, LeavesOutTheBody) {
  co_await yield();
  ADD_FAILURE() << "went on";
}

CO_TEST(Expect, NamesNoFile) {
  co_await yield();
  ADD_FAILURE_AT("", 0) << "somewhere";
}

task<void> assert_that_one_is_two() {
  co_await yield();
  CO_ASSERT_EQ(1, 2);
}
CO_TEST(Assert, StopsTheTestFromADaemon) {
  spawn_daemon(assert_that_one_is_two(), "server");
  co_await sleep_for(1s);
}

// A call that would not wait is an await too.
task<void> say_that_it_goes_on() {
  ADD_FAILURE() << "went on";
  co_return;
}
CO_TEST(Assert, StopsCodeThatSwallowsItAtItsNextCall) {
  try {
    CO_FAIL() << "swallowed";
  } catch (...) {
  }
  co_await say_that_it_goes_on();
  ADD_FAILURE() << "went on";
}

}  // namespace
}  // namespace lockstep
