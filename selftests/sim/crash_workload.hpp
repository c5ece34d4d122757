// Random calls on a few small files, and what they were: changes and syncs, as the definition of a model of power cuts
// sees them.
#pragma once

#include "all_images.hpp"

#include <lockstep/base/hash.hpp>
#include <lockstep/sim/fault.hpp>

#include <fmt/format.h>

#include <linux/fs.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::sim::crash_workload {

struct change {
  enum class kind { write, resize, punch, set_aside, attributes, name, unname };
  kind what{};
  int file = 0;
  int directory = -1;    // of a name
  std::string text{};    // the name, or what was written
  std::string memory{};  // all of the file, behind a write
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t before = 0;  // the file's size
  std::uint64_t after = 0;
  std::string attributes{};    // as they are then
  int call = 0;                // which call it was of
  std::string_view counted{};  // as what; nothing for what there is in each workload
  bool over_another = false;
  bool of_rename = false;
  bool makes = false;      // the name that a file is made with
  bool moves_out = false;  // the old name of what is renamed
  bool ends_directory = false;
  bool is_of_clean = false;       // a write that there is only where a sync has failed to write the page
  bool is_first_of_page = false;  // a write where the file had no page, or one that was never written
};

// A sync of a file or of a directory, after so many changes.
struct sync_point {
  std::size_t after = 0;
  int file = 0;
  std::vector<int> above{};  // the directories that it is in, and those above them
  std::vector<int> gone{};   // the files that have lost their last name
  bool data_only = false;
  bool fails = false;
  bool reverts = false;  // by that memory has what is on the disk
  std::string_view counted{};
};

enum class file_kind { file, directory, link };

struct made_file {
  file_kind is = file_kind::file;
  mode_t mode = 0;
  int accessed = 0;          // in seconds; 0 for when it was made
  std::string attributes{};  // when it was made
  std::string target{};
  std::string text{};  // in memory
  bool has_page = false;
  bool is_written = false;  // and not only set aside
  struct {
    std::string text{};
    bool has_page = false;
    bool is_written = false;
  } synced{};
};

constexpr int root_directory = 0;
constexpr int kept_directory = 1;  // "/d", which is durable before all

struct history {
  std::vector<change> changes{};
  std::vector<sync_point> syncs{};
  std::vector<made_file> files{};
};

inline std::string text_of_attributes(mode_t mode, int accessed) {
  constexpr mode_t permissions = S_IRWXU | S_IRWXG | S_IRWXO;
  return fmt::format("{:o}{}", mode & permissions, accessed == 0 ? "" : fmt::format("@{}", accessed));
}
// "/a(600)=text ", with a star if it has a page.
inline std::string line_of(const std::string& path, const std::string& attributes, bool has_page,
                           const std::string& text) {
  std::string shown;
  for (const char each : text) shown += each == '\0' ? '.' : each;
  return fmt::format("{}({}){}={} ", path, attributes, has_page ? "*" : "", shown);
}

class workload {
 public:
  // Of what there is not in each of them, it has about the half.
  explicit workload(std::uint64_t seed) : draws_(seed, 1) {
    make_directory("/d");
    here().sync();
    make(file_kind::directory, S_IRWXU);
    make(file_kind::directory, S_IRWXU);
    while (has_.size() < kinds) has_.push_back(draw(2) == 0);
    reverts_ = draw(3) == 0;
    here().files().disk().set_failed_sync_reverts(reverts_);
  }

  history run(int calls) {
    for (call_ = 0; call_ < calls; ++call_) step();
    return std::move(made_);
  }

 private:
  static constexpr std::uint64_t kinds = 30;
  static constexpr std::uint64_t kinds_of_all = 11;

