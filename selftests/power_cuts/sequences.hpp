// Short sequences of calls on files behind which the power is cut, and what is to be on the disk then: sequences that
// have shown bugs of file systems, and one for each order and each atom that a model promises.
#pragma once

#include <lockstep/sim/disk_image.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::power_cuts {

struct sequence {
  std::string_view id;
  // In words, for the docs.
  std::string_view calls;
  std::string_view guarantee;
  void (*prepare)();  // what that does is durable
  void (*run)();
  bool (*holds)(const sim::disk_image&);
  // The models in which the guarantee does not hold, for at least one of the images that they allow.
  std::set<std::string_view> broken_in;
};

// Source: CrashMonkey, newBugs.md: there btrfs or F2FS broke the guarantee, and no journalled model may.
std::vector<sequence> sequences_of_file_systems();
// Source: ALICE, table 3.
std::vector<sequence> promises_of_models();

inline bool is_there(const sim::disk_image& image, std::string_view path) { return image.find(path) != nullptr; }

}  // namespace lockstep::power_cuts
