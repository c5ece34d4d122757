// Whole files in one call: to read one, to write one, and to replace one so that a crash leaves the old or the new.
//
//   const std::string config = co_await read_file("/etc/app.conf");
//   co_await write_file_atomically("/var/lib/app/state", text_of(state));
//
// Await and fail as the calls of file do. What is to be written is copied into the task, and kept until it has ended.
#pragma once

#include <lockstep/fs/file.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace lockstep {

// All that is in it, as it grows while it is read.
// Errors: those of open(); EISDIR; limit_overrun, if that is more than `limit_bytes`.
task<std::string> read_file(std::string path, std::size_t limit_bytes = std::numeric_limits<std::size_t>::max(),
                            source where = source::current());
task<std::vector<std::byte>> read_bytes(std::string path,
                                        std::size_t limit_bytes = std::numeric_limits<std::size_t>::max(),
                                        source where = source::current());

// The file has that in it, and nothing else; it is made if there is none. Not in one step: whoever reads it meanwhile,
// or after a crash, sees an empty file, or a part.
// Errors: those of open(); ENOSPC, EDQUOT, EIO.
task<void> write_file(std::string path, std::string text, file_permissions permissions = 0666,
                      source where = source::current());
task<void> write_file(std::string path, std::vector<std::byte> bytes, file_permissions permissions = 0666,
                      source where = source::current());
// Behind what is in it, in one piece among others who append; it is made if there is none.
task<void> append_file(std::string path, std::string text, file_permissions permissions = 0666,
                       source where = source::current());

// The same as write_file(), but in one step, and to stay: a temporary file in the same directory is written and synced,
// renamed, and the directory synced. Whoever reads it sees what was there or all of the new; so does whoever reads it
// after a crash, and once this has returned, the new. It keeps the permissions of a file that it replaces, but not its
// owner, its other names, or a link: what the name says is replaced.
// All that it takes of the file system is that a rename is one step.
// If it fails or is cancelled before the rename, all is as before, and the temporary file is removed; a crash may leave
// that, as ".app.conf." and six letters. If it fails behind that, the new one is there, but may be lost in a crash.
// Errors: those of write_file(), of rename_file() and of sync().
// Source: fsync(2); "All File Systems Are Not Created Equal", OSDI 2014.
task<void> write_file_atomically(std::string path, std::string text, file_permissions permissions = 0666,
                                 source where = source::current());
task<void> write_file_atomically(std::string path, std::vector<std::byte> bytes, file_permissions permissions = 0666,
                                 source where = source::current());

struct copy_options {
  // Whether a file that is there is written over; otherwise EEXIST.
  bool replace = false;
  // Whether the copy is synced before this returns.
  bool sync = false;
};

// Copies what is in a regular file, and its permissions. Returns how many bytes. If it fails or is cancelled, a part of
// the copy may be there.
// Errors: those of open(); EINVAL, if both are one file; ENOSPC.
task<std::uint64_t> copy_file(std::string from, std::string to, copy_options how = {},
                              source where = source::current());

}  // namespace lockstep
