// Tests that fail on purpose: mock functions that return tasks, used wrongly. Run by the test of actions.
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <memory>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

struct ticket {
  explicit ticket(int given) : number(given) {}
  int number;
};

class archive {
 public:
  MOCK_METHOD(task<int>, load, (const std::string& key));
  MOCK_METHOD(task<ticket>, queue, ());
  MOCK_METHOD(task<std::unique_ptr<int>>, open, ());
};

CO_TEST(Mock, TaskIsNeverAwaited) {
  archive of;
  EXPECT_CALL(of, load("k")).WillOnce(CoReturn(5));
  auto forgotten = of.load("k");
  co_await yield();
}

CO_TEST(Mock, DelayedTaskIsNeverAwaited) {
  archive of;
  EXPECT_CALL(of, load("k")).WillOnce(CoDelay(1s, CoReturn(5)));
  auto forgotten = of.load("k");
  co_await yield();
}

CO_TEST(Mock, TaskWithoutAnActionIsNeverAwaited) {
  testing::NiceMock<archive> of;
  auto forgotten = of.load("k");
  co_await yield();
}

CO_TEST(Mock, ResultHasNoDefault) {
  testing::NiceMock<archive> of;
  co_await yield();
  co_await of.queue();
}

CO_TEST(Mock, ValueIsReturnedTwice) {
  archive of;
  EXPECT_CALL(of, open()).WillRepeatedly(CoReturnByMove(std::make_unique<int>(1)));
  EXPECT_EQ(*co_await of.open(), 1);
  co_await of.open();
}

CO_TEST(Mock, ExpectationIsUnmet) {
  archive of;
  EXPECT_CALL(of, load("k")).Times(2).WillRepeatedly(CoReturn(5));
  co_await of.load("k");
}

CO_TEST(Mock, NeverReturns) {
  archive of;
  EXPECT_CALL(of, load("k")).WillOnce(CoNever());
  auto reader = spawn(of.load("k"), "reader");
  co_await reader.join();
}

CO_TEST(Mock, CallIsNotExpected) {
  archive of;
  EXPECT_CALL(of, load("k")).WillOnce(CoReturn(5));
  co_await of.load("k");
  co_await of.load("other");
}

CO_TEST(Mock, CallIsOfAStrictMock) {
  testing::StrictMock<archive> of;
  co_await yield();
  co_await of.load("k");
}

}  // namespace
}  // namespace lockstep
