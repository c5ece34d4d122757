// A random sequence of calls on files, for the differential fuzz. Of an operation, `subject` is whose call it is, a
// name or an open file, `object` another name, `detail` sizes, offsets and flags.
#pragma once

#include "../against_linux/fuzz.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::files {

enum class operation_kind : std::uint8_t {
  // names
  open,
  mkdir,
  unlink,
  rmdir,
  rename,
  link,
  symlink,
  readlink,
  status,
  access,
  chmod,
  truncate,
  list,
  set_times,
  mask,
  // open files
  open_at,
  read,
  write,
  pread,
  pwrite,
  readv,
  writev,
  seek,
  set_size,
  allocate,
  set_mode,
  sync,
  close,
  dup,
  flags,
  lock,
  find_lock,
  flock,
  entries,
  // inotify
  inotify,
  watch,
  unwatch,
  events,
  count
};

using operation = against_linux::fuzz_operation<operation_kind>;
using sequence = std::vector<operation>;

// That of the seed: 5 to 60 operations.
sequence sequence_of(std::uint64_t seed);

// What a number names: most are of few files in few directories, some are odd. None leads further up than one directory
// above the one in which the sequence runs.
// Whether sequences have such calls.
bool is_drawn(operation_kind kind);
std::string name_of(std::uint32_t number);
// In a directory that is open, below it.
std::string inner_name_of(std::uint32_t number);
// What a symbolic link says. It never leads up.
std::string target_of(std::uint32_t number);

}  // namespace lockstep::files
