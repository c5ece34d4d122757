#include <lockstep/fs/file_status.hpp>

#include <dirent.h>

#include <ostream>

namespace lockstep {

namespace {

wall_clock::time_point time_from(const timespec& at) noexcept {
  return wall_clock::time_point(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
}

constexpr std::uint64_t block_bytes = 512;  // whatever the file system's own are

}  // namespace

std::string_view name_of(file_kind kind) noexcept {
  switch (kind) {
    case file_kind::regular: return "regular file";
    case file_kind::directory: return "directory";
    case file_kind::symlink: return "symlink";
    case file_kind::fifo: return "fifo";
    case file_kind::socket: return "socket";
    case file_kind::block_device: return "block device";
    case file_kind::character_device: return "character device";
    case file_kind::unknown: break;
  }
  return "unknown kind of file";
}

std::ostream& operator<<(std::ostream& out, file_kind kind) { return out << name_of(kind); }

file_kind detail::kind_of_mode(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG: return file_kind::regular;
    case S_IFDIR: return file_kind::directory;
    case S_IFLNK: return file_kind::symlink;
    case S_IFIFO: return file_kind::fifo;
    case S_IFSOCK: return file_kind::socket;
    case S_IFBLK: return file_kind::block_device;
    case S_IFCHR: return file_kind::character_device;
    default: return file_kind::unknown;
  }
}

file_kind detail::kind_of_entry(unsigned char type) noexcept { return kind_of_mode(static_cast<mode_t>(DTTOIF(type))); }

file_status file_status::from(const struct stat& found) noexcept {
  file_status made;
  made.kind = detail::kind_of_mode(found.st_mode);
  made.permissions = found.st_mode & 07777;
  made.size_bytes = static_cast<std::uint64_t>(found.st_size);
  made.allocated_bytes = static_cast<std::uint64_t>(found.st_blocks) * block_bytes;
  made.device = found.st_dev;
  made.inode = found.st_ino;
  made.links = found.st_nlink;
  made.user = found.st_uid;
  made.group = found.st_gid;
  made.accessed = time_from(found.st_atim);
  made.modified = time_from(found.st_mtim);
  made.changed = time_from(found.st_ctim);
  return made;
}

}  // namespace lockstep
