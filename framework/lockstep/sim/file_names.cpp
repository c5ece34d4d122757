#include <lockstep/sim/file_names.hpp>

#include <lockstep/sim/file_watch.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace lockstep::sim {

file_names::file_names(loop& owner, std::shared_ptr<page_store> pages, identity id)
    : owner_(owner), pages_(std::move(pages)), id_(id) {
  disks_.push_back({"/", std::make_unique<file_system>(owner_, pages_, roll(id_, 0), 1)});
  inode_reference made;
  constexpr mode_t all = S_IRWXU | S_IRWXG | S_IRWXO;
  disk().make(S_IFDIR | S_ISVTX | all, {.umask = 0}, made);
  disk().link(disk().root(), "tmp", *made);
  disk().sync_all();
}

// Mounts go before what they are on.
file_names::~file_names() {
  working_directory_ = nullptr;
  while (!disks_.empty()) disks_.pop_back();
}

// -- permissions ------------------------------------------------------------------------------------------------------

bool file_names::may(const inode& file, int wanted) const noexcept {
  const mode_t mode = file.attributes.mode;
  constexpr mode_t any_execute = S_IXUSR | S_IXGRP | S_IXOTH;
  if (who_.is_root()) return (wanted & X_OK) == 0 || file.is_directory() || (mode & any_execute) != 0;
  constexpr unsigned of_user = 6;
  constexpr unsigned of_group = 3;
  unsigned shift = 0;
  if (file.attributes.user == who_.user) {
    shift = of_user;
  } else if (who_.in_group(file.attributes.group)) {
    shift = of_group;
  }
  return (static_cast<int>(mode >> shift) & wanted) == wanted;
}

int file_names::may_change_names(const inode& directory) const noexcept {
  if (directory.on().read_only()) return -EROFS;
  return may(directory, W_OK | X_OK) ? 0 : -EACCES;
}

int file_names::may_remove(const inode& directory, const inode& file) const noexcept {
  if (const int refused = may_change_names(directory); refused != 0) return refused;
  const inode* named = &file;  // where a disk is mounted on it, that
  while (named->parent == named && named->mounted_on != nullptr) named = named->mounted_on;
  const bool is_owner = who_.is_root() || named->attributes.user == who_.user || directory.attributes.user == who_.user;
  return (directory.attributes.mode & S_ISVTX) != 0 && !is_owner ? -EPERM : 0;
}

// -- finding ----------------------------------------------------------------------------------------------------------

// Nothing goes while it is looked for, so no reference is held.
struct file_names::walk {
  inode* directory = nullptr;  // that is reached
  inode* file = nullptr;
  std::string_view last;
  bool slash = false;
  bool by_dots = false;
  bool too_long = false;
  bool makes = false;  // what is last, if it is not there
  int links = 0;
};

namespace {

bool is_dots(std::string_view name) noexcept { return name == "." || name == ".."; }

// Takes the first name off a path that does not begin with a slash, and the slashes behind it.
std::string_view take_name(std::string_view& path) noexcept {
  const char* const begin = path.data();
  const char* const end = begin + path.size();
  const char* at = begin;
  while (at != end && *at != '/') ++at;
  const std::string_view name(begin, static_cast<std::size_t>(at - begin));
  while (at != end && *at == '/') ++at;
  path = std::string_view(at, static_cast<std::size_t>(end - at));
  return name;
}

}  // namespace

inline int file_names::step(inode& directory, std::string_view name, inode*& next) const {
  if (!may(directory, X_OK)) return -EACCES;
  if (name.front() == '.' && is_dots(name)) [[unlikely]] {
    next = &directory;
    if (name.size() == 1) return 0;
    while (next->parent == next && next->mounted_on != nullptr) next = next->mounted_on;
    next = next->parent;
    return 0;
  }
  if (name.size() > NAME_MAX) return -ENAMETOOLONG;
  next = directory.entries.find(name);
  while (next != nullptr && next->mounted != nullptr) next = next->mounted;
  return 0;
}

