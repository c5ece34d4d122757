#include "approval.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace lockstep::against_linux {
namespace {

std::string text_of_file(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

bool is_approving() { return std::getenv("LOCKSTEP_APPROVE") != nullptr; }

std::string test_name(const std::string& id, const std::string& name) {
  std::string made = id;
  bool is_first = true;
  for (const char each : name) {
    const auto letter = static_cast<unsigned char>(each);
    if (std::isalnum(letter) != 0) made += is_first ? static_cast<char>(std::toupper(letter)) : each;
    is_first = std::isalnum(letter) == 0;
  }
  return made;
}

bool approve(const std::string& source_path, const std::string& id, const std::string& name,
             const std::string& transcript) {
  std::string source = text_of_file(source_path);
  const std::size_t at = source.find("\"" + id + "\", \"" + name + "\"");
  const std::string opening = "R\"(";
  if (at == std::string::npos) return false;
  const std::size_t begin = source.find(opening, at);
  const std::size_t end = source.find(")\"", begin);
  if (begin == std::string::npos || end == std::string::npos) return false;
  source.replace(begin + opening.size(), end - begin - opening.size(), "\n" + transcript);
  std::ofstream(source_path) << source;
  return true;
}

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

void expect_table(const std::string& path, const std::string& begin, const std::string& table) {
  const std::string before = text_of_file(path);
  ASSERT_NE(before.find(begin), std::string::npos);
  const std::string now = before.substr(0, before.find(begin) + begin.size()) + table;
  if (is_approving()) std::ofstream(path) << now;
  // Line by line, as the whole is too long to read.
  std::stringstream kept(text_of_file(path)), made(now);
  std::string kept_line, made_line;
  while (std::getline(made, made_line)) {
    ASSERT_TRUE(std::getline(kept, kept_line)) << "the table ends before: " << made_line;
    ASSERT_EQ(kept_line, made_line);
  }
  EXPECT_FALSE(std::getline(kept, kept_line)) << "the table has one more: " << kept_line;
}

}  // namespace lockstep::against_linux
