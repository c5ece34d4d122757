// walk(): all that is under a directory, at any depth.
//
//   auto all = walk("/var/lib/app");
//   while (const walk_entry* each = co_await all.next()) …
#pragma once

#include <lockstep/fs/directory.hpp>
#include <lockstep/fs/paths.hpp>
#include <lockstep/runtime/async_generator.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace lockstep {

struct walk_entry {
  // The path that walk() was given, and what leads on from there.
  std::string path;
  // Of a link, that it is one; if links are followed, of what it leads to, unless that is not there.
  file_kind kind = file_kind::unknown;
  // 1 for what is in the directory itself.
  std::size_t depth = 0;

  std::string_view name() const noexcept { return name_in(path); }
};

struct walk_options {
  // Whether to go into directories to which links lead; into one that is on the way from the beginning it does not.
  bool follow_links = false;
  // Whether directories that may not be read are passed over. Otherwise they end the walk with EACCES.
  bool skip_denied = false;
  // How deep to go, at least 1.
  std::size_t depth_max = std::numeric_limits<std::size_t>::max();
};

// Each directory comes before what is in it, and its entries in the order that the system gives: those of one directory
// are read in one go, so that it may be changed in between, and one directory is open at a time.
// What goes meanwhile is passed over; but what is not there at the beginning is an error.
// Errors: those of open_directory() and of directory::entries().
async_generator<walk_entry> walk(std::string path, walk_options how = {}, source where = source::current());

}  // namespace lockstep
