#include <lockstep/explore/portfolio.hpp>

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace lockstep {
namespace {

TEST(PortfolioTest, DrawsByWeight) {
  const profile nothing;
  portfolio all(nothing);
  std::map<std::string, int> drawn;
  for (std::uint64_t nth = 0; nth < 10'000; ++nth) {
    const portfolio::drawn each = all.draw(1, nth);
    ASSERT_NE(each.by, nullptr);
    ++drawn[std::string(each.name)];
  }
  EXPECT_NEAR(drawn["urw"], 6'000, 200);
  EXPECT_NEAR(drawn["pos"], 1'000, 200);
  EXPECT_NEAR(drawn["uniform"], 2'000, 200);
  EXPECT_NEAR(drawn["pct"], 1'000, 200);
}

TEST(PortfolioTest, TheSameSeedDrawsTheSame) {
  const profile nothing;
  portfolio one(nothing);
  portfolio other(nothing);
  bool seeds_differ = false;
  for (std::uint64_t nth = 0; nth < 100; ++nth) {
    EXPECT_EQ(one.draw(7, nth).name, other.draw(7, nth).name);
    seeds_differ |= one.draw(7, nth).name != one.draw(8, nth).name;
  }
  EXPECT_TRUE(seeds_differ);
}

TEST(PortfolioTest, LeavesCoverageToTheCaller) {
  const profile nothing;
  portfolio only(nothing, {.urw = 0, .pos = 0, .uniform = 0, .pct = 0, .coverage = 1});
  EXPECT_EQ(only.draw(1, 0).by, nullptr);
  EXPECT_EQ(only.draw(1, 0).name, "coverage");
}

}  // namespace
}  // namespace lockstep
