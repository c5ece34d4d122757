// What is done to files by their names, as std::filesystem has it, but awaited.
//
//   co_await create_directories("/var/lib/app/state");
//   co_await rename_file("/var/lib/app/new", "/var/lib/app/current");
//
// Paths are those of the running task's system; a relative one begins at its working directory. Names that C has as
// well, remove() and rename(), are remove_file() and rename_file() here.
// Await, cancel and fail as the calls of file do; the text of an error names the path: `rename "a" to "b": No such file
// or directory`. What was changed stays changed if the task is cancelled later.
// A name that was made, moved or removed is on the disk when its directory has been synced, see directory::sync().
#pragma once

#include <lockstep/fs/path_call.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstdint>
#include <string>

namespace lockstep {

// -- looking ----------------------------------------------------------------------------------------------------------

// What there is under that name; of a link, what it leads to. Errors: ENOENT, EACCES, ENOTDIR, ELOOP.
LOCKSTEP_AWAIT_IT detail::status_of_path status(std::string path, source where = source::current());
// The same, but of a link the link.
LOCKSTEP_AWAIT_IT detail::status_of_path symlink_status(std::string path, source where = source::current());
// Whether there is something; not for a link that leads nowhere. Errors: those of status() but ENOENT and ENOTDIR.
LOCKSTEP_AWAIT_IT detail::existence_of_path exists(std::string path, source where = source::current());
// What a link says. Errors: EINVAL, if it is no link.
LOCKSTEP_AWAIT_IT detail::target_of_path read_symlink(std::string path, source where = source::current());

// -- directories ------------------------------------------------------------------------------------------------------

// Errors: EEXIST, ENOENT.
LOCKSTEP_AWAIT_IT detail::changing_path create_directory(std::string path, file_permissions permissions = 0777,
                                                         source where = source::current());
// The same for each part of the path that is not there. Returns whether any was made.
// Errors: ENOTDIR, or EEXIST for the last part, if something else is there.
task<bool> create_directories(std::string path, file_permissions permissions = 0777, source where = source::current());
// One that is empty. Errors: ENOTEMPTY, ENOTDIR.
LOCKSTEP_AWAIT_IT detail::changing_path remove_directory(std::string path, source where = source::current());
// All that is in it, and itself; links are removed and not followed. Returns how many names that were; 0 if there is
// nothing. What others remove meanwhile does not disturb it. If it fails, some have been removed.
task<std::uint64_t> remove_all(std::string path, source where = source::current());

// -- files ------------------------------------------------------------------------------------------------------------

// Removes the name; who has the file open keeps it. Errors: ENOENT, EISDIR.
LOCKSTEP_AWAIT_IT detail::changing_path remove_file(std::string path, source where = source::current());
// Of files and directories. What was there under the new name is replaced, in one step, unless `replace` is false:
// EEXIST then. Errors: ENOENT, EXDEV, EISDIR, ENOTDIR, ENOTEMPTY. Source: renameat2(2).
LOCKSTEP_AWAIT_IT detail::changing_two_paths rename_file(std::string from, std::string to, bool replace = true,
                                                         source where = source::current());
// Both names change places. Errors: ENOENT, EXDEV.
LOCKSTEP_AWAIT_IT detail::changing_two_paths exchange_files(std::string one, std::string other,
                                                            source where = source::current());
// Another name for it. Errors: EEXIST, EPERM for a directory, EXDEV.
LOCKSTEP_AWAIT_IT detail::changing_two_paths create_hard_link(std::string existing, std::string name,
                                                              source where = source::current());
// A link that says `target`, which need not be there. Errors: EEXIST.
LOCKSTEP_AWAIT_IT detail::changing_two_paths create_symlink(std::string target, std::string name,
                                                            source where = source::current());
LOCKSTEP_AWAIT_IT detail::changing_path permissions(std::string path, file_permissions permissions,
                                                    source where = source::current());
// A new end reads as zeros. Errors: EISDIR, EACCES.
LOCKSTEP_AWAIT_IT detail::changing_path resize_file(std::string path, std::uint64_t size_bytes,
                                                    source where = source::current());

// -- names ------------------------------------------------------------------------------------------------------------

// "/var/log" of "/var/log/app"; "." of "app", "/" of "/app".
std::string directory_of(std::string_view path);
// "app".
std::string_view name_in(std::string_view path) noexcept;
// "/var/log/app" of "/var/log" and "app"; the second alone if it begins with "/".
std::string joined(std::string_view directory, std::string_view name);

}  // namespace lockstep
