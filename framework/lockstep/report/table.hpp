// Tasks as a table whose first column is a tree: what the texts of reports are made of.
#pragma once

#include <lockstep/runtime/verdict.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::detail {

// A task in its place in the tree.
struct branch {
  std::size_t task;
  std::size_t depth;         // 0 for a root
  std::string_view again{};  // why it is only named, as it stands in full elsewhere; empty if not
};

// A row for each branch, with what the task does and where; below it its stack, the line of its spawn and its notes.
// In the end, how many are left out.
std::string table_of(const std::vector<task_snapshot>& tasks, const std::vector<branch>& branches,
                     std::size_t left_out);

// What users have written must not break the table.
std::string in_one_line(const std::string& text);

// The width on a terminal, of text in UTF-8; with spaces up to a width; and the beginning with "…", if it is wider.
std::size_t width_of(std::string_view text) noexcept;
std::string padded(const std::string& text, std::size_t to);
std::string cut(const std::string& text, std::size_t to);

}  // namespace lockstep::detail
