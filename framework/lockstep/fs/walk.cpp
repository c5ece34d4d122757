#include <lockstep/fs/walk.hpp>

#include <lockstep/fs/paths.hpp>
#include <lockstep/runtime/result.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>
#include <vector>

namespace lockstep {

namespace {

// A directory on the way from the beginning to where the walk is.
struct level {
  std::string path;
  file_status known;  // if links are followed
  std::vector<directory_entry> entries;
  std::size_t next = 0;
};

task<level> read_level(std::string path, bool with_status, source where) {
  level made;
  made.path = std::move(path);
  directory at = co_await open_directory(made.path, where);
  if (with_status) made.known = co_await at.status(where);
  made.entries = co_await at.list(where);
  co_return made;
}

bool passes(const std::exception_ptr& failure, const walk_options& how) {
  const int error = detail::error_number(failure);
  return error == ENOENT || error == ENOTDIR || (error == EACCES && how.skip_denied);
}

// What a link leads to; that it is one if it leads nowhere.
task<file_kind> kind_behind(std::string path, source where) {
  const result<file_status> found = co_await as_result(status(std::move(path), where));
  if (found) co_return found.value().kind;
  const int error = detail::error_number(found.error());
  if (error != ENOENT && error != ELOOP && error != EACCES && error != ENOTDIR) std::rethrow_exception(found.error());
  co_return file_kind::symlink;
}

bool is_among(const std::vector<level>& way, const level& found) {
  return std::any_of(way.begin(), way.end(),
                     [&](const level& each) { return each.known.is_same_file_as(found.known); });
}

}  // namespace

async_generator<walk_entry> walk(std::string path, walk_options how, source where) {
  std::vector<level> way;
  way.push_back(co_await read_level(std::move(path), how.follow_links, where));
  while (!way.empty()) {
    level& here = way.back();
    if (here.next == here.entries.size()) {
      way.pop_back();
      continue;
    }
    const directory_entry& entry = here.entries[here.next++];
    walk_entry found{joined(here.path, entry.name), entry.kind, way.size()};
    if (how.follow_links && entry.kind == file_kind::symlink) found.kind = co_await kind_behind(found.path, where);
    const bool goes_in = found.kind == file_kind::directory && found.depth < how.depth_max;
    std::string into = goes_in ? found.path : std::string();
    co_yield std::move(found);
    if (!goes_in) continue;
    result<level> below = co_await as_result(read_level(std::move(into), how.follow_links, where));
    if (!below) {
      if (!passes(below.error(), how)) std::rethrow_exception(below.error());
    } else if (!how.follow_links || !is_among(way, below.value())) {
      way.push_back(std::move(below).value());
    }
  }
}

}  // namespace lockstep
