#include <lockstep/testing/fuzz.hpp>

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {
namespace {

task<void> withdraw(int& balance, int amount) {
  if (balance < amount) co_return;
  co_await yield();
  balance -= amount;
}

CO_TEST(Fuzzed, NeverOverdraws) {
  int balance = 100;
  const int amount = any_int("amount", 0, 255);
  auto one = spawn(withdraw(balance, amount));
  co_await yield();
  auto other = spawn(withdraw(balance, amount));
  co_await one.join();
  co_await other.join();
  EXPECT_GE(balance, 0);
}
LOCKSTEP_FUZZ(Fuzzed, NeverOverdraws);

int run(const std::vector<std::uint8_t>& bytes) { return LLVMFuzzerTestOneInput(bytes.data(), bytes.size()); }

TEST(FuzzTest, ARunThatPassesReturns) {
  EXPECT_EQ(run({}), 0);
  EXPECT_EQ(run({200, 1, 1, 1}), 0);  // more than there is
  EXPECT_EQ(run({50, 1, 1, 1}), 0);
  EXPECT_EQ(run({80}), 0);  // in the plain order
}

// 80, and then main and the first task let one another go first.
TEST(FuzzTest, ARunThatFailsSaysHowToRepeatItAndAborts) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      for (std::uint8_t order = 0; order < 64; ++order) {
        std::vector<std::uint8_t> bytes = {80};
        for (int bit = 0; bit < 6; ++bit) bytes.push_back((order >> bit) & 1);
        run(bytes);
      },
      "Fuzzed.NeverOverdraws fails\n.*fuzz_test.cpp:[0-9]+: .*balance(.|\n)*repeat: "
      "LOCKSTEP_REPLAY='ls1:[0-9a-f]{4}:plain:.*amount#1=80:.*;' .*--gtest_filter=Fuzzed.NeverOverdraws");
}

}  // namespace
}  // namespace lockstep