int file_names::go(walk& at, std::string_view path, following how) const {
  constexpr int links_max = 40;
  const bool slash = path.back() == '/';
  if (path.front() == '/') at.directory = &disks_.front().disk->root();
  at.file = at.directory;
  at.last = {};
  at.by_dots = false;
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty()) {
    const std::string_view name = take_name(path);
    const bool is_last = path.empty();
    if (!at.directory->is_directory()) return -ENOTDIR;
    inode* next = nullptr;
    if (const int failed = step(*at.directory, name, next); failed != 0) {
      if (failed != -ENAMETOOLONG || !is_last || how != following::never) return failed;
      at.too_long = true;
    }
    if (is_last && at.makes && slash && !is_dots(name)) return -EISDIR;  // by a slash in a link
    const bool follows = how == following::always || (how == following::to_slash && slash);
    if (next != nullptr && next->is_link() && (!is_last || follows)) {
      if (++at.links > links_max) return -ELOOP;
      const bool makes = std::exchange(at.makes, at.makes && is_last);
      if (const int failed = go(at, next->target, following::always); failed != 0) return failed;
      at.makes = makes;
      if (is_last) break;
      at.slash = false;
      next = at.file;
    } else if (is_last) {
      at.file = next;
      at.last = name;
      at.by_dots = is_dots(name);
      break;
    }
    if (next == nullptr) return -ENOENT;
    if (!next->is_directory()) return -ENOTDIR;
    at.directory = at.file = next;
  }
  at.slash = at.slash || slash;
  return 0;
}

int file_names::find(inode& at, std::string_view path, following how, place& found, bool makes) const {
  if (path.empty()) return -ENOENT;
  if (path.size() >= PATH_MAX) return -ENAMETOOLONG;
  walk way;
  way.directory = &at;
  way.makes = makes;
  if (path.front() != '/' && !at.is_directory()) return -ENOTDIR;
  if (const int failed = go(way, path, how); failed != 0) return failed;
  found = {way.directory, way.file, way.last, way.slash, way.too_long, way.by_dots};
  return 0;
}

int file_names::find_file(inode& at, std::string_view path, bool follows, inode_reference& found, place* where) const {
  place own;
  place& there = where != nullptr ? *where : own;
  const following how = follows ? following::always : following::to_slash;
  if (const int failed = find(at, path, how, there); failed != 0) return failed;
  if (!there.file) return -ENOENT;
  if (there.slash && !there.file->is_directory()) return -ENOTDIR;
  found = std::move(there.file);
  return 0;
}

told_name file_names::told(const place& there, const inode& file) const noexcept {
  if (file.parent == &file) return {};  // the root of a disk
  if (!there.last.empty() && !there.by_dots) return {there.directory.get(), there.last};
  const std::string_view name = file.name();
  return name.empty() ? told_name() : told_name{file.parent, name};
}

// A name that is not taken yet.
int file_names::find_free(inode& at, std::string_view path, bool is_directory, place& found) const {
  if (const int failed = find(at, path, following::never, found); failed != 0) return failed;
  if (found.too_long) return -ENAMETOOLONG;
  if (found.file) return -EEXIST;
  if (found.slash && !is_directory) return -ENOENT;
  if (found.directory->links == 0) return -ENOENT;
  return may_change_names(*found.directory);
}

// -- opening ----------------------------------------------------------------------------------------------------------

