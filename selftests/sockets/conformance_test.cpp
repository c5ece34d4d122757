// What Linux does with sockets, pipes and the rest, and that the simulated kernel does the same: each row of rows.hpp
// on each arm. docs/reference/sockets.md has a table of it. LOCKSTEP_APPROVE=1 writes what Linux says into the rows,
// and, once these are compiled, the table anew.
#include "rows.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace lockstep::sockets {
namespace {

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

// "C1" and "a closed port" make C1AClosedPort.
std::string test_name(const row& of) {
  std::string name = of.id;
  bool is_first = true;
  for (const char each : of.name) {
    const auto letter = static_cast<unsigned char>(each);
    if (std::isalnum(letter) != 0) name += is_first ? static_cast<char>(std::toupper(letter)) : each;
    is_first = std::isalnum(letter) == 0;
  }
  return name;
}

std::string text_of_file(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool is_approving() { return std::getenv("LOCKSTEP_APPROVE") != nullptr; }

// Puts the transcript where the row's stands in its source, and says whether it found the place.
bool approve(const test_case& which, const std::string& transcript) {
  const std::filesystem::path path = std::filesystem::path(LOCKSTEP_SOCKETS) / which.file;
  std::string source = text_of_file(path);
  const std::size_t at = source.find(fmt::format("\"{}\", \"{}\"", which.what.id, which.what.name));
  const std::string opening = "R\"(";
  if (at == std::string::npos) return false;
  const std::size_t begin = source.find(opening, at);
  const std::size_t end = source.find(")\"", begin);
  if (begin == std::string::npos || end == std::string::npos) return false;
  source.replace(begin + opening.size(), end - begin - opening.size(), "\n" + transcript);
  std::ofstream(path) << source;
  return true;
}

class SocketConformanceTest : public testing::TestWithParam<test_case> {};

TEST_P(SocketConformanceTest, SaysWhatIsApproved) {
  const test_case& which = GetParam();
  const std::string transcript = which.on.run(which.what.body);
  if (which.on.is_linux && is_approving() && "\n" + transcript != which.what.transcript) {
    ASSERT_TRUE(approve(which, transcript)) << "found no place for it in " << which.file;
  }
  EXPECT_EQ(which.what.transcript, "\n" + transcript);
}

INSTANTIATE_TEST_SUITE_P(Each, SocketConformanceTest, testing::ValuesIn(test_cases()),
                         [](const testing::TestParamInfo<test_case>& of) {
                           return test_name(of.param.what) + "On" + of.param.on.name;
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

// The lines of a transcript in one cell.
std::string cell_of(const std::string& transcript) {
  std::string cell;
  for (const char each : transcript.substr(transcript.find_first_not_of('\n'))) {
    if (each == '|') cell += '\\';
    if (each == '\n') {
      cell += "`; `";
    } else {
      cell += each;
    }
  }
  return "`" + cell.substr(0, cell.size() - 4) + "`";
}

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
  const std::string before = text_of_file(LOCKSTEP_SOCKETS_TABLE);
  const std::string begin = "<!-- generated from selftests/sockets -->\n";
  ASSERT_NE(before.find(begin), std::string::npos);
  const std::string now = before.substr(0, before.find(begin) + begin.size()) + table();
  if (is_approving()) std::ofstream(LOCKSTEP_SOCKETS_TABLE) << now;
  // Line by line, as the whole is too long to read.
  std::stringstream kept(text_of_file(LOCKSTEP_SOCKETS_TABLE)), made(now);
  std::string kept_line, made_line;
  while (std::getline(made, made_line)) {
    ASSERT_TRUE(std::getline(kept, kept_line)) << "the table ends before: " << made_line;
    ASSERT_EQ(kept_line, made_line);
  }
  EXPECT_FALSE(std::getline(kept, kept_line)) << "the table has one more: " << kept_line;
}

TEST(SocketRowsTest, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const row_file& file : row_files()) {
    for (const row& each : file.rows())
      EXPECT_TRUE(names.insert(test_name(each)).second) << each.id << " " << each.name;
  }
}

}  // namespace
}  // namespace lockstep::sockets