  std::uint64_t draw(std::uint64_t options) { return bounded(draws_[drawn_++], options); }
  static std::string above(const std::string& path) { return path.substr(0, path.rfind('/')); }
  bool has_directory(const std::string& path) const {
    return path.empty() || path == "/d" || directories_.count(path) != 0;
  }
  std::string any_path() {
    static const std::array<const char*, 7> paths = {"/a", "/b", "/d/a", "/e/a", "/e/b", "/d/e/a", "/f/a"};
    const std::string path = paths[draw(paths.size())];
    return has_directory(above(path)) ? path : "/a";
  }
  // Of one that may be made.
  std::string any_directory_path() {
    static const std::array<const char*, 6> paths = {"/e", "/e", "/f", "/d/e", "/e/f", "/f/e"};
    const std::string path = paths[draw(paths.size())];
    return has_directory(above(path)) ? path : "/e";
  }
  std::string any_made_directory() {
    auto at = directories_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(draw(directories_.size())));
    return at->first;
  }
  std::optional<std::string> any_name(bool with_links) {
    std::vector<std::string> all;
    for (const auto& [path, file] : names_) {
      if (with_links || at(file).is == file_kind::file) all.push_back(path);
    }
    if (all.empty()) return std::nullopt;
    return all[draw(all.size())];
  }
  made_file& at(int file) { return made_.files[static_cast<std::size_t>(file)]; }
  // Of the directory with that name.
  int directory_of(const std::string& path) const { return directory_at(above(path)); }
  int directory_at(const std::string& path) const {
    if (path.empty()) return root_directory;
    return path == "/d" ? kept_directory : directories_.at(path);
  }
  std::vector<int> directories_above(const std::string& path) const {
    std::vector<int> found;
    for (std::string each = path; !each.empty();) {
      each = above(each);
      found.push_back(directory_at(each));
    }
    return found;
  }
  std::size_t count_names(int file) const {
    std::size_t count = 0;
    for (const auto& each : names_) count += each.second == file ? 1 : 0;
    return count;
  }

  void step() {
    std::uint64_t what = draw(kinds);
    while (what >= kinds_of_all && !has_[what]) what = draw(kinds);
    const std::optional<std::string> file = any_name(false);
    if (what <= 1 || !file) return create(any_path());
    if (what < kinds_of_all) return change_as_all(what, *file);
    switch (what) {
      case 11:
      case 12:
      case 13: return make_or_remove_directory();
      case 14: return symlink(any_path());
      case 15:
      case 16: return change_attributes(*file);
      case 17: return allocate(*file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, "punch");
      case 18: return allocate(*file, FALLOC_FL_ZERO_RANGE, "zero range");
      case 19: return allocate(*file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, "zero range");
      case 20: return allocate(*file, 0, "fallocate");
      case 21: return allocate(*file, FALLOC_FL_KEEP_SIZE, "fallocate");
      case 22:
      case 23: return fail_to_sync(*file);
      case 24: return write(*file, draw(2) == 0 ? O_SYNC : O_DSYNC);
      case 25:
      case 26: return rename_directory();
      case 27: return sync_directory();
      case 28: return link(any_name(true).value(), any_path());
      default: return sync_data(*file);
    }
  }
  void change_as_all(std::uint64_t what, const std::string& file) {
    const std::string name = any_name(true).value();
    switch (what) {
      case 2:
      case 3:
      case 4: return write(file);
      case 5: return resize(file);
      case 6: return rename(name, any_path());
      case 7: return remove(name);
      case 8: return link(name, any_path());
      case 9: return exchange(name, any_name(true).value());
      default: return sync(file);
    }
  }

  change& add(change::kind what, int of, std::string_view counted = {}) {
    change& made = made_.changes.emplace_back(change{what, of});
    made.call = call_;
    made.counted = counted;
    made.before = made.after = at(of).text.size();
    return made;
  }
  change& add_name(change::kind what, int of, const std::string& path, std::string_view counted = {}) {
    change& made = add(what, of, counted);
    made.directory = directory_of(path);
    made.text = path.substr(path.rfind('/') + 1);
    return made;
  }
  int make(file_kind is, mode_t mode) {
    made_file& made = made_.files.emplace_back(made_file{is, mode});
    made.attributes = text_of_attributes(mode, 0);
    return static_cast<int>(made_.files.size()) - 1;
  }

  // -- names --------------------------------------------------------------------------------------------------------

  void create(const std::string& path) {
    if (names_.count(path) != 0) return;
    write_file(path, "");
    names_[path] = make(file_kind::file, S_IRUSR | S_IWUSR);
    add_name(change::kind::name, names_[path], path).makes = true;
  }

  bool is_empty(const std::string& directory) const {
    const auto is_in = [&](const auto& each) { return above(each.first) == directory; };
    return std::none_of(names_.begin(), names_.end(), is_in) &&
           std::none_of(directories_.begin(), directories_.end(), is_in);
  }

  void make_or_remove_directory() {
    constexpr std::size_t directories_max = 2;
    if (directories_.empty() || (directories_.size() < directories_max && draw(2) == 0)) {
      const std::string path = any_directory_path();
      if (directories_.count(path) != 0) return;
      make_directory(path);
      const int made = directories_[path] = make(file_kind::directory, S_IRWXU);
      add_name(change::kind::name, made, path, "mkdir").makes = true;
      return;
    }
    const std::string path = any_made_directory();
    if (!is_empty(path)) return;
    EXPECT_EQ(here().unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR), 0);
    add_name(change::kind::unname, directories_.at(path), path, "rmdir").ends_directory = true;
    gone_.push_back(directories_.at(path));
    directories_.erase(path);
  }

  void rename_directory() {
    if (directories_.empty()) return;
    const std::string from = any_made_directory();
    const std::string to = any_directory_path();
    const bool is_there = directories_.count(to) != 0;
    if (to == from || to.starts_with(from + "/") || (is_there && !is_empty(to))) return;
    rename_path(from, to);
    const int moved = directories_.at(from);
    if (is_there) {
      change& replaced = add_half(change::kind::unname, directories_.at(to), to);
      replaced.ends_directory = true;
      gone_.push_back(directories_.at(to));
    }
    change& old = add_half(change::kind::unname, moved, from);
    old.moves_out = true;
    old.counted = "rename of a directory";
    add_half(change::kind::name, moved, to, is_there).counted = "rename of a directory";
    directories_.erase(to);
    move_paths(directories_, from, to);
    move_paths(names_, from, to);
  }
  static void move_paths(std::map<std::string, int>& in, const std::string& from, const std::string& to) {
    std::map<std::string, int> moved;
    for (const auto& [path, file] : in) {
      const bool is_below = path == from || path.starts_with(from + "/");
      moved[is_below ? to + path.substr(from.size()) : path] = file;
    }
    in = std::move(moved);
  }

  void symlink(const std::string& path) {
    if (names_.count(path) != 0) return;
    EXPECT_EQ(here().symlinkat("to", AT_FDCWD, path.c_str()), 0);
    names_[path] = make(file_kind::link, S_IRWXU);
    at(names_[path]).target = "to";
    add_name(change::kind::name, names_[path], path, "symlink");
  }

  change& add_half(change::kind what, int of, const std::string& path, bool over_another = false) {
    change& made = add_name(what, of, path);
    made.of_rename = true;
    made.over_another = over_another;
    return made;
  }

  // Of one file to itself it does nothing.
  void rename(const std::string& from, const std::string& to) {
    const int moved = names_.at(from);
    const int replaced = names_.count(to) != 0 ? names_.at(to) : -1;
    if (replaced == moved) return;
    rename_path(from, to);
    if (replaced >= 0) add_half(change::kind::unname, replaced, to);
    add_half(change::kind::unname, moved, from).moves_out = true;
    add_half(change::kind::name, moved, to, replaced >= 0);
    names_[to] = moved;
    names_.erase(from);
    if (replaced >= 0) note_gone(replaced);
  }

  void exchange(const std::string& one, const std::string& other) {
    const int first = names_.at(one);
    const int second = names_.at(other);
    if (first == second) return;
    EXPECT_EQ(here().renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE), 0);
    add_half(change::kind::unname, first, one).moves_out = true;
    add_half(change::kind::unname, second, other).moves_out = true;
    add_half(change::kind::name, second, one, true);
    add_half(change::kind::name, first, other, true);
    std::swap(names_.at(one), names_.at(other));
  }

  void link(const std::string& from, const std::string& to) {
    if (names_.count(to) != 0) return;
    EXPECT_EQ(here().linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0), 0);
    names_[to] = names_.at(from);
    add_name(change::kind::name, names_[to], to);
  }

  void remove(const std::string& path) {
    EXPECT_EQ(here().unlinkat(AT_FDCWD, path.c_str(), 0), 0);
    const int gone = names_.at(path);
    add_name(change::kind::unname, gone, path);
    names_.erase(path);
    note_gone(gone);
  }
  void note_gone(int file) {
    if (count_names(file) == 0) gone_.push_back(file);
  }

  // -- files --------------------------------------------------------------------------------------------------------

  void change_attributes(const std::string& path) {
    made_file& of = at(names_.at(path));
    constexpr std::uint64_t modes = 8;
    if (draw(2) == 0) {
      of.mode = static_cast<mode_t>(S_IRUSR | S_IWUSR | draw(modes));
      EXPECT_EQ(here().fchmodat(AT_FDCWD, path.c_str(), of.mode), 0);
    } else {
      of.accessed = call_ + 1;
      const timespec times[2] = {{of.accessed, 0}, {0, UTIME_OMIT}};
      EXPECT_EQ(here().utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    }
    add(change::kind::attributes, names_.at(path), "attributes").attributes = text_of_attributes(of.mode, of.accessed);
  }

  void write(const std::string& path, int flags = 0) {
    const int file = names_.at(path);
    std::string& now = at(file).text;
    const std::uint64_t offset = draw(now.size() + 1);
    const std::string text(1 + draw(5), static_cast<char>('a' + call_));
    change& made = add(change::kind::write, file);
    made.offset = offset;
    made.text = text;
    made.size = text.size();
    made.after = std::max<std::uint64_t>(now.size(), offset + text.size());
    now.resize(made.after);
    made.is_first_of_page = !std::exchange(at(file).is_written, true);
    at(file).has_page = true;
    now.replace(offset, text.size(), text);
    made.memory = now;
    const int fd = make_file(path, O_RDWR | flags);
    EXPECT_EQ(here().pwrite(fd, text.data(), text.size(), static_cast<std::int64_t>(offset)),
              static_cast<std::int64_t>(text.size()));
    here().close(fd);
    if (flags != 0) add_sync(file, flags == O_DSYNC, "synced write");
  }

  void resize(const std::string& path) {
    std::string& now = at(names_.at(path)).text;
    constexpr std::uint64_t sizes = 8;
    const std::uint64_t size = draw(sizes);
    if (size == now.size()) return;
    EXPECT_EQ(here().truncate(path.c_str(), static_cast<std::int64_t>(size)), 0);
    const int file = names_.at(path);
    const bool is_cut = size != 0 && size < now.size() && at(file).has_page;
    add(change::kind::resize, file).after = size;
    if (size == 0) at(file).has_page = at(file).is_written = false;
    now.resize(size);
    if (is_cut) add_write(file, 0, size).is_of_clean = true;
  }
  // Of what is in memory.
  change& add_write(int file, std::uint64_t offset, std::uint64_t size) {
    change& made = add(change::kind::write, file);
    made.offset = offset;
    made.size = size;
    made.memory = at(file).text;
    return made;
  }

  // What clears is one change, and what sets space aside is one after it. All of the page becomes a hole; a part of it
  // is written as zeros.
  void allocate(const std::string& path, int mode, std::string_view counted) {
    const int file = names_.at(path);
    std::string& now = at(file).text;
    const std::uint64_t offset = draw(now.size() + 2);
    const std::uint64_t size = 1 + draw(4);
    const std::uint64_t end = offset + size;
    const int fd = make_file(path, O_RDWR);
    EXPECT_EQ(here().fallocate(fd, mode, static_cast<std::int64_t>(offset), static_cast<std::int64_t>(size)), 0);
    here().close(fd);
    const bool punches = (mode & FALLOC_FL_PUNCH_HOLE) != 0;
    if (punches && now.empty()) return;  // there is no page with the end
    const bool clears = punches || (mode & FALLOC_FL_ZERO_RANGE) != 0;
    const std::uint64_t size_before = now.size();
    for (std::uint64_t i = offset; clears && i < std::min(end, size_before); ++i) now[i] = '\0';
    if (punches && offset == 0 && end > size_before) {
      add(change::kind::punch, file, counted).size = page_bytes;
      at(file).has_page = at(file).is_written = false;
    } else if (clears && at(file).is_written && offset < size_before) {
      add_write(file, offset, std::min(end, size_before) - offset).counted = counted;
    }
    const bool is_nothing_new = mode == FALLOC_FL_KEEP_SIZE || (mode == 0 && end <= now.size());
    if (punches || (is_nothing_new && std::exchange(at(file).has_page, true))) return;
    at(file).has_page = true;
    change& made = add(change::kind::set_aside, file, counted);
    if ((mode & FALLOC_FL_KEEP_SIZE) == 0) now.resize(std::max<std::size_t>(now.size(), end));
    made.after = now.size();
  }

  // -- syncs --------------------------------------------------------------------------------------------------------

  sync_point& add_sync(int file, bool data_only, std::string_view counted = {}) {
    sync_point& made = made_.syncs.emplace_back();
    made.after = made_.changes.size();
    made.file = file;
    made.gone = gone_;
    made.data_only = data_only;
    made.counted = counted;
    for (const auto* names : {&names_, &directories_}) {
      for (const auto& [name, of] : *names) {
        if (of != file) continue;
        const std::vector<int> all = directories_above(name);
        made.above.insert(made.above.end(), all.begin(), all.end());
      }
    }
    made_file& synced = at(file);
    synced.synced = {synced.text, synced.has_page, synced.is_written};
    return made;
  }

  void sync(const std::string& path) {
    if (draw(2) == 0) {
      sync_path(path);
      add_sync(names_.at(path), false);
    } else {
      sync_path(path.substr(0, path.rfind('/') + 1));
      add_sync(directory_of(path), false);
    }
  }

  void sync_directory() {
    if (directories_.empty()) return;
    const std::string path = any_made_directory();
    sync_path(path);
    add_sync(directories_.at(path), false);
  }

  void sync_data(const std::string& path) {
    const int fd = make_file(path, O_RDWR);
    EXPECT_EQ(here().fdatasync(fd), 0);
    here().close(fd);
    add_sync(names_.at(path), true, "fdatasync");
  }

  void fail_to_sync(const std::string& path) {
    const fault failing = on(op::sync).fail(EIO);
    const int fd = make_file(path, O_RDWR);
    EXPECT_EQ(here().fsync(fd), -EIO);
    here().close(fd);
    made_file& of = at(names_.at(path));
    const auto on_disk = of.synced;
    sync_point& made = add_sync(names_.at(path), false, reverts_ ? "failed sync that reverts" : "failed sync");
    made.fails = true;
    made.reverts = reverts_;
    of.synced = on_disk;
    if (!reverts_) return;
    of.text = on_disk.text;
    of.has_page = on_disk.has_page;
    of.is_written = on_disk.is_written;
  }

  draws draws_;
  std::uint64_t drawn_ = 0;
  std::vector<bool> has_;  // by kind
  history made_;
  std::map<std::string, int> names_;
  std::vector<int> gone_;
  std::map<std::string, int> directories_;  // that were made
  bool reverts_ = false;                    // a sync that fails
  int call_ = 0;
};

