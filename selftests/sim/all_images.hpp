// Every image that a power cut may leave, by trying every answer.
#pragma once

#include "in_world.hpp"

#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/file_names.hpp>

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

// Calls `run` with a chooser, for each sequence of answers.
inline void for_all_answers(const std::function<void(const crash_chooser&)>& run) {
  struct answer {
    std::uint64_t is;
    std::uint64_t options;
  };
  std::vector<answer> path;
  for (;;) {
    std::size_t depth = 0;
    const crash_chooser choose = [&](std::string_view, std::uint64_t options) {
      if (depth == path.size()) path.push_back({0, options});
      return path[depth++].is;
    };
    run(choose);
    while (!path.empty() && path.back().is + 1 == path.back().options) path.pop_back();
    if (path.empty()) return;
    ++path.back().is;
  }
}

// The tree of an image with the contents: "/a=xy /d/".
inline std::string text_of(const disk_image& image) {
  std::string text;
  const std::string tree = image.tree();
  for (std::size_t begin = 0; begin < tree.size();) {
    const std::size_t end = tree.find('\n', begin);
    const std::string line = tree.substr(begin, end - begin);
    begin = end + 1;
    const std::string path = line.substr(0, line.find(' '));
    if (path == "/tmp/") continue;
    text += (text.empty() ? "" : " ") + path;
    if (path.back() != '/') text += "=" + image.text_of(path);
  }
  return text;
}

// Answers so that all that may be kept is.
inline std::uint64_t nothing_lost(std::string_view, std::uint64_t) { return 0; }

inline std::set<std::string> all_images(const crash_log& log, const crash_model& model) {
  std::set<std::string> found;
  for_all_answers([&](const crash_chooser& choose) { found.insert(text_of(log.image(model, choose, nullptr))); });
  return found;
}

// What is left on the host's disk if nothing is lost that need not be.
inline disk_image image_left(const crash_model& model) {
  return here().files().disk().image_after_power_cut(model, nothing_lost, nullptr);
}

// All of them on the host's disk.
inline std::set<std::string> image_texts(const crash_model& model) {
  std::set<std::string> found;
  for_all_answers([&](const crash_chooser& choose) {
    found.insert(text_of(here().files().disk().image_after_power_cut(model, choose, nullptr)));
  });
  return found;
}

// -- plain calls on the host, which must succeed ----------------------------------------------------------------------

inline int make_file(const std::string& path, int flags = O_RDWR | O_CREAT) {
  const int fd = here().openat(AT_FDCWD, path.c_str(), flags, S_IRUSR | S_IWUSR);
  EXPECT_GE(fd, 0) << path;
  return fd;
}
inline void write_file(const std::string& path, const std::string& text, std::int64_t offset = 0, bool synced = false) {
  const int fd = make_file(path);
  EXPECT_EQ(here().pwrite(fd, text.data(), text.size(), offset), static_cast<std::int64_t>(text.size()));
  EXPECT_EQ(synced ? here().fsync(fd) : 0, 0);
  here().close(fd);
}
inline void sync_path(const std::string& path) {
  const int fd = here().openat(AT_FDCWD, path.c_str(), O_RDONLY, 0);
  EXPECT_EQ(here().fsync(fd), 0) << path;
  here().close(fd);
}
inline void rename_path(const std::string& from, const std::string& to) {
  EXPECT_EQ(here().renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0), 0);
}
inline void make_directory(const std::string& path) { EXPECT_EQ(here().mkdirat(AT_FDCWD, path.c_str(), S_IRWXU), 0); }
inline crash_log& log_here() { return here().files().disk().log(); }

}  // namespace lockstep::sim
