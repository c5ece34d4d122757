// What the calls of a host on paths do: who it is that calls, where paths begin, and what is mounted where.
//
// Results are those of Linux's calls, errors minus the error number. A relative path begins at `at`, a directory.
// Source: path_resolution(7); Linux's fs/namei.c.
#pragma once

#include <lockstep/sim/file_system.hpp>
#include <lockstep/sim/inode.hpp>
#include <lockstep/sim/opened_name.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

class file_names {
 public:
  // With "/tmp", which everybody may write to.
  file_names(loop& owner, std::shared_ptr<page_store> pages, identity id);
  ~file_names();

  file_system& disk() noexcept { return *disks_.front().disk; }
  credentials& who() noexcept { return who_; }
  // Another one, of the same users: it stands at the root, with the usual umask.
  void process_begins() noexcept {
    who_.umask = credentials().umask;
    working_directory_ = nullptr;
  }
  inode& working_directory() const noexcept {
    return working_directory_ ? *working_directory_ : disks_.front().disk->root();
  }
  bool may(const inode& file, int wanted) const noexcept;  // R_OK and so on

  // -- finding ----------------------------------------------------------------------------------------------------

  // Where a path leads: to `file`, or to the free name `last` in `directory`.
  struct place {
    inode_reference directory;
    inode_reference file;   // null if there is none
    std::string_view last;  // empty for the root, "." or ".."
    bool slash = false;     // after it
    bool too_long = false;  // the last, which is not looked up then if it is never followed
    bool by_dots = false;   // the last was "." or ".."
  };
  // As far as the last name; that itself need not be there. What is followed there is a symbolic link that is the last:
  // always, if a slash is behind it, or never.
  enum class following : std::uint8_t { always, to_slash, never };
  // Where something is to be made, -EISDIR if a link that is followed there ends with a slash.
  int find(inode& at, std::string_view path, following how, place& found, bool makes = false) const;
  // What must be there: -ENOENT. Tells where that is, if `where` is not null.
  int find_file(inode& at, std::string_view path, bool follows, inode_reference& found, place* where = nullptr) const;
  // By which name what is there is told of.
  told_name told(const place& there, const inode& file) const noexcept;

  // -- calls ------------------------------------------------------------------------------------------------------

  // Makes the file if it is to be made, and returns 1 then. What is there is not yet cut by O_TRUNC. A file without a
  // name has no place but a directory.
  int open(inode& at, std::string_view path, int flags, mode_t mode, inode_reference& found, place* where = nullptr);
  int make_directory(inode& at, std::string_view path, mode_t mode);
  // A file of that kind, which stands for a socket or the like.
  int make_node(inode& at, std::string_view path, mode_t mode, inode_reference& made);
  int remove(inode& at, std::string_view path);
  int remove_directory(inode& at, std::string_view path);
  int rename(inode& from_at, std::string_view from, inode& to_at, std::string_view to, unsigned flags);
  int link(inode& from_at, std::string_view from, inode& to_at, std::string_view to, bool follows);
  int link(inode& file, inode& to_at, std::string_view to);
  int make_link(std::string_view target, inode& at, std::string_view path);
  int change_directory(inode& to);
  // Its path; -ENOENT if it has none any more.
  int path_of(const inode& directory, std::string& path) const;
  // Where a path leads that need not be there, without symbolic links, and without a slash behind it; empty if it
  // cannot be gone to the last name.
  std::string path_to(inode& at, std::string_view path, bool follows) const;
  // For reports: a path that leads to it, or what it is.
  std::string text_of(const inode& file) const;
  // All of them, of a file that has several; none otherwise.
  std::vector<std::string> names_of(const inode& file) const;

  int set_mode(inode& of, mode_t mode);
  int set_owner(inode& of, uid_t user, gid_t group);
  // Somebody has written to it or cut it: the set-user-ID bit goes, and its like, but for the superuser.
  void drop_set_bits(inode& of) noexcept;
  int set_times(inode& of, const timespec* times);
  int resize(inode& of, std::int64_t size);
  // By O_TRUNC, which asks no more who may.
  int truncate_opened(inode& of) {
    const int failed = of.on().resize(of, 0);
    if (failed == 0) drop_set_bits(of);
    return failed;
  }
  // As they were mounted, that at / first, but for fixtures.
  std::vector<file_system*> disks() const;

  // -- mounts -----------------------------------------------------------------------------------------------------

  // An empty disk of its own on a directory: -ENOENT, -ENOTDIR.
  int mount(inode& at, std::string_view on, file_system*& made);
  int mount(std::string_view on, file_system*& made) { return mount(disk().root(), on, made); }
  // The files of a folder of the machine's, as they are when they are first read; nothing can be written there. Misuse
  // if what is in the folder cannot be read.
  int mount_fixture(inode& at, std::string_view on, const std::string& folder);
  int mount_fixture(std::string_view on, const std::string& folder) { return mount_fixture(disk().root(), on, folder); }
  // The disk whose root is there: -ENOENT, -ENOTDIR; -EINVAL if it is none.
  int find_disk(inode& at, std::string_view on, file_system*& found) const;
  // Where it was mounted.
  std::string_view path_of(const file_system& disk) const noexcept;

  // -- power cuts ---------------------------------------------------------------------------------------------------

  // What its disks promise from now on, those too that are mounted later: ext4_ordered at first.
  void set_crash_model(const crash_model& model) noexcept;
  // Memory is lost; what is on the disks then is there again, with the sectors that are bad. Tells `lost` of what was,
  // if it is not null.
  void lose_power(const crash_chooser& choose, std::vector<std::string>* lost);
  // That is on the disk from now on, or on the root's; what was mounted there is again, where its directory is. A file
  // of it that somebody uses stays with them, without a name.
  void restore(file_system& disk, const disk_image& image);
  void restore(const disk_image& image) { restore(disk(), image); }

 private:
  struct walk;
  struct mounted_disk;

  int step(inode& directory, std::string_view name, inode*& next) const;
  int go(walk& at, std::string_view path, following how) const;
  int may_change_names(const inode& directory) const noexcept;
  int may_remove(const inode& directory, const inode& file) const noexcept;
  int make_in(inode& directory, mode_t mode, inode_reference& made);
  int make_at(const place& there, mode_t mode, inode_reference& made);
  int find_free(inode& at, std::string_view path, bool is_directory, place& found) const;
  int open_found(inode& file, int flags);
  static void put(mounted_disk& what, inode& on);
  void mount_again(mounted_disk& what);
  void copy_names(file_system& onto, inode& directory, const std::string& folder);

  loop& owner_;
  std::shared_ptr<page_store> pages_;
  identity id_;
  credentials who_;
  struct mounted_disk {
    std::string path;  // where it was mounted
    std::unique_ptr<file_system> disk;
    file_system* under = nullptr;  // on which that is; null for the first
    std::string within{};          // the path there, from the root of that disk on
    bool is_fixture = false;
  };
  std::vector<mounted_disk> disks_;    // the first has the root
  crash_model model_ = ext4_ordered;   // of those that are mounted
  inode_reference working_directory_;  // null for the root
};

}  // namespace lockstep::sim
