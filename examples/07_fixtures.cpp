// Fixtures: set-up and tear-down that await, options of a whole suite, and parameters.
#include <lockstep/testing/testing.hpp>

namespace {

using namespace lockstep;

// [code]
// Adds up what it is sent until the queue is shut down.
task<int> add_up(queue<int>& sent) {
  int sum = 0;
  try {
    for (;;) sum += co_await sent.get();
  } catch (const queue_shut_down&) {
    co_return sum;
  }
}
// [/code]

// [fixture]
class Adder : public testing::Test {
 public:
  static options lockstep_options() { return {.runs = 20}; }  // random schedules of every test

 protected:
  task<void> CoSetUp() {
    adding_ = spawn(add_up(sent_), "adder");
    co_await settle();
  }
  task<void> CoTearDown() {
    sent_.shut_down();
    EXPECT_EQ(co_await adding_.join(), expected_);
  }

  task<void> send(int first, int last) {
    for (int number = first; number <= last; ++number) co_await sent_.put(number);
  }

  queue<int> sent_{2, "sent"};
  int expected_ = 0;

 private:
  join_handle<int> adding_;
};

CO_TEST_F(Adder, LosesNothingOfTwoSenders) {
  co_await when_all(send(1, 5), send(100, 105));
  expected_ = 15 + 615;
}
// [/fixture]

// [parameters]
class AdderOfMany : public Adder, public testing::WithParamInterface<int> {};

CO_TEST_P(AdderOfMany, LosesNothing) {
  co_await send(1, GetParam());
  expected_ = GetParam() * (GetParam() + 1) / 2;
}
INSTANTIATE_TEST_SUITE_P(Numbers, AdderOfMany, testing::Values(1, 2, 1000));
// [/parameters]

}  // namespace
