// file_status: what a system knows of a file beside its contents.
#pragma once

#include <lockstep/time/clock.hpp>

#include <sys/stat.h>

#include <cstdint>
#include <iosfwd>
#include <string_view>

namespace lockstep {

enum class file_kind : std::uint8_t {
  regular,
  directory,
  symlink,
  fifo,
  socket,
  block_device,
  character_device,
  unknown
};

// "regular file".
std::string_view name_of(file_kind kind) noexcept;
std::ostream& operator<<(std::ostream& out, file_kind kind);

// The bits that open() and permissions() take: 0 to 07777, as chmod(2) has them.
using file_permissions = mode_t;

// Source: stat(2).
struct file_status {
  file_kind kind = file_kind::unknown;
  file_permissions permissions = 0;
  std::uint64_t size_bytes = 0;
  // What it takes on the disk; less than its size where it has holes.
  std::uint64_t allocated_bytes = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  // How many names it has.
  std::uint64_t links = 0;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  wall_clock::time_point accessed{};
  wall_clock::time_point modified{};
  // What is known of it, such as its permissions.
  wall_clock::time_point changed{};

  bool is_regular() const noexcept { return kind == file_kind::regular; }
  bool is_directory() const noexcept { return kind == file_kind::directory; }
  bool is_symlink() const noexcept { return kind == file_kind::symlink; }
  bool is_same_file_as(const file_status& other) const noexcept {
    return device == other.device && inode == other.inode;
  }

  // For the library.
  static file_status from(const struct stat& found) noexcept;
};

namespace detail {

file_kind kind_of_mode(mode_t mode) noexcept;
// Of a directory's entry, DT_REG and so on.
file_kind kind_of_entry(unsigned char type) noexcept;

}  // namespace detail

}  // namespace lockstep
