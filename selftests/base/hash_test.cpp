#include <lockstep/base/hash.hpp>

#include <gtest/gtest.h>

#include <set>

namespace lockstep {
namespace {

TEST(HashTest, HasTheSameValuesOnEveryPlatform) {
  EXPECT_EQ(mix(1), 0x5692161D100B05E5ull);
  EXPECT_EQ(roll(0, 1), 0x9E3779B9E17D05ACull);
  EXPECT_EQ(hash_of(1, 2), 0xE8816A11023CFF79ull);
  EXPECT_EQ(hash_of("reader"), 0xBF7256584CE91A18ull);
  EXPECT_EQ(draw(1, 2, 3), 0xCC65ADF37670464Full);
}

TEST(HashTest, RollDependsOnTheOrderOfWords) {
  EXPECT_NE(roll(roll(0, 1), 2), roll(roll(0, 2), 1));
  EXPECT_NE(hash_of(1, 2), hash_of(2, 1));
}

TEST(HashTest, HashesTextAsUnsignedBytes) {
  EXPECT_NE(hash_of("\xFF"), hash_of("\x7F"));
  EXPECT_NE(hash_of(""), hash_of(std::string_view("\0", 1)));
}

TEST(HashTest, DrawsOfOneDomainAreUntouchedByAnother) {
  const std::uint64_t third = draw(7, 1, 3);
  EXPECT_EQ(draw(7, 1, 3), third);
  EXPECT_NE(draw(7, 2, 3), third);
  EXPECT_NE(draw(8, 1, 3), third);
  EXPECT_NE(draw(7, 1, 4), third);
}

TEST(HashTest, TheDrawsOfADomainAreTheSameOneByOne) {
  const draws of_domain(7, 1);
  const draws the_same = draws_of_seed(7)(1);
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_EQ(of_domain[i], draw(7, 1, i));
    EXPECT_EQ(the_same[i], draw(7, 1, i));
  }
}

TEST(HashTest, DrawsDoNotRepeatEarly) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < 10'000; ++i) seen.insert(draw(42, 1, i));
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(HashTest, BoundedStaysInRangeAndReachesAllOfIt) {
  int counts[7] = {};
  for (std::uint64_t i = 0; i < 7'000; ++i) {
    const std::uint64_t value = bounded(draw(1, 1, i), 7);
    ASSERT_LT(value, 7u);
    ++counts[value];
  }
  for (const int count : counts) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1'150);
  }
}

TEST(HashTest, BoundedTakesTheExtremes) {
  EXPECT_EQ(bounded(~std::uint64_t{0}, 1), 0u);
  EXPECT_EQ(bounded(0, 10), 0u);
  EXPECT_EQ(bounded(~std::uint64_t{0}, 10), 9u);
  EXPECT_EQ(bounded(~std::uint64_t{0}, ~std::uint64_t{0}), ~std::uint64_t{0} - 1);
}

TEST(HashTest, IsUsableInConstantExpressions) {
  static_assert(mix(0) == 0);
  static_assert(bounded(~std::uint64_t{0}, 2) == 1);
  static_assert(hash_of("a") != hash_of("b"));
}

}  // namespace
}  // namespace lockstep