int file_names::open_found(inode& file, int flags) {
  const int access = flags & O_ACCMODE;
  const bool writes = access != O_RDONLY;
  if (file.is_link()) return (flags & O_DIRECTORY) != 0 ? -ENOTDIR : -ELOOP;
  if (file.is_directory() && (writes || (flags & (O_CREAT | O_TRUNC)) != 0)) return -EISDIR;
  if ((flags & O_DIRECTORY) != 0 && !file.is_directory()) return -ENOTDIR;
  if (S_ISSOCK(file.attributes.mode)) return -ENXIO;
  if (file.is_directory() && (flags & O_DIRECT) != 0) return -EINVAL;
  const int wanted = (access != O_WRONLY ? R_OK : 0) | (writes || (flags & O_TRUNC) != 0 ? W_OK : 0);
  if (!may(file, wanted)) return -EACCES;
  if ((writes || (flags & O_TRUNC) != 0) && file.on().read_only()) return -EROFS;
  if ((flags & O_NOATIME) != 0 && !who_.is_root() && file.attributes.user != who_.user) return -EPERM;
  return 0;
}

int file_names::open(inode& at, std::string_view path, int flags, mode_t mode, inode_reference& found, place* where) {
  constexpr mode_t permissions = S_ISUID | S_ISGID | S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO;
  const bool makes = (flags & O_CREAT) != 0;
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    if ((flags & O_ACCMODE) == O_RDONLY || makes) return -EINVAL;
    inode_reference directory;
    if (const int failed = find_file(at, path, true, directory); failed != 0) return failed;
    if (!directory->is_directory()) return -ENOTDIR;
    if (const int refused = may_change_names(*directory); refused != 0) return refused;
    const int failed = make_in(*directory, S_IFREG | (mode & permissions), found);
    if (failed == 0) found->may_get_a_name = (flags & O_EXCL) == 0;
    if (where != nullptr) where->directory = directory;
    return failed;
  }
  if (makes && (flags & O_DIRECTORY) != 0) return -EINVAL;
  place own;
  place& there = where != nullptr ? *where : own;
  if (makes && !path.empty() && path.back() == '/') {
    const int failed = find(at, path, following::never, there);
    return failed != 0 ? failed : -EISDIR;
  }
  const bool follows = (flags & O_NOFOLLOW) == 0 && !(makes && (flags & O_EXCL) != 0);
  const following how = follows ? following::always : following::to_slash;
  if (const int failed = find(at, path, how, there, makes); failed != 0) return failed;
  if (there.slash && makes) return -EISDIR;  // behind what a link leads to
  if (there.file) {
    if (makes && (flags & O_EXCL) != 0) return -EEXIST;
    if (there.slash && !there.file->is_directory()) return -ENOTDIR;
    found = there.file;
    return open_found(*found, flags);
  }
  if (!makes) return -ENOENT;
  if (there.directory->links == 0) return -ENOENT;
  if (const int refused = may_change_names(*there.directory); refused != 0) return refused;
  const int failed = make_at(there, S_IFREG | (mode & permissions), found);
  return failed != 0 ? failed : 1;
}

// Without a name.
int file_names::make_in(inode& directory, mode_t mode, inode_reference& made) {
  if (const int failed = directory.on().make(mode, who_, made); failed != 0) return failed;
  if ((directory.attributes.mode & S_ISGID) != 0) {
    made->attributes.group = directory.attributes.group;
    if (S_ISDIR(mode)) made->attributes.mode |= S_ISGID;
  }
  return 0;
}

int file_names::make_at(const place& there, mode_t mode, inode_reference& made) {
  if (const int failed = make_in(*there.directory, mode, made); failed != 0) return failed;
  there.directory->on().link(*there.directory, there.last, *made);
  return 0;
}

// -- names ------------------------------------------------------------------------------------------------------------

int file_names::make_node(inode& at, std::string_view path, mode_t mode, inode_reference& made) {
  place there;
  const int failed = find_free(at, path, S_ISDIR(mode), there);
  return failed != 0 ? failed : make_at(there, mode, made);
}

int file_names::make_directory(inode& at, std::string_view path, mode_t mode) {
  constexpr mode_t permissions = S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO;
  inode_reference made;
  return make_node(at, path, S_IFDIR | (mode & permissions), made);
}

