// What Linux does with files, row by row: a body, and the transcript that it writes on Linux.
#pragma once

#include "machine.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::files {

// Of what a file takes on the disk, in bytes.
inline constexpr std::int64_t block = 4096;

enum class needs {
  nothing,
  // Where there are differences, what ext4 does: Linux has that where temporary files are on one.
  ext4,
  // To be root at first.
  root,
  // A small file system: Linux has that where root may have a mount namespace.
  small_disk,
  // To be the only one on the machine: the limit on all open files is asked of nobody else.
  whole_machine,
  // A small file system with quotas: Linux has that where tmpfs has them, since 6.6.
  quota,
};

struct row {
  // By area: "O1". Some have several bodies.
  std::string id;
  // A few words, unique within the id.
  std::string name;
  void (*body)(machine&);
  // Approved: written by LOCKSTEP_APPROVE=1 from what Linux said.
  std::string transcript;
  needs on = needs::nothing;
};

std::vector<row> open_rows();
std::vector<row> open_at_rows();
std::vector<row> offset_rows();
std::vector<row> sparse_rows();
std::vector<row> name_rows();
std::vector<row> rename_rows();
std::vector<row> link_rows();
std::vector<row> directory_rows();
std::vector<row> limit_rows();
std::vector<row> lock_rows();
std::vector<row> sync_rows();
std::vector<row> time_rows();
std::vector<row> permission_rows();
std::vector<row> owner_rows();
std::vector<row> watch_rows();

// One by one, each with the source that it stands in.
struct row_file {
  const char* name;
  std::vector<row> (*rows)();
};
const std::vector<row_file>& row_files();

// Where rows run. Each run is on a machine of its own, and gives the transcript.
struct arm {
  const char* name;
  bool is_linux;
  bool (*has)(needs);
  std::string (*run)(void (*body)(machine&));
};
bool linux_has(needs what);
std::string run_on_linux(void (*body)(machine&));
bool lockstep_has(needs what);
std::string run_on_lockstep(void (*body)(machine&));
const std::vector<arm>& arms();
// The machines by themselves.
std::unique_ptr<machine> new_linux_machine();
std::unique_ptr<machine> new_simulated_machine();

}  // namespace lockstep::files
