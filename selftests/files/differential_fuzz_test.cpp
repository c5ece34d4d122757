// Random sequences of calls on files do the same on the simulated kernel as on Linux.
// LOCKSTEP_FILE_FUZZ=20000 runs more of them, and LOCKSTEP_FILE_FUZZ=1,77 that of seed 77.
#include "fuzz_run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <string>

namespace lockstep::files {
namespace {

// Of findings that say the same, one is reported.
TEST(FileFuzzTest, AgreesWithLinuxInEveryCall) {
  constexpr std::size_t reports_max = 12;
  constexpr std::size_t findings_max = 100;
  const auto range = against_linux::range_from_environment("LOCKSTEP_FILE_FUZZ", 1'000);
  fuzzer by;
  std::size_t findings = 0;
  std::set<std::string> differences;
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    const std::optional<finding> found = by.check(seed);
    if (!found) continue;
    ++findings;
    if (differences.insert(found->difference).second) ADD_FAILURE() << found->report;
    if (differences.size() == reports_max || findings == findings_max) break;
  }
  const std::size_t agreed = by.counted().sequences - findings;
  std::cout << fmt::format("{} sequences agree, in {} calls\n", agreed, by.counted().steps);
}

// Each kind of operation has to succeed, or nothing is compared.
TEST(FileFuzzTest, ReachesEveryKindOfCall) {
  fuzzer by;
  constexpr std::uint64_t enough = 300;
  for (std::uint64_t seed = 1; seed <= enough; ++seed) (void)by.check(seed);
  for (std::size_t kind = 0; kind < by.counted().succeeded.size(); ++kind) {
    if (!is_drawn(static_cast<operation_kind>(kind))) continue;
    EXPECT_GT(by.counted().succeeded[kind], 0U) << "operation_kind " << kind;
  }
}

// Lines of Linux's transcript in a report.
std::ptrdiff_t lines_on_linux(const std::string& report) {
  const std::size_t begin = report.find("on Linux:\n") + 10;
  const std::size_t end = report.find("\non ", begin);
  return std::count(report.begin() + static_cast<std::ptrdiff_t>(begin),
                    report.begin() + static_cast<std::ptrdiff_t>(end) + 1, '\n');
}

TEST(FileFuzzTest, FindsADifferenceAndMakesItShort) {
  fuzzer by([](machine& on) { on.make_folder(on.absolute("top/inner/a"), 0700); });
  std::optional<finding> found;
  for (std::uint64_t seed = 2; !found; ++seed) found = by.check(seed);
  EXPECT_LE(lines_on_linux(found->report), 2) << found->report;
  EXPECT_NE(found->report.find("Linux: "), std::string::npos) << found->report;
}

// In names that no call has to do with.
TEST(FileFuzzTest, FindsADifferenceInTheTreeAtTheEnd) {
  fuzzer by([](machine& on) { on.make_file(on.absolute("top/unknown")); });
  std::optional<finding> found;
  for (std::uint64_t seed = 2; !found; ++seed) found = by.check(seed);
  EXPECT_NE(found->report.find("/unknown: regular, 0 bytes"), std::string::npos) << found->report;
}

}  // namespace
}  // namespace lockstep::files