int file_names::make_link(std::string_view target, inode& at, std::string_view path) {
  if (target.empty()) return -ENOENT;
  if (target.size() >= PATH_MAX) return -ENAMETOOLONG;
  place there;
  if (const int failed = find_free(at, path, false, there); failed != 0) return failed;
  inode_reference made;
  if (const int failed = make_in(*there.directory, S_IFLNK | S_IRWXU | S_IRWXG | S_IRWXO, made); failed != 0) {
    return failed;
  }
  made->target = target;
  there.directory->on().link(*there.directory, there.last, *made);
  return 0;
}

int file_names::remove(inode& at, std::string_view path) {
  place there;
  if (const int failed = find(at, path, following::never, there); failed != 0) return failed;
  if (there.last.empty() || there.by_dots) return -EISDIR;
  if (there.too_long) return -ENAMETOOLONG;
  if (!there.file) return -ENOENT;
  if (there.slash && !there.file->is_directory()) return -ENOTDIR;
  if (const int refused = may_remove(*there.directory, *there.file); refused != 0) return refused;
  if (there.file->is_directory()) return -EISDIR;
  there.directory->on().unlink(*there.directory, there.last);
  return 0;
}

int file_names::remove_directory(inode& at, std::string_view path) {
  place there;
  if (const int failed = find(at, path, following::never, there); failed != 0) return failed;
  if (there.last.empty()) return -EBUSY;
  if (there.last == ".") return -EINVAL;
  if (there.last == "..") return -ENOTEMPTY;
  if (there.too_long) return -ENAMETOOLONG;
  if (!there.file) return -ENOENT;
  if (const int refused = may_remove(*there.directory, *there.file); refused != 0) return refused;
  if (!there.file->is_directory()) return -ENOTDIR;
  if (there.file->mounted_on != nullptr) return -EBUSY;
  if (!there.file->entries.empty()) return -ENOTEMPTY;
  there.directory->on().unlink(*there.directory, there.last);
  return 0;
}

namespace {

bool is_within(const inode& directory, const inode& above) noexcept {
  for (const inode* at = &directory;; at = at->parent) {
    if (at == &above) return true;
    if (at->parent == at || at->parent == nullptr) return false;
  }
}

}  // namespace

int file_names::rename(inode& from_at, std::string_view from, inode& to_at, std::string_view to, unsigned flags) {
  if ((flags & ~unsigned{RENAME_NOREPLACE | RENAME_EXCHANGE}) != 0) return -EINVAL;
  if ((flags & RENAME_NOREPLACE) != 0 && (flags & RENAME_EXCHANGE) != 0) return -EINVAL;
  place old;
  place fresh;
  if (const int failed = find(from_at, from, following::never, old); failed != 0) return failed;
  if (const int failed = find(to_at, to, following::never, fresh); failed != 0) return failed;
  if (&old.directory->on() != &fresh.directory->on()) return -EXDEV;
  if (old.last.empty() || old.by_dots) return -EBUSY;
  if (fresh.last.empty() || fresh.by_dots) return (flags & RENAME_NOREPLACE) != 0 ? -EEXIST : -EBUSY;
  if (old.too_long) return -ENAMETOOLONG;
  if (!old.file) return -ENOENT;
  if (fresh.too_long) return -ENAMETOOLONG;
  const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
  if ((flags & RENAME_NOREPLACE) != 0 && fresh.file) return -EEXIST;
  if (exchanges && !fresh.file) return -ENOENT;
  if (!old.file->is_directory() && (old.slash || (fresh.slash && !exchanges))) return -ENOTDIR;
  if (exchanges && fresh.slash && !fresh.file->is_directory()) return -ENOTDIR;
  if (old.file->is_directory() && is_within(*fresh.directory, *old.file)) return -EINVAL;
  if (fresh.file && fresh.file->is_directory() && is_within(*old.directory, *fresh.file)) {
    return exchanges ? -EINVAL : -ENOTEMPTY;
  }
  if (old.file.get() == fresh.file.get()) return 0;
  if (fresh.directory->links == 0) return -ENOENT;
  if (const int refused = may_remove(*old.directory, *old.file); refused != 0) return refused;
  if (const int refused = fresh.file ? may_remove(*fresh.directory, *fresh.file) : may_change_names(*fresh.directory);
      refused != 0) {
    return refused;
  }
  if (fresh.file && !exchanges) {
    if (old.file->is_directory() && !fresh.file->is_directory()) return -ENOTDIR;
    if (!old.file->is_directory() && fresh.file->is_directory()) return -EISDIR;
  }
  // The ".." of a directory that moves away changes.
  const bool moves_away = old.directory.get() != fresh.directory.get();
  const auto may_move = [&](const inode& file) { return !moves_away || !file.is_directory() || may(file, W_OK); };
  if (!may_move(*old.file) || (exchanges && !may_move(*fresh.file))) return -EACCES;
  if (old.file->mounted_on != nullptr || (fresh.file && fresh.file->mounted_on != nullptr)) return -EBUSY;
  file_system& on = old.directory->on();
  if (exchanges) {
    on.exchange(*old.directory, old.last, *fresh.directory, fresh.last);
    return 0;
  }
  if (fresh.file && fresh.file->is_directory() && !fresh.file->entries.empty()) return -ENOTEMPTY;
  on.rename(*old.directory, old.last, *fresh.directory, fresh.last);
  return 0;
}

