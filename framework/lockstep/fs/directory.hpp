// directory: a directory that is open, and what is in it.
//
//   directory state = co_await open_directory("/var/lib/app");
//   auto all = state.entries();
//   while (const directory_entry* each = co_await all.next()) …
//   co_await state.sync();  // names that were made, moved or removed stay
//
// Names that its members take are relative to it, wherever it is moved to. They await, cancel and fail as the calls of
// file do; the text of an error names both: `open "x" in "/var/lib/app": No such file or directory`.
// Source: the manual page of each call that ends in "at".
#pragma once

#include <lockstep/fs/file.hpp>
#include <lockstep/fs/file_status.hpp>
#include <lockstep/runtime/async_generator.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

struct directory_entry {
  std::string name;
  // Of a link, that it is one.
  file_kind kind = file_kind::unknown;
  std::uint64_t inode = 0;

  bool operator==(const directory_entry&) const = default;
};

namespace detail {

class opening_directory;

// A piece of the records that getdents64() gives.
class reading_entries final : public primitive<reading_entries, file_call> {
 public:
  reading_entries(held_file& of, std::span<std::byte> into) noexcept
      : primitive(operation_kind::read_file, of, "list", order::in_turn), into_(into) {}
  // Nothing at the end.
  std::vector<directory_entry> result();

 private:
  std::int64_t call() override { return calls().getdents64(fd(), into_.data(), into_.size()); }

  std::span<std::byte> into_;
};

}  // namespace detail

class [[nodiscard("a directory that nobody keeps is closed at once")]] directory : public detail::file_owner {
 public:
  // What is in it, from the first on, in the order that the system gives, without "." and "..". Of what comes and goes
  // meanwhile some may be there. Requires that it lives as long. One at a time: two would share the position.
  // Errors: EIO; ENOENT, if it was removed.
  // Source: getdents64(2).
  async_generator<directory_entry> entries(source where = source::current());
  // All of it.
  task<std::vector<directory_entry>> list(source where = source::current());

  LOCKSTEP_AWAIT_IT detail::opening_file open(std::string name, const open_options& how = {},
                                              source where = source::current()) {
    return {&awaited("was opened in", where), std::move(name), how, where};
  }
  LOCKSTEP_AWAIT_IT detail::opening_directory open_directory(std::string name, source where = source::current());
  LOCKSTEP_AWAIT_IT detail::status_of_path status(std::string name, source where = source::current()) {
    return {&awaited("was looked into", where), std::move(name), 0, where};
  }
  LOCKSTEP_AWAIT_IT detail::status_of_path symlink_status(std::string name, source where = source::current()) {
    return {&awaited("was looked into", where), std::move(name), AT_SYMLINK_NOFOLLOW, where};
  }
  LOCKSTEP_AWAIT_IT detail::existence_of_path exists(std::string name, source where = source::current()) {
    return {&awaited("was looked into", where), std::move(name), where};
  }
  LOCKSTEP_AWAIT_IT detail::changing_path create_directory(std::string name, file_permissions permissions = 0777,
                                                           source where = source::current());
  LOCKSTEP_AWAIT_IT detail::changing_path remove_directory(std::string name, source where = source::current());
  LOCKSTEP_AWAIT_IT detail::changing_path remove_file(std::string name, source where = source::current());
  // Both are names in it. As lockstep::rename_file() for the rest.
  LOCKSTEP_AWAIT_IT detail::changing_two_paths rename_file(std::string from, std::string to, bool replace = true,
                                                           source where = source::current());

  LOCKSTEP_AWAIT_IT detail::status_of_file status(source where = source::current()) {
    return detail::status_of_file(awaited("was asked for its status", where));
  }
  // Returns when the names in it are on the disk as they are. What they name is each file's own to sync.
  // Errors: EIO, ENOSPC. Source: fsync(2).
  LOCKSTEP_AWAIT_IT detail::changing_file sync(source where = source::current());
  // As file::close().
  LOCKSTEP_AWAIT_IT detail::closing_file close(source where = source::current()) {
    return detail::closing_file(awaited("was closed", where));
  }

 private:
  friend class detail::opening_directory;
  using file_owner::file_owner;
};

// Errors: ENOENT, ENOTDIR, EACCES, EMFILE.
LOCKSTEP_AWAIT_IT detail::opening_directory open_directory(std::string path, source where = source::current());
// All that is in a directory, sorted by name.
task<std::vector<directory_entry>> list_directory(std::string path, source where = source::current());

namespace detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class opening_directory final : public primitive<opening_directory, opening_path> {
 public:
  opening_directory(held_file* at, std::string path, const source& where)
      : primitive(at, std::move(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, where) {}
  directory result() { return directory(opened("directory")); }
};

#pragma GCC diagnostic pop

}  // namespace detail

}  // namespace lockstep
