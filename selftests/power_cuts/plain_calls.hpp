// Calls on files in a task of a simulation, for short sequences of them: those of sim/all_images.hpp and a few more.
#pragma once

#include "../sim/all_images.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lockstep::power_cuts {

using sim::make_directory;
using sim::make_file;
using sim::rename_path;
using sim::sync_path;
using sim::write_file;

inline void append_to(const std::string& path, const std::string& text) {
  const int fd = make_file(path, O_WRONLY | O_CREAT | O_APPEND);
  EXPECT_EQ(write_text(here(), fd, text), static_cast<std::int64_t>(text.size())) << path;
  here().close(fd);
}
inline void create(const std::string& path) { here().close(make_file(path, O_WRONLY | O_CREAT | O_EXCL)); }
inline void sync_data_of(const std::string& path) {
  const int fd = here().openat(AT_FDCWD, path.c_str(), O_RDONLY, 0);
  EXPECT_EQ(here().fdatasync(fd), 0) << path;
  here().close(fd);
}
inline void remove_path(const std::string& path) { EXPECT_EQ(here().unlinkat(AT_FDCWD, path.c_str(), 0), 0) << path; }
inline void link_path(const std::string& from, const std::string& to) {
  EXPECT_EQ(here().linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0), 0) << to;
}
inline void resize(const std::string& path, std::int64_t size) {
  EXPECT_EQ(here().truncate(path.c_str(), size), 0) << path;
}

// What is in a file; nothing if there is none.
inline std::optional<std::string> text_at(const std::string& path) {
  const int fd = here().openat(AT_FDCWD, path.c_str(), O_RDONLY, 0);
  if (fd < 0) return std::nullopt;
  constexpr std::size_t most = 100'000;
  std::string text = read_text(here(), fd, most);
  here().close(fd);
  return text;
}

// The lines of a log that are whole, up to the first that is not of letters and digits.
inline std::vector<std::string> records_in(const std::optional<std::string>& log) {
  std::vector<std::string> records;
  std::string record;
  for (const char each : log.value_or("")) {
    if (each == '\n') {
      records.push_back(record);
      record.clear();
    } else if ((each >= 'a' && each <= 'z') || (each >= '0' && each <= '9')) {
      record += each;
    } else {
      break;
    }
  }
  return records;
}

}  // namespace lockstep::power_cuts
