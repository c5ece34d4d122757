// By which name a file is open: what inotify tells of it goes to whoever watches that directory, under that name,
// though the file may have others by now, or none.
//
// A rename takes it along. Where it is removed, it stays with those who have the file open by it.
// Source: Linux's dentries; fs/dcache.c, fs/notify/fsnotify.c.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/sim/inode.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::sim {

// By which name something is done to a file; null for none.
struct told_name {
  inode* directory = nullptr;
  std::string_view name{};
  bool is_gone = false;       // it is no name any more
  bool by_open_file = false;  // and not by a path
};

class opened_name : public list_hook<opened_name> {
 public:
  // Of a file that is opened by that name, which lives as long as this.
  opened_name(inode& of, const told_name& by);
  opened_name(const opened_name&) = delete;
  opened_name& operator=(const opened_name&) = delete;
  // Who watches the file is told if it goes with that.
  ~opened_name();

  told_name told() const noexcept { return {directory_.get(), name_, is_gone_, true}; }
  bool is(const inode& directory, std::string_view name) const noexcept {
    return !is_gone_ && directory_.get() == &directory && name_ == name;
  }

 private:
  friend void expect_move(inode&, const inode&, std::string_view, std::string_view);
  friend void name_has_moved(inode&, inode&, std::string_view, inode&, std::string_view) noexcept;
  friend void name_has_gone(inode&, inode&, std::string_view) noexcept;

  inode& of_;
  inode_reference directory_;
  std::string name_;
  bool is_gone_;
  std::uint64_t number_;  // the same for all that were opened by one name
};

// While it lives, what is told of the file is told by that name.
class telling_by {
 public:
  telling_by(inode& of, const told_name& name) noexcept : of_(of), name_(name), before_(of.told_by) {
    of.told_by = &name_;
  }
  telling_by(const telling_by&) = delete;
  telling_by& operator=(const telling_by&) = delete;
  ~telling_by() { of_.told_by = before_; }

 private:
  inode& of_;
  const told_name name_;
  const told_name* before_;
};

// A file is to have that name instead of the other, and has it. The first throws std::bad_alloc.
void expect_move(inode& of, const inode& from, std::string_view name, std::string_view as);
void name_has_moved(inode& of, inode& from, std::string_view name, inode& to, std::string_view as) noexcept;
// A name of the file is removed: who watches it is told if it goes with that.
void name_has_gone(inode& of, inode& directory, std::string_view name) noexcept;

}  // namespace lockstep::sim
