#include "rows.hpp"

namespace lockstep::sockets {

const std::vector<row_file>& row_files() {
  static const std::vector<row_file> files = {
      {"tcp_connect_rows.cpp", tcp_connect_rows},
      {"tcp_listen_rows.cpp", tcp_listen_rows},
      {"bind_rows.cpp", bind_rows},
      {"tcp_data_rows.cpp", tcp_data_rows},
      {"tcp_close_rows.cpp", tcp_close_rows},
      {"readiness_rows.cpp", readiness_rows},
      {"udp_rows.cpp", udp_rows},
      {"unix_name_rows.cpp", unix_name_rows},
      {"unix_rows.cpp", unix_rows},
      {"unix_message_rows.cpp", unix_message_rows},
      {"pipe_rows.cpp", pipe_rows},
      {"descriptor_rows.cpp", descriptor_rows},
      {"option_rows.cpp", option_rows},
      {"fuzzed_rows.cpp", fuzzed_rows},
  };
  return files;
}

const std::vector<arm>& arms() {
  static const std::vector<arm> all = {{"Linux", true, linux_has, run_on_linux},
                                       {"Lockstep", false, lockstep_has, run_on_lockstep}};
  return all;
}

}  // namespace lockstep::sockets
