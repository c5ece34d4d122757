#include <lockstep/testing/progress_line.hpp>

#include <gtest/gtest.h>

#include <string>

namespace lockstep::detail {
namespace {

exploration_progress far() {
  exploration_progress now;
  now.runs = 12'000;
  now.distinct = 8'314;
  now.covered = 40;
  now.phase = "samples";
  return now;
}

TEST(ProgressLineTest, SaysHowFarASearchHasCome) {
  EXPECT_EQ(progress_text(far(), 48'000, 0.5, -1),
            "12,000 runs (24,000/s), 8,314 distinct, 40 pairs; samples, 25 % of the budget");
  EXPECT_EQ(progress_text(far(), ~std::uint64_t{0}, 20, 60),
            "12,000 runs (600/s), 8,314 distinct, 40 pairs; samples, 40 s left");
  exploration_progress orders;
  orders.runs = 10;
  orders.phase = "all orders";
  orders.share = 0.42;
  EXPECT_EQ(progress_text(orders, 100, 0, -1), "10 runs; all orders 42 %, 10 % of the budget");
}

TEST(ProgressLineTest, NothingAppearsWhereNobodyLooks) {
  testing::internal::CaptureStderr();
  {
    progress_line line;
    line.show("10 runs");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace lockstep::detail
