// What Linux does, row by row: a body, and the transcript that it writes on Linux. By table of the reference.
#pragma once

#include "machine.hpp"

#include <memory>
#include <string>
#include <vector>

namespace lockstep::sockets {

enum class needs {
  loopback,
  // Where nothing but loopback is, and its settings may be changed: Linux has that where privileges allow.
  own_network,
  // What no test on Linux can have; the transcript is what was measured elsewhere.
  simulation,
};

struct row {
  // Of the reference: "C1". Some have several bodies.
  std::string id;
  // A few words, unique within the id.
  std::string name;
  void (*body)(machine&);
  // Approved: written by LOCKSTEP_APPROVE=1 from what Linux said.
  std::string transcript;
  needs on = needs::loopback;
  // Why it needs the simulation.
  std::string reason = "";
};

std::vector<row> tcp_connect_rows();
std::vector<row> tcp_listen_rows();
std::vector<row> tcp_data_rows();
std::vector<row> tcp_close_rows();
std::vector<row> bind_rows();
std::vector<row> udp_rows();
std::vector<row> unix_name_rows();
std::vector<row> unix_rows();
std::vector<row> unix_message_rows();
std::vector<row> pipe_rows();
std::vector<row> readiness_rows();
std::vector<row> descriptor_rows();
std::vector<row> option_rows();
std::vector<row> fuzzed_rows();

// One by one, each with the source that it stands in.
struct row_file {
  const char* name;
  std::vector<row> (*rows)();
};
const std::vector<row_file>& row_files();

// Where rows run. Each run is on a machine of its own, and gives the transcript. An arm has a source of its own,
// machine_real.cpp, with a class derived from `machine`, and its line in arms(). One that lets a simulated world run
// while a row waits calls the body from outside of the world, or from an agent that may wait in the middle of a call.
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

}  // namespace lockstep::sockets
