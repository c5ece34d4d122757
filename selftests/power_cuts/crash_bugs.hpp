// Bugs that power cuts have shown in programs that many use, each as a few calls: what the program did, what it does
// when it is started again, and a twin that is right.
//
// Each is found in the models that allow it and in no other; its twin survives all. Where a bug is in what a program
// makes of what it finds, the twin has another recovery.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::power_cuts {

// What the program has told its users that it has.
using promises = std::set<std::string>;

struct crash_bug {
  std::string_view id;
  // The program, and what happens.
  std::string_view name;
  std::string_view source;
  // Paths and contents; a directory ends with a slash.
  std::vector<std::pair<std::string_view, std::string>> disk;
  void (*program)(promises&);
  void (*twin)(promises&);
  // Its failures are those of the running test.
  void (*recovery)(const promises&);
  void (*recovery_of_twin)(const promises&);
  // The models in which it is found, as in `models`.
  std::set<std::string_view> found_in;
};

std::vector<crash_bug> bugs_of_log_structured_stores();
std::vector<crash_bug> bugs_of_other_stores();
std::vector<crash_bug> bugs_of_services();

inline std::vector<crash_bug> all_bugs() {
  std::vector<crash_bug> all = bugs_of_log_structured_stores();
  for (const auto& more : {bugs_of_other_stores(), bugs_of_services()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace lockstep::power_cuts
