#include <lockstep/explore/numbering.hpp>

#include <gtest/gtest.h>

namespace lockstep::detail {
namespace {

TEST(NumberingTest, NumbersInTheOrderOfFirstSight) {
  numbering of;
  EXPECT_EQ(of.size(), 0u);
  EXPECT_EQ(of.find(7), numbering::unknown);
  EXPECT_EQ(of.of(7), 0u);
  EXPECT_EQ(of.of(5), 1u);
  EXPECT_EQ(of.of(7), 0u);
  EXPECT_EQ(of.find(5), 1u);
  EXPECT_EQ(of.find(6), numbering::unknown);
  EXPECT_EQ(of[1], 5u);
  EXPECT_EQ(of.size(), 2u);
}

// Identities are hashes as a rule; these are as unlike hashes as can be, and would all have one slot.
TEST(NumberingTest, KeepsNumbersWhenItGrows) {
  constexpr std::uint32_t many = 5000;
  for (const unsigned shift : {0u, 20u, 32u, 51u}) {
    numbering of;
    for (std::uint32_t i = 0; i < many; ++i) ASSERT_EQ(of.of(identity{i + 1} << shift), i);
    for (std::uint32_t i = 0; i < many; ++i) {
      ASSERT_EQ(of.find(identity{i + 1} << shift), i);
      ASSERT_EQ(of[i], identity{i + 1} << shift);
    }
    EXPECT_EQ(of.find(0), numbering::unknown);
  }
}

}  // namespace
}  // namespace lockstep::detail
