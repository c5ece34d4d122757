#include <lockstep/sim/descriptor_table.hpp>

#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

struct nothing final : open_file {
  explicit nothing(int* ended = nullptr) : open_file(0, O_RDWR), ended_(ended) {}
  unsigned ready() const noexcept override { return 0; }
  std::string described() const override { return "nothing"; }

 private:
  void closed() noexcept override {
    if (ended_ != nullptr) ++*ended_;
  }
  int* ended_;
};

TEST(DescriptorTableTest, GivesOutTheLowestNumberThatIsFree) {
  descriptor_table table(0);
  EXPECT_EQ(table.add(new nothing, false), 3);
  EXPECT_EQ(table.add(new nothing, false), 4);
  EXPECT_EQ(table.add(new nothing, false), 5);
  table.remove(4);
  table.remove(3);
  EXPECT_EQ(table.add(new nothing, false), 3);
  EXPECT_EQ(table.add(new nothing, false), 4);
  EXPECT_EQ(table.add(new nothing, false), 6);
}

TEST(DescriptorTableTest, GivesOutNoneBelowTheLeastThatIsWanted) {
  descriptor_table table(0);
  EXPECT_EQ(table.add(new nothing, false, 10), 10);
  EXPECT_EQ(table.add(new nothing, false, 10), 11);
  EXPECT_EQ(table.add(new nothing, false), 3);
}

TEST(DescriptorTableTest, HasALimit) {
  descriptor_table table(0);
  table.set_limit(5);
  table.add(new nothing, false);
  EXPECT_EQ(table.lacks_room(), 0);
  table.add(new nothing, false);
  EXPECT_EQ(table.add(new nothing, false), -EMFILE);
  table.remove(3);
  EXPECT_EQ(table.add(new nothing, false), 3);
}

TEST(DescriptorTableTest, HasALimitOfFiles) {
  descriptor_table table(0);
  table.set_files_max(2);
  const int first = table.add(new nothing, false);
  EXPECT_EQ(table.lacks_room(2), -ENFILE);
  EXPECT_EQ(table.lacks_room(), 0);
  table.add(table.find(first), false);
  EXPECT_EQ(table.lacks_room(), 0) << "a duplicate is the same file";
  table.add(new nothing, false);
  EXPECT_EQ(table.lacks_room(), -ENFILE);
  table.set_limit(6);
  EXPECT_EQ(table.lacks_room(), -EMFILE) << "of one's own comes first";
}

TEST(DescriptorTableTest, ClosesAFileWithItsLastNumber) {
  descriptor_table table(0);
  int ended = 0;
  const int first = table.add(new nothing(&ended), false);
  table.put(7, table.find(first), true);
  table.remove(first);
  EXPECT_EQ(ended, 0);
  EXPECT_TRUE(table.find_slot(7)->closes_on_exec);
  table.put(7, new nothing, false);
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(table.count(), 1);
}

TEST(DescriptorTableTest, FindsNothingWhereNothingIs) {
  descriptor_table table(0);
  EXPECT_EQ(table.find(3), nullptr);
  EXPECT_EQ(table.find(-1), nullptr);
  EXPECT_FALSE(table.remove(3));
}

}  // namespace
}  // namespace lockstep::sim
