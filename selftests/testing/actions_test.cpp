#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::_;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::InSequence;
using testing::NiceMock;
using testing::StrictMock;

struct connection {
  connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  int sent = 0;
};

class store {
 public:
  MOCK_METHOD(task<int>, load, (const std::string& key));
  MOCK_METHOD(task<void>, flush, ());
  MOCK_METHOD(task<std::string>, name, (int number), (const));
  MOCK_METHOD(task<std::unique_ptr<int>>, open, ());
  MOCK_METHOD(task<int>, keep, (std::unique_ptr<int> value));
  MOCK_METHOD(task<int>, take, (std::unique_ptr<int> && value));
  MOCK_METHOD(task<void>, fill, (std::string & into));
  MOCK_METHOD(task<int>, send, (connection & over, const connection& like));
  MOCK_METHOD(task<int&>, slot, ());
};

CO_TEST(ActionsTest, ATaskIsPrintedWithoutItsAddress) {
  const auto answer = []() -> task<int> { co_return 5; };
  task<int> unstarted = answer();
  EXPECT_EQ(testing::PrintToString(unstarted), "a task");
  EXPECT_EQ(co_await std::move(unstarted), 5);
}

CO_TEST(ActionsTest, CoReturnGivesACopyEachTime) {
  StrictMock<store> of;
  EXPECT_CALL(of, load("k")).Times(2).WillRepeatedly(CoReturn(5));
  EXPECT_CALL(of, flush()).WillOnce(CoReturn());
  EXPECT_CALL(of, name(7)).WillOnce(CoReturn("seven"));
  EXPECT_EQ(co_await of.load("k"), 5);
  EXPECT_EQ(co_await of.load("k"), 5);
  co_await of.flush();
  EXPECT_EQ(co_await of.name(7), "seven");
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(ActionsTest, CoReturnMayGiveAReference) {
  store of;
  int slot = 1;
  EXPECT_CALL(of, slot()).WillOnce(CoReturn(std::ref(slot)));
  (co_await of.slot()) = 2;
  EXPECT_EQ(slot, 2);
}

CO_TEST(ActionsTest, CoReturnByMoveGivesTheValueItself) {
  store of;
  auto value = std::make_unique<int>(3);
  int* const address = value.get();
  EXPECT_CALL(of, open()).WillOnce(CoReturnByMove(std::move(value)));
  EXPECT_EQ((co_await of.open()).get(), address);
}

CO_TEST(ActionsTest, CoThrowThrowsWhenItIsAwaited) {
  store of;
  EXPECT_CALL(of, load(_)).WillOnce(CoThrow(std::runtime_error("disk full")));
  auto loading = of.load("k");
  std::string caught;
  try {
    co_await std::move(loading);
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
  EXPECT_EQ(caught, "disk full");
}

CO_TEST(ActionsTest, ActionsFollowEachOtherInTurn) {
  store of;
  EXPECT_CALL(of, load(_))
      .WillOnce(CoReturn(1))
      .WillOnce(CoThrow(std::runtime_error("x")))
      .WillRepeatedly(CoDelay(1s, CoReturn(3)));
  EXPECT_EQ(co_await of.load("a"), 1);
  EXPECT_THROW(co_await of.load("a"), std::runtime_error);
  EXPECT_EQ(co_await of.load("a"), 3);
  EXPECT_EQ(co_await of.load("a"), 3);
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(ActionsTest, CallsAreExpectedInASequence) {
  store of;
  {
    const InSequence in_order;
    EXPECT_CALL(of, flush());
    EXPECT_CALL(of, load("a")).WillOnce(CoReturn(1));
    EXPECT_CALL(of, flush());
  }
  co_await of.flush();
  co_await of.load("a");
  co_await of.flush();
}

CO_TEST(ActionsTest, WithoutAnActionTheResultIsTheDefault) {
  NiceMock<store> of;
  EXPECT_EQ(co_await of.load("k"), 0);
  co_await of.flush();
  EXPECT_EQ(co_await of.name(1), "");
  EXPECT_EQ(co_await of.open(), nullptr);
}

CO_TEST(ActionsTest, CoInvokeKeepsTheCallableAndCopiesOfTheArguments) {
  store of;
  const std::string captured = "a text that is too long for the string itself";
  EXPECT_CALL(of, load(_)).WillOnce(CoInvoke([captured](const std::string& key) -> task<int> {
    co_await sleep_for(1s);
    co_return static_cast<int>(captured.size() + key.size());
  }));
  auto loading = of.load(std::string(40, 'k'));  // the key is gone when this line ends
  EXPECT_EQ(co_await std::move(loading), static_cast<int>(captured.size()) + 40);
}

CO_TEST(ActionsTest, CoInvokeTakesAPlainFunctionToo) {
  store of;
  EXPECT_CALL(of, load(_)).WillOnce(CoInvoke([](const std::string& key) { return static_cast<int>(key.size()); }));
  EXPECT_CALL(of, name(_)).WillOnce(CoInvoke([](int number) { return std::to_string(number); }));
  EXPECT_CALL(of, flush()).WillOnce(CoInvoke([] {}));
  EXPECT_EQ(co_await of.load("key"), 3);
  EXPECT_EQ(co_await of.name(4), "4");
  co_await of.flush();
}

CO_TEST(ActionsTest, CoInvokeMovesWhatCannotBeCopied) {
  store of;
  EXPECT_CALL(of, keep(_)).WillOnce(CoInvoke([](std::unique_ptr<int> value) -> task<int> {
    co_await sleep_for(1s);
    co_return *value;
  }));
  EXPECT_CALL(of, take(_)).WillOnce(CoInvoke([](const std::unique_ptr<int>& value) { return *value; }));
  auto keeping = of.keep(std::make_unique<int>(4));
  EXPECT_EQ(co_await std::move(keeping), 4);
  auto taking = of.take(std::make_unique<int>(5));
  EXPECT_EQ(co_await std::move(taking), 5);
}

CO_TEST(ActionsTest, CoInvokePassesOnWhatTheFunctionMayChangeOrCannotCopy) {
  store of;
  EXPECT_CALL(of, fill(_)).WillOnce(CoInvoke([](std::string& into) -> task<void> {
    co_await sleep_for(1s);
    into = "filled";
  }));
  EXPECT_CALL(of, send(_, _)).WillOnce(CoDelay(1s, CoInvoke([](connection& over, const connection& like) {
                                                 return over.sent += like.sent;
                                               })));
  std::string text;
  co_await of.fill(text);
  EXPECT_EQ(text, "filled");
  connection line;
  connection other;
  line.sent = 1;
  other.sent = 2;
  EXPECT_EQ(co_await of.send(line, other), 3);
  EXPECT_EQ(line.sent, 3);
}

CO_TEST(ActionsTest, CoDelayWaitsFirst) {
  store of;
  EXPECT_CALL(of, load(_)).WillOnce(CoDelay(250ms, CoReturn(5)));
  EXPECT_CALL(of, flush()).WillOnce(CoDelay(1s, CoDelay(2s, CoThrow(std::runtime_error("late")))));
  EXPECT_EQ(co_await of.load("k"), 5);
  EXPECT_EQ(now(), time_point{250ms});
  EXPECT_THROW(co_await of.flush(), std::runtime_error);
  EXPECT_EQ(now(), time_point{3250ms});
}

CO_TEST(ActionsTest, ADelayBeyondTheEndOfTimeIsForEver) {
  store of;
  EXPECT_CALL(of, load(_)).WillOnce(CoDelay(std::chrono::hours::max(), CoReturn(5)));
  EXPECT_THROW(co_await with_timeout(24h * 300, of.load("k")), timed_out);
}

CO_TEST(ActionsTest, ADelayMayBeCancelled) {
  store of;
  EXPECT_CALL(of, load(_)).WillOnce(CoDelay(1h, CoReturn(5)));
  auto reader = spawn(of.load("k"));
  co_await settle();
  reader.cancel();
  EXPECT_THROW(co_await reader.join(), cancelled);
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(ActionsTest, CoNeverEndsByCancellationAlone) {
  store of;
  EXPECT_CALL(of, load(_)).WillOnce(CoNever());
  EXPECT_THROW(co_await with_timeout(1min, of.load("k")), timed_out);
  EXPECT_EQ(now(), time_point{1min});
}

class ActionsReport : public testing::TestWithParam<const char*> {};
TEST_P(ActionsReport, IsAsApproved) { expect_approved_report(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Of, ActionsReport,
                         testing::Values("Mock.TaskIsNeverAwaited", "Mock.DelayedTaskIsNeverAwaited",
                                         "Mock.TaskWithoutAnActionIsNeverAwaited", "Mock.ResultHasNoDefault",
                                         "Mock.ValueIsReturnedTwice", "Mock.ExpectationIsUnmet", "Mock.NeverReturns"));

// The report names an address: it is not compared as a whole.
TEST(ActionsTest, ACallThatNothingExpectsIsReported) {
  for (const std::string test : {"Mock.CallIsNotExpected", "Mock.CallIsOfAStrictMock"}) {
    const child_run run = run_subject("--gtest_filter=" + test);
    EXPECT_EQ(run.end, "exit status 1\n");
    EXPECT_THAT(run.text, ContainsRegex("mock function call - returning default value.\n *Function call: load\\("));
    EXPECT_THAT(run.text, HasSubstr("\nrepeat: LOCKSTEP_REPLAY='ls1:"));
  }
}

}  // namespace
}  // namespace lockstep
