#include <lockstep/sim/crash_model.hpp>

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

TEST(CrashModelTest, IsChangedInACopy) {
  crash_model mine = ext4_ordered;
  mine.rename_is_atomic = false;
  EXPECT_TRUE(ext4_ordered.rename_is_atomic);
  EXPECT_TRUE(mine.names_in_order);
}

}  // namespace
}  // namespace lockstep::sim
