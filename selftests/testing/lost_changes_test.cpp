#include <lockstep/testing/lost_changes.hpp>

#include "../sim/in_world.hpp"

#include <lockstep/sim/crash_plan.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// By the numbers of the changes, whatever was answered.
std::vector<std::uint64_t> changes_of(const lost_changes& lost) {
  std::vector<std::uint64_t> found;
  for (const lost_change& each : lost) found.push_back(each.change);
  return found;
}

lost_changes all_of(std::uint64_t count) {
  lost_changes made;
  for (std::uint64_t change = 1; change <= count; ++change) made.push_back({0, change, 1, 1});
  return made;
}

TEST(LostChangesTest, AreShrunkToThoseThatMatter) {
  std::uint64_t tries = 0;
  const auto shrunk_to = [&tries](std::uint64_t count, const std::vector<std::uint64_t>& needed) {
    lost_changes lost = all_of(count);
    tries = 0;
    const auto still_fails = [&](const lost_changes& fewer) {
      ++tries;
      const std::vector<std::uint64_t> left = changes_of(fewer);
      return std::all_of(needed.begin(), needed.end(), [&left](std::uint64_t each) {
        return std::find(left.begin(), left.end(), each) != left.end();
      });
    };
    shrink(lost, still_fails, 400);
    return changes_of(lost);
  };
  EXPECT_THAT(shrunk_to(300, {1}), ElementsAre(1));
  EXPECT_LE(tries, 30u);
  EXPECT_THAT(shrunk_to(300, {300}), ElementsAre(300));
  EXPECT_THAT(shrunk_to(301, {7, 150, 151, 290}), ElementsAre(7, 150, 151, 290));
  EXPECT_LE(tries, 120u);
  EXPECT_THAT(shrunk_to(5, {1, 2, 3, 4, 5}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(shrunk_to(3, {}), IsEmpty());
  EXPECT_THAT(shrunk_to(0, {}), IsEmpty());
}

TEST(LostChangesTest, AreShrunkNoLongerThanAllowed) {
  lost_changes lost = all_of(64);
  std::uint64_t tries = 0;
  const auto never_without_any = [&tries](const lost_changes& fewer) {
    ++tries;
    return fewer.size() == 64;
  };
  shrink(lost, never_without_any, 10);
  EXPECT_EQ(tries, 10u);
  EXPECT_EQ(lost.size(), 64u);
}

void make_changes() {
  system_calls& system = current_system();
  for (const char* each : {"/a", "/b", "/c"}) {
    const int fd = system.openat(AT_FDCWD, each, O_WRONLY | O_CREAT, S_IRUSR | S_IWUSR);
    EXPECT_EQ(write_text(system, fd, std::string(9'000, 'x')), 9'000);
    system.close(fd);
  }
  system.renameat2(AT_FDCWD, "/a", AT_FDCWD, "/b", 0);
}

// Whatever was lost, in whatever model.
TEST(LostChangesTest, MakeTheSameImage) {
  in_world([](system_calls&) {
    make_changes();
    sim::file_system& disk = lockstep::here().files().disk();
    for (const sim::crash_model* model : sim::crash_models()) {
      sim::crash_plan plan(*model, 1);
      for (unsigned number = 0; number < 40; ++number) {
        const sim::disk_image left = plan.image(disk, number, nullptr);
        const lost_changes lost = losses_of(disk, 0, *model, plan.given());
        EXPECT_EQ(disk.image_after_power_cut(*model, chooser_of(lost, 0), nullptr).difference(left), "")
            << model->name << " " << number;
      }
    }
  });
}

// A name that is lost as those before it are can be lost alone.
TEST(LostChangesTest, HaveWhatOthersTakeWithThem) {
  in_world([](system_calls& system) {
    for (const char* each : {"/1", "/2", "/3"}) system.mkdirat(AT_FDCWD, each, S_IRWXU);
    sim::file_system& disk = lockstep::here().files().disk();
    sim::crash_plan plan(sim::ext4_ordered, 1);
    EXPECT_EQ(plan.image(disk, 0, nullptr).tree(), "/tmp/\n");
    const lost_changes lost = losses_of(disk, 0, sim::ext4_ordered, plan.given());
    ASSERT_EQ(lost.size(), 3u);
    const auto tree_without = [&disk](const lost_changes& those) {
      return disk.image_after_power_cut(sim::ext4_ordered, chooser_of(those, 0), nullptr).tree();
    };
    EXPECT_EQ(tree_without({lost[2]}), "/1/\n/2/\n/tmp/\n");
    EXPECT_EQ(tree_without({lost[1]}), "/1/\n/tmp/\n");
    EXPECT_EQ(tree_without({}), "/1/\n/2/\n/3/\n/tmp/\n");
    EXPECT_EQ(disk.image_after_power_cut(sim::ext4_ordered, chooser_of(lost, 1), nullptr).tree(), tree_without({}))
        << "of another disk";
  });
}

}  // namespace
}  // namespace lockstep::detail
