#include <lockstep/report/table.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockstep::detail {
namespace {

std::vector<task_snapshot> three() {
  std::vector<task_snapshot> tasks(3);
  tasks[0].name = "main";
  tasks[0].state = task_snapshot::condition::waiting;
  tasks[0].waits_for = "join(reader)";
  tasks[1].name = "reader";
  tasks[2].name = "line\nbreak";
  tasks[2].notes = {"note"};
  return tasks;
}

TEST(TableTest, ShowsBranchesInTheirOrder) {
  EXPECT_EQ(table_of(three(), {{1, 0, {}}, {2, 1, {}}, {0, 2, {}}}, 0),
            "  reader         ready\n"
            "  └ line\\nbreak  ready\n"
            "                 note          note\n"
            "    └ main       join(reader)\n");
}

TEST(TableTest, OnlyNamesATaskThatStandsElsewhere) {
  EXPECT_EQ(table_of(three(), {{2, 0, {}}, {2, 1, "see above"}}, 0),
            "  line\\nbreak    ready\n"
            "                 note       note\n"
            "  └ line\\nbreak  see above\n");
}

TEST(TableTest, CountsWhatIsLeftOut) {
  EXPECT_EQ(table_of(three(), {{1, 0, {}}}, 2),
            "  reader  ready\n"
            "  ... and 2 more tasks\n");
}

TEST(TableTest, OfNothingIsNothing) { EXPECT_EQ(table_of({}, {}, 0), ""); }

TEST(TableTest, KeepsWhatUsersWriteInOneLine) { EXPECT_EQ(in_one_line("a\nb\tc\xFF"), "a\\nb\\x09c\\xff"); }

TEST(TableTest, MeasuresCharactersAndNotBytes) {
  EXPECT_EQ(width_of("größe"), 5u);
  EXPECT_EQ(padded("größe", 7), "größe  ");
  EXPECT_EQ(padded("größe", 3), "größe");
}

TEST(TableTest, CutsBetweenCharacters) {
  EXPECT_EQ(cut("größe", 5), "größe");
  EXPECT_EQ(cut("größe", 4), "grö…");
  EXPECT_EQ(cut("größe", 3), "gr…");
  EXPECT_EQ(cut("größe", 1), "…");
  EXPECT_EQ(cut("größe", 0), "");
}

}  // namespace
}  // namespace lockstep::detail
