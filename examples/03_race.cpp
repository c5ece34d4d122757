// A race that is found: plain tests pass, one of a hundred random schedules fails, and prints the line that repeats it.
#include <lockstep/testing/testing.hpp>

namespace {

using namespace lockstep;

// [test]
struct account {
  int balance = 100;
  mutex audit{"audit"};

  task<bool> withdraw(int amount) {
    if (balance < amount) co_return false;
    const mutex_guard entry = co_await audit.lock();  // someone else may run here
    balance -= amount;
    co_return true;
  }
};

CO_TEST(Account, NeverOverdraws, .schedule = schedule::random, .runs = 100) {
  account a;
  co_await when_all(a.withdraw(80), a.withdraw(80));
  EXPECT_GE(a.balance, 0);
}
// [/test]

CO_TEST(Account, PassesWhenTheFirstTaskRunsFirst) {
  account a;
  co_await when_all(a.withdraw(80), a.withdraw(80));
  EXPECT_EQ(a.balance, 20);
}

}  // namespace
