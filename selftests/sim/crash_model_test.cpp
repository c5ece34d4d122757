#include <lockstep/sim/crash_model.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace lockstep::sim {
namespace {

TEST(CrashModelTest, IsFoundByItsName) {
  std::set<std::string_view> names;
  for (const crash_model* each : crash_models()) {
    EXPECT_EQ(find_crash_model(each->name), each);
    names.insert(each->name);
  }
  EXPECT_EQ(names.size(), 8u);
  EXPECT_EQ(find_crash_model("fat"), nullptr);
}

TEST(CrashModelTest, WritesSomethingAsAWhole) {
  for (const crash_model* each : crash_models()) EXPECT_EQ(objection_to(*each), "");
  crash_model mine = ext4_ordered;
  for (const std::uint32_t bytes : {0u, 1'000u}) {
    mine.whole_bytes = bytes;
    EXPECT_EQ(objection_to(mine), fmt::format("`whole_bytes` of the model \"ext4_ordered\" is {}; make it what a disk "
                                              "writes as a whole, such as 512 or 4096",
                                              bytes));
  }
}

TEST(CrashModelTest, IsChangedInACopy) {
  crash_model mine = ext4_ordered;
  mine.rename_is_atomic = false;
  EXPECT_TRUE(ext4_ordered.rename_is_atomic);
  EXPECT_TRUE(mine.names_in_order);
}

}  // namespace
}  // namespace lockstep::sim