inline std::set<std::string_view> counted_in(const history& happened) {
  std::set<std::string_view> found;
  for (const change& each : happened.changes) found.insert(each.counted);
  for (const sync_point& each : happened.syncs) found.insert(each.counted);
  found.erase("");
  return found;
}

inline std::string text_of(const history& happened) {
  std::string text;
  std::size_t i = 0;
  const auto add_syncs = [&] {
    for (const sync_point& each : happened.syncs) {
      if (each.after != i) continue;
      text += fmt::format("\n    {}{} of file {}", each.fails ? "failed " : "", each.data_only ? "fdatasync" : "fsync",
                          each.file);
    }
  };
  static const std::array<const char*, 7> words = {"write",      "resize", "punch", "set aside",
                                                   "attributes", "name",   "unname"};
  for (const change& each : happened.changes) {
    add_syncs();
    ++i;
    text += fmt::format("\n    {} file {} in {}, '{}{}' {} at {}, size {} to {} (call {}{})",
                        words[static_cast<std::size_t>(each.what)], each.file, each.directory, each.text,
                        each.attributes, each.size, each.offset, each.before, each.after, each.call,
                        each.over_another ? ", over another" : "");
  }
  add_syncs();
  return text;
}

}  // namespace lockstep::sim::crash_workload
