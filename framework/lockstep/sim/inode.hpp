// A file of a host, of any kind, whatever names it has.
//
// It lives as long as a name, an open file or somebody else refers to it.
// Source: inode(7).
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/sim/directory_entries.hpp>
#include <lockstep/sim/error_sequence.hpp>
#include <lockstep/sim/file_content.hpp>
#include <lockstep/sim/file_locks.hpp>
#include <lockstep/time/clock.hpp>

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::sim {

class file_system;
class inode;
class opened_name;
class unix_socket;
class watch_item;
struct told_name;

// The permissions, the owner and the times, which a copy of the file may have too.
struct file_attributes {
  mode_t mode = 0;  // with the kind
  uid_t user = 0;
  gid_t group = 0;
  wall_clock::time_point accessed{};
  wall_clock::time_point modified{};
  wall_clock::time_point changed{};

  bool is_directory() const noexcept { return S_ISDIR(mode); }
  bool is_regular() const noexcept { return S_ISREG(mode); }
  bool is_link() const noexcept { return S_ISLNK(mode); }
  bool operator==(const file_attributes&) const = default;
};

class inode : public list_hook<file_system> {
 public:
  inode(file_system& on, std::uint64_t number, const file_attributes& first) noexcept
      : attributes(first), on_(on), number_(number) {}
  inode(const inode&) = delete;
  inode& operator=(const inode&) = delete;

  file_system& on() const noexcept { return on_; }
  // Unique in its file system, for ever: one that outlives what was on the disk gets another.
  std::uint64_t number() const noexcept { return number_; }
  void set_number(std::uint64_t number) noexcept { number_ = number; }
  bool is_directory() const noexcept { return attributes.is_directory(); }
  bool is_regular() const noexcept { return attributes.is_regular(); }
  bool is_link() const noexcept { return attributes.is_link(); }

  file_attributes attributes;
  std::uint32_t links = 0;       // names; of a directory those of its directories too, as they have ".."
  file_content content;          // of a regular file
  std::string target;            // of a symbolic link; of a fixture where its content is
  directory_entries entries;     // of a directory
  inode* parent = nullptr;       // a directory that it has a name in, the last; the root's is itself
  inode* mounted = nullptr;      // the root of the file system that is mounted on it
  inode* mounted_on = nullptr;   // of such a root
  unix_socket* bound = nullptr;  // who has that address, of a socket
  file_locks locks;
  error_sequence errors;  // of writing it to the disk
  intrusive_list<watch_item, inode> watches;
  bool may_get_a_name = false;  // though it has none
  // By which names it is open, one for each open file; by which one of them it is changed now, null for any; how many
  // there ever were; and of a directory in how many of those it is.
  intrusive_list<opened_name, opened_name> opened;
  const told_name* told_by = nullptr;
  std::uint64_t last_opened_name = 0;
  std::uint32_t names_opened = 0;
  bool holds_parent = false;  // that is one of these, though it was removed itself
  std::uint32_t life = 0;     // of its file system, which ends with a power cut
  bool is_fixture = false;    // a file of the machine's that is not yet read
  // Of a file that ever had several names the directories of the others, one for each.
  std::unique_ptr<std::vector<inode*>> other_parents{};

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) end();
  }

  // The first of its names in `parent`; empty if it has none.
  std::string_view name() const noexcept;
  // It is to have another name, or one for one that it has. Throws std::bad_alloc.
  void expect_name(bool for_another = false);
  // It has a name there, which was expected, or one less.
  void named_in(inode& directory) noexcept;
  void unnamed_in(inode& directory) noexcept;

 private:
  void end() noexcept;

  file_system& on_;
  std::uint64_t number_;
  std::uint32_t references_ = 0;
};

class inode_reference {
 public:
  inode_reference() noexcept = default;
  inode_reference(inode* of) noexcept : inode_(of) {
    if (inode_ != nullptr) inode_->retain();
  }
  inode_reference(const inode_reference& other) noexcept : inode_reference(other.inode_) {}
  inode_reference(inode_reference&& other) noexcept : inode_(std::exchange(other.inode_, nullptr)) {}
  inode_reference& operator=(inode_reference other) noexcept {
    std::swap(inode_, other.inode_);
    return *this;
  }
  ~inode_reference() {
    if (inode_ != nullptr) inode_->release();
  }

  inode* get() const noexcept { return inode_; }
  inode* operator->() const noexcept { return inode_; }
  inode& operator*() const noexcept { return *inode_; }
  explicit operator bool() const noexcept { return inode_ != nullptr; }

 private:
  inode* inode_ = nullptr;
};

}  // namespace lockstep::sim
