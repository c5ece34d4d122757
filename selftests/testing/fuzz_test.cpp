#include <lockstep/testing/fuzz.hpp>

#include "overdraft.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {
namespace {

CO_TEST(Fuzzed, NeverOverdraws) { co_await withdraw_twice(any_int("amount", 0, 255)); }
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
      "Fuzzed.NeverOverdraws fails\n.*overdraft.hpp:[0-9]+: .*balance(.|\n)*repeat: "
      "LOCKSTEP_REPLAY='ls1:[0-9a-f]{4}:plain:.*amount#1=80:.*;' .*--gtest_filter=Fuzzed.NeverOverdraws");
}

}  // namespace
}  // namespace lockstep
