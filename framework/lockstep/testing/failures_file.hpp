// The small database of failures: tokens of runs that failed, in a text file, so that they are tried first next time.
//
//   ls1:7c41:plain:1@1>2:;<tab>Cache.Coalesces<tab>deadlock at cache.cpp:41
//
// A line each, the oldest first; people may edit it. A line that is no failure is kept and warned of. At most
// `lines_max` lines: the oldest go.
// Several processes may use one file at once: it is locked while it is changed, and replaced as a whole where lines go.
// Whatever goes wrong with the file is a warning, and no test fails for it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::detail {

struct known_failure {
  std::string token;
  std::string test;       // its full name
  std::string signature;  // of the failure; any text

  friend bool operator==(const known_failure&, const known_failure&) = default;
};

class failures_file {
 public:
  static constexpr std::size_t lines_max = 1000;

  // With an empty path nothing is kept. `warn` is told what goes wrong, a sentence each; null for standard error.
  explicit failures_file(std::string path, std::function<void(const std::string&)> warn = nullptr);

  // Where the failures of a program are kept if nobody says otherwise: beside it.
  static std::string beside(std::string_view program) { return std::string(program) + ".failures"; }

  // Those of one test, the oldest first. A file that does not exist is empty.
  std::vector<known_failure> of_test(std::string_view test) const;
  // Unless that token of that test is there already; fingerprints make no difference.
  void add(const known_failure& found) const;
  // Those that pass now, or do not apply any more. A file without lines is removed.
  void drop(const std::vector<known_failure>& gone) const;

 private:
  void warn_of_error(std::string_view what) const;
  bool replace(const std::vector<std::string>& lines, unsigned mode) const;

  std::string path_;
  std::function<void(const std::string&)> warn_;
};

}  // namespace lockstep::detail