int file_names::link(inode& file, inode& to_at, std::string_view to) {
  place there;
  if (const int failed = find_free(to_at, to, false, there); failed != 0) return failed;
  if (&file.on() != &there.directory->on()) return -EXDEV;
  if (file.is_directory()) return -EPERM;
  if (file.links == 0 && !file.may_get_a_name) return -ENOENT;
  constexpr std::uint32_t links_max = 65'000;
  if (file.links >= links_max) return -EMLINK;
  file.on().link(*there.directory, there.last, file);
  file.may_get_a_name = false;
  return 0;
}

int file_names::link(inode& from_at, std::string_view from, inode& to_at, std::string_view to, bool follows) {
  inode_reference file;
  if (const int failed = find_file(from_at, from, follows, file); failed != 0) return failed;
  return link(*file, to_at, to);
}

int file_names::change_directory(inode& to) {
  if (!to.is_directory()) return -ENOTDIR;
  if (!may(to, X_OK)) return -EACCES;
  working_directory_ = &to == &disk().root() ? nullptr : &to;
  return 0;
}

int file_names::path_of(const inode& directory, std::string& path) const {
  path.clear();
  for (const inode* at = &directory; at != &disks_.front().disk->root();) {
    if (at == nullptr || at->links == 0) return -ENOENT;
    if (at->parent == at) {
      at = at->mounted_on;  // null if that is not there
      continue;
    }
    path.insert(0, at->name()).insert(0, "/");
    at = at->parent;
  }
  if (path.empty()) path = "/";
  return 0;
}

std::string file_names::path_to(inode& at, std::string_view path, bool follows) const {
  place there;
  if (find(at, path, follows ? following::always : following::never, there) != 0) return {};
  if (there.last.empty() || there.by_dots) return there.file ? text_of(*there.file) : std::string();
  std::string directory;
  if (path_of(*there.directory, directory) != 0) return {};
  return fmt::format("{}/{}", directory == "/" ? "" : directory, there.last);
}

std::string file_names::text_of(const inode& file) const {
  std::string path;
  if (file.is_directory() && path_of(file, path) == 0) return path;
  if (!file.is_directory() && file.parent != nullptr && path_of(*file.parent, path) == 0) {
    return fmt::format("{}/{}", path == "/" ? "" : path, file.name());
  }
  return fmt::format("without a name (inode {})", file.number());
}

