// An account that two tasks overdraw, in one order of several, if the amount is more than half of it.
#pragma once

#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

#include <gtest/gtest.h>

namespace lockstep {

inline task<void> withdraw(int& balance, int amount) {
  if (balance < amount) co_return;
  co_await yield();
  balance -= amount;
}

// Of a balance of 100. The plain run passes: the second looks when the first has paid.
inline task<void> withdraw_twice(int amount) {
  int balance = 100;
  auto one = spawn(withdraw(balance, amount));
  co_await yield();
  auto other = spawn(withdraw(balance, amount));
  co_await one.join();
  co_await other.join();
  EXPECT_GE(balance, 0);
}

}  // namespace lockstep
