#include <lockstep/explore/trace_set.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace lockstep {
namespace {

trace_set of_numbers(std::uint64_t from, std::uint64_t to) {
  trace_set all;
  for (std::uint64_t i = from; i < to; ++i) all.add(i);
  return all;
}

TEST(TraceSetTest, CountsWhatDiffers) {
  trace_set twice = of_numbers(0, 100);
  EXPECT_EQ(twice.size(1'000), 100u);
  for (std::uint64_t i = 0; i < 100; ++i) twice.add(i);
  EXPECT_EQ(twice.size(1'000), 100u);
  EXPECT_EQ(trace_set().size(1'000), 0u);
}

TEST(TraceSetTest, CountsManyAbout) {
  for (const std::uint64_t many : {10'000u, 300'000u, 3'000'000u}) {
    const auto counted = static_cast<double>(of_numbers(0, many).size(10 * many));
    EXPECT_NEAR(counted / static_cast<double>(many), 1, 0.01);
  }
}

TEST(TraceSetTest, CountsNoMoreThanThereCanBe) { EXPECT_EQ(of_numbers(0, 1'000).size(900), 900u); }

TEST(TraceSetTest, JoinsWhatOthersSaw) {
  trace_set all;
  all.add_all(of_numbers(0, 1'000));
  all.add_all(of_numbers(500, 2'000));
  EXPECT_NEAR(static_cast<double>(all.size(10'000)), 2'000, 10);
  const trace_set sent(all.words());
  EXPECT_EQ(sent.size(10'000), all.size(10'000));
}

}  // namespace
}  // namespace lockstep
