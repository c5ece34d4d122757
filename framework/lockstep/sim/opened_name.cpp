#include <lockstep/sim/opened_name.hpp>

#include <lockstep/sim/file_watch.hpp>

#include <sys/inotify.h>

#include <utility>

namespace lockstep::sim {

namespace {

// A directory is in use as well by what is open in it, though it may be removed.
bool is_in_use(const inode& directory) noexcept { return !directory.opened.empty() || directory.names_opened != 0; }

// Is told of, if nothing uses it any more; and so is the one that it was in.
void has_gone(inode& directory) noexcept {
  for (inode* at = &directory; at->links == 0 && !is_in_use(*at); at = at->parent) {
    tell_to_itself(*at, IN_DELETE_SELF);
    if (!std::exchange(at->holds_parent, false)) return;
    --at->parent->names_opened;
  }
}

void let_go(inode& directory) noexcept {
  --directory.names_opened;
  has_gone(directory);
}

}  // namespace

opened_name::opened_name(inode& of, const told_name& by)
    : of_(of), directory_(by.directory), name_(by.name), is_gone_(by.is_gone), number_(0) {
  // Most are opened by the name by which the last one was.
  for (const opened_name& each : of.opened) {
    if (by.directory == nullptr || !each.is(*by.directory, by.name)) continue;
    number_ = each.number_;
    break;
  }
  if (number_ == 0) number_ = ++of.last_opened_name;
  of.opened.push_front(*this);
  if (directory_) ++directory_->names_opened;
}

opened_name::~opened_name() {
  unlink();
  if (of_.links == 0) {
    bool is_the_last = true;
    for (auto each = of_.opened.begin(); is_the_last && each != of_.opened.end(); ++each) {
      is_the_last = (*each).number_ != number_;
    }
    if (of_.is_directory()) {
      has_gone(of_);
    } else if (is_the_last) {
      tell_to_itself(of_, IN_DELETE_SELF);
    }
  }
  if (directory_) let_go(*directory_);
}

void expect_move(inode& of, const inode& from, std::string_view name, std::string_view as) {
  for (opened_name& each : of.opened) {
    if (each.is(from, name)) each.name_.reserve(as.size());
  }
}

void name_has_moved(inode& of, inode& from, std::string_view name, inode& to, std::string_view as) noexcept {
  for (opened_name& each : of.opened) {
    if (!each.is(from, name)) continue;
    each.name_ = as;
    each.directory_ = &to;
    ++to.names_opened;
    let_go(from);
  }
}

void name_has_gone(inode& of, inode& directory, std::string_view name) noexcept {
  bool is_used = false;
  for (opened_name& each : of.opened) {
    if (!each.is(directory, name)) continue;
    is_used = each.is_gone_ = true;
  }
  if (of.links != 0) return;
  if (!of.is_directory()) {
    if (!is_used) tell_to_itself(of, IN_DELETE_SELF);
  } else if (is_in_use(of)) {
    of.holds_parent = true;
    ++directory.names_opened;
  } else {
    has_gone(of);
  }
}

}  // namespace lockstep::sim
