// Exploring: all orders of a test are searched for one that fails; it is shrunk to the decisions that matter, and the
// two steps whose order decides are named. Where nothing fails, it says what was covered.
#include <lockstep/testing/testing.hpp>

namespace {

using namespace lockstep;

// [account]
struct account {
  shared<int> balance{100, "balance"};  // declared so that reports show its values; an int works too
  mutex audit{"audit"};

  task<bool> withdraw(int amount) {
    if (balance < amount) co_return false;
    { const mutex_guard entry = co_await audit.lock(); }  // someone else may run here
    balance -= amount;
    co_return true;
  }
};

CO_TEST(Account, NeverOverdraws, explore()) {
  account a;
  co_await when_all(a.withdraw(80), a.withdraw(80));
  EXPECT_GE(a.balance, 0);
}
// [/account]

// [proof]
struct careful_account {
  shared<int> balance{100, "balance"};
  mutex audit{"audit"};

  task<bool> withdraw(int amount) {
    const mutex_guard entry = co_await audit.lock();
    if (balance < amount) co_return false;
    balance -= amount;
    co_return true;
  }
};

CO_TEST(CarefulAccount, NeverOverdraws, explore()) {
  careful_account a;
  co_await when_all(a.withdraw(80), a.withdraw(80), a.withdraw(80));
  EXPECT_GE(a.balance, 0);
}
// [/proof]

}  // namespace
