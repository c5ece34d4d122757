#include "rows.hpp"

namespace lockstep::files {

const std::vector<row_file>& row_files() {
  static const std::vector<row_file> files = {
      {"open_rows.cpp", open_rows},
      {"open_at_rows.cpp", open_at_rows},
      {"offset_rows.cpp", offset_rows},
      {"sparse_rows.cpp", sparse_rows},
      {"name_rows.cpp", name_rows},
      {"rename_rows.cpp", rename_rows},
      {"link_rows.cpp", link_rows},
      {"directory_rows.cpp", directory_rows},
      {"limit_rows.cpp", limit_rows},
      {"lock_rows.cpp", lock_rows},
      {"sync_rows.cpp", sync_rows},
      {"time_rows.cpp", time_rows},
      {"permission_rows.cpp", permission_rows},
      {"owner_rows.cpp", owner_rows},
      {"watch_rows.cpp", watch_rows},
  };
  return files;
}

const std::vector<arm>& arms() {
  static const std::vector<arm> all = {{"Linux", true, linux_has, run_on_linux},
                                       {"Lockstep", false, lockstep_has, run_on_lockstep}};
  return all;
}

}  // namespace lockstep::files
