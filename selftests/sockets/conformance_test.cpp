// What Linux does with sockets, pipes and the rest, and that the simulated kernel does the same: each row of rows.hpp
// on each arm. docs/reference/sockets.md has a table of it. LOCKSTEP_APPROVE=1 writes what Linux says into the rows,
// and, once these are compiled, the table anew.
#include "../against_linux/approval.hpp"
#include "rows.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <iostream>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace lockstep::sockets {
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

class SocketConformanceTest : public testing::TestWithParam<test_case> {};

TEST_P(SocketConformanceTest, SaysWhatIsApproved) {
  const test_case& which = GetParam();
  const std::string transcript = which.on.run(which.what.body);
  if (which.on.is_linux && is_approving() && "\n" + transcript != which.what.transcript) {
    ASSERT_TRUE(approve(LOCKSTEP_SOCKETS "/" + which.file, which.what.id, which.what.name, transcript))
        << "found no place for it in " << which.file;
  }
  EXPECT_EQ(which.what.transcript, "\n" + transcript);
}

INSTANTIATE_TEST_SUITE_P(Each, SocketConformanceTest, testing::ValuesIn(test_cases()),
                         [](const testing::TestParamInfo<test_case>& of) {
                           return test_name(of.param.what.id, of.param.what.name) + "On" + of.param.on.name;
                         });

TEST(SocketRowsTest, SayWhichAreNotAskedHere) {
  for (const arm& on : arms()) {
    int count = 0;
    for (const row_file& file : row_files()) {
      for (const row& each : file.rows()) count += on.has(each.on) ? 0 : 1;
    }
    std::cout << count << " rows are not run on " << on.name
              << (on.has(needs::own_network) ? "\n" : ", as there is no network of the process's own\n");
    EXPECT_LT(count, 40);
  }
}

// -- the table --------------------------------------------------------------------------------------------------------

std::string lockstep_cell(const row& of) {
  for (const arm& on : arms()) {
    if (on.is_linux) continue;
    const std::string transcript = on.run(of.body);
    if ("\n" + transcript != of.transcript) return cell_of(transcript);
    return of.reason.empty() ? "the same" : "as written there";
  }
  return "-";
}

std::string table() {
  std::string text = "| Row | What | Linux | lockstep |\n|---|---|---|---|\n";
  for (const row_file& file : row_files()) {
    for (const row& of : file.rows()) {
      const std::string here = of.reason.empty() ? "" : "not asked by the test, as it " + of.reason + ": ";
      text += fmt::format("| {} | {} | {}{} | {} |\n", of.id, of.name, here, cell_of(of.transcript), lockstep_cell(of));
    }
  }
  return text;
}

TEST(SocketTableTest, IsWhatTheRowsSay) {
  against_linux::expect_table(LOCKSTEP_SOCKETS_TABLE, "<!-- generated from selftests/sockets -->\n", table());
}

TEST(SocketRowsTest, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const row_file& file : row_files()) {
    for (const row& each : file.rows())
      EXPECT_TRUE(names.insert(test_name(each.id, each.name)).second) << each.id << " " << each.name;
  }
}

}  // namespace
}  // namespace lockstep::sockets
