// What libFuzzer is to find: an overdraft that needs one order of many, and an amount of a narrow range.
#include <lockstep/testing/fuzz.hpp>
#include <lockstep/testing/testing.hpp>

namespace lockstep {
namespace {

task<void> withdraw(int& balance, mutex& audit, int amount) {
  if (balance < amount) co_return;
  { auto entry = co_await audit.lock(); }
  balance -= amount;
}

CO_TEST(Fuzzed, Overdraft) {
  int balance = 100;
  mutex audit;
  const int amount = any_int("amount", 0, 255);
  auto one = spawn(withdraw(balance, audit, amount));
  co_await yield();
  auto other = spawn(withdraw(balance, audit, amount));
  co_await one.join();
  co_await other.join();
  EXPECT_GE(balance, 0);
}
LOCKSTEP_FUZZ(Fuzzed, Overdraft);

}  // namespace
}  // namespace lockstep
