#include <lockstep/sim/directory_entries.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace lockstep::sim {
namespace {

// Entries only point to what they lead to.
inode& leads_to(std::uintptr_t number) { return *reinterpret_cast<inode*>(number * alignof(std::max_align_t)); }

std::string names_in(const directory_entries& all) {
  std::string text;
  for (std::size_t place = 0; place < all.places(); ++place) {
    if (all.at(place).name != nullptr) text += *all.at(place).name + " ";
  }
  return text;
}

TEST(DirectoryEntriesTest, AreFoundByName) {
  directory_entries all;
  EXPECT_TRUE(all.empty());
  all.add("one", leads_to(1));
  all.add("two", leads_to(2));
  EXPECT_EQ(all.find("one"), &leads_to(1));
  EXPECT_EQ(all.find("three"), nullptr);
  EXPECT_EQ(all.replace("one", leads_to(3)), &leads_to(1));
  EXPECT_EQ(all.remove("one"), &leads_to(3));
  EXPECT_EQ(all.find("one"), nullptr);
  EXPECT_EQ(all.size(), 1u);
}

TEST(DirectoryEntriesTest, StayWhereTheyAreWhileSomebodyReads) {
  directory_entries all;
  all.begin_reading();
  for (int i = 0; i < 100; ++i) all.add(std::to_string(i), leads_to(1));
  for (int i = 0; i < 99; ++i) all.remove(std::to_string(i));
  all.add("new", leads_to(2));
  EXPECT_EQ(*all.at(99).name, "99");
  all.end_reading();
  all.add("last", leads_to(2));
  EXPECT_EQ(names_in(all), "99 new last ");
  EXPECT_LT(all.places(), 10u) << "the gaps are closed";
  EXPECT_EQ(all.find("99"), &leads_to(1));
}

TEST(DirectoryEntriesTest, AreInTheOrderInWhichTheyWereMade) {
  directory_entries all;
  for (const char* each : {"c", "a", "b"}) all.add(each, leads_to(1));
  EXPECT_EQ(names_in(all), "c a b ");
}

}  // namespace
}  // namespace lockstep::sim
