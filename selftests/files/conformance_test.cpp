// What Linux does with files, and that the simulated kernel does the same: each row of rows.hpp on each arm.
// docs/reference/files.md has a table of it. LOCKSTEP_APPROVE=1 writes what Linux says into the rows, and, once these
// are compiled, the table anew.
#include "../against_linux/approval.hpp"
#include "rows.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <iostream>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace lockstep::files {
namespace {

using against_linux::approve;
using against_linux::cell_of;
using against_linux::is_approving;
using against_linux::test_name;

struct test_case {
  arm on;
  row what;
  std::string file;
};
void PrintTo(const test_case& which, std::ostream* to) { *to << which.what.name << " on " << which.on.name; }

std::vector<test_case> test_cases() {
  std::vector<test_case> cases;
  for (const arm& on : arms()) {
    for (const row_file& file : row_files()) {
      for (const row& what : file.rows()) {
        if (on.has(what.on)) cases.push_back({on, what, file.name});
      }
    }
  }
  return cases;
}

class FileConformanceTest : public testing::TestWithParam<test_case> {};

TEST_P(FileConformanceTest, SaysWhatIsApproved) {
  const test_case& which = GetParam();
  const std::string transcript = which.on.run(which.what.body);
  if (which.on.is_linux && is_approving() && "\n" + transcript != which.what.transcript) {
    ASSERT_TRUE(approve(LOCKSTEP_FILES "/" + which.file, which.what.id, which.what.name, transcript))
        << "found no place for it in " << which.file;
  }
  EXPECT_EQ(which.what.transcript, "\n" + transcript);
}

INSTANTIATE_TEST_SUITE_P(Each, FileConformanceTest, testing::ValuesIn(test_cases()),
                         [](const testing::TestParamInfo<test_case>& of) {
                           return test_name(of.param.what.id, of.param.what.name) + "On" + of.param.on.name;
                         });

const char* reason(needs what) {
  switch (what) {
    case needs::nothing: return "no reason";
    case needs::ext4: return "temporary files are not on ext4";
    case needs::root: return "the test does not run as root";
    case needs::small_disk: return "no file system may be mounted";
    case needs::whole_machine: return "the limit on all open files is that of the whole machine";
    case needs::quota: return "no file system with quotas may be mounted";
  }
  return "?";
}

TEST(FileRowsTest, SayWhichAreNotAskedHere) {
  for (const arm& on : arms()) {
    for (const needs what :
         {needs::nothing, needs::ext4, needs::root, needs::small_disk, needs::whole_machine, needs::quota}) {
      int count = 0;
      for (const row_file& file : row_files()) {
        for (const row& each : file.rows()) count += each.on == what && !on.has(what) ? 1 : 0;
      }
      if (count > 0) std::cout << fmt::format("{} rows are not run on {}, as {}\n", count, on.name, reason(what));
      EXPECT_LT(count, 40);
    }
    EXPECT_TRUE(on.has(needs::nothing));
  }
}

TEST(FileRowsTest, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const row_file& file : row_files()) {
    for (const row& each : file.rows()) {
      EXPECT_TRUE(names.insert(test_name(each.id, each.name)).second) << each.id << " " << each.name;
    }
  }
}

// -- the table --------------------------------------------------------------------------------------------------------

std::string lockstep_cell(const row& of) {
  for (const arm& on : arms()) {
    if (on.is_linux) continue;
    const std::string transcript = on.run(of.body);
    return "\n" + transcript == of.transcript ? "the same" : cell_of(transcript);
  }
  return "";
}

// What stands before what Linux does where nobody has asked it.
const char* linux_says(needs what) {
  if (what == needs::whole_machine) return "by its sources, as nobody asks it: ";
  return what == needs::quota ? "by its sources, where tmpfs has no quotas: " : "";
}

std::string table() {
  std::string text = "| Row | What | Linux | lockstep |\n|---|---|---|---|\n";
  for (const row_file& file : row_files()) {
    for (const row& of : file.rows()) {
      text += fmt::format("| {} | {} | {}{} | {} |\n", of.id, of.name, linux_says(of.on), cell_of(of.transcript),
                          lockstep_cell(of));
    }
  }
  return text;
}

TEST(FileTableTest, IsWhatTheRowsSay) {
  against_linux::expect_table(LOCKSTEP_FILES_TABLE, "<!-- generated from selftests/files -->\n", table());
}

}  // namespace
}  // namespace lockstep::files