std::vector<std::string> file_names::names_of(const inode& file) const {
  std::vector<std::string> found;
  if (file.is_directory() || file.links < 2) return found;
  const auto add_from = [&](const inode& directory) {
    std::string path;
    if (path_of(directory, path) != 0) return;
    if (path == "/") path.clear();
    for (std::size_t i = 0; i < directory.entries.places(); ++i) {
      if (directory.entries.at(i).to == &file)
        found.push_back(fmt::format("{}/{}", path, directory.entries.at(i).name));
    }
  };
  if (file.parent != nullptr) add_from(*file.parent);
  if (file.other_parents != nullptr) {
    for (const inode* const each : *file.other_parents) add_from(*each);
  }
  return found;
}

// -- attributes -------------------------------------------------------------------------------------------------------

int file_names::set_mode(inode& of, mode_t mode) {
  if (of.on().read_only()) return -EROFS;
  if (!who_.is_root() && of.attributes.user != who_.user) return -EPERM;
  constexpr mode_t changed = S_ISUID | S_ISGID | S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO;
  if (!who_.is_root() && !who_.in_group(of.attributes.group)) mode &= ~mode_t{S_ISGID};
  of.on().expect_attributes(of);
  of.attributes.mode = (of.attributes.mode & ~changed) | (mode & changed);
  of.on().touch_attributes(of);
  return 0;
}

int file_names::set_owner(inode& of, uid_t user, gid_t group) {
  constexpr auto stays = static_cast<uid_t>(-1);
  if (of.on().read_only()) return -EROFS;
  const bool changes_user = user != stays && user != of.attributes.user;
  const bool own = of.attributes.user == who_.user || (user == stays && group == stays);
  if (!who_.is_root() && (changes_user || !own || (group != stays && !who_.in_group(group)))) return -EPERM;
  of.on().expect_attributes(of);
  of.on().set_owner(of, user != stays ? user : of.attributes.user, group != stays ? group : of.attributes.group);
  if (of.is_regular()) {
    of.attributes.mode &= ~mode_t{S_ISUID};
    if ((of.attributes.mode & S_IXGRP) != 0) of.attributes.mode &= ~mode_t{S_ISGID};
  }
  of.on().touch_attributes(of);
  return 0;
}

void file_names::drop_set_bits(inode& of) noexcept {
  if (who_.is_root()) return;
  of.attributes.mode &= ~mode_t{S_ISUID};
  if ((of.attributes.mode & S_IXGRP) != 0) of.attributes.mode &= ~mode_t{S_ISGID};
}

int file_names::set_times(inode& of, const timespec* times) {
  if (of.on().read_only()) return -EROFS;
  const bool both_now = times == nullptr || (times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW);
  const bool own = who_.is_root() || of.attributes.user == who_.user;
  if (!own && !both_now) return -EPERM;
  if (!own && !may(of, W_OK)) return -EACCES;
  const auto set = [&](wall_clock::time_point& time, const timespec& to) {
    if (to.tv_nsec == UTIME_OMIT) return;
    time = to.tv_nsec == UTIME_NOW
               ? of.on().now()
               : wall_clock::time_point(std::chrono::seconds(to.tv_sec) + std::chrono::nanoseconds(to.tv_nsec));
  };
  constexpr timespec now{0, UTIME_NOW};
  of.on().expect_attributes(of);
  set(of.attributes.accessed, times == nullptr ? now : times[0]);
  set(of.attributes.modified, times == nullptr ? now : times[1]);
  of.on().touch_attributes(of);
  return 0;
}

int file_names::resize(inode& of, std::int64_t size) {
  if (size < 0) return -EINVAL;
  if (of.is_directory()) return -EISDIR;
  if (!of.is_regular()) return -EINVAL;
  if (of.on().read_only()) return -EROFS;
  if (!may(of, W_OK)) return -EACCES;
  const int failed = of.on().resize(of, static_cast<std::uint64_t>(size));
  if (failed == 0) drop_set_bits(of);
  return failed;
}

}  // namespace lockstep::sim
