// Random sequences of system calls do the same on the simulated kernel as on Linux. LOCKSTEP_SOCKET_FUZZ=20000 runs
// more of them, and LOCKSTEP_SOCKET_FUZZ=1,77 that of seed 77.
#include "fuzz_run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

namespace lockstep::sockets {
namespace {

TEST(DifferentialFuzzTest, AgreesWithLinuxInEveryCall) {
  constexpr int reports_max = 12;
  const auto range = against_linux::range_from_environment("LOCKSTEP_SOCKET_FUZZ", 2'000);
  fuzzer by;
  int reports = 0;
  std::uint64_t clean = 0;
  for (std::uint64_t seed = range.first; seed < range.first + range.count && reports < reports_max; ++seed) {
    const std::optional<std::string> report = by.check(seed);
    if (!report) {
      ++clean;
      continue;
    }
    ++reports;
    ADD_FAILURE() << *report;
  }
  std::cout << fmt::format("{} sequences agree, in {} calls\n", clean, by.counted().steps);
  for (const auto& [why, times] : by.counted().ended) std::cout << fmt::format("{} ended early: {}\n", times, why);
}

// Each kind of operation has to succeed, or nothing is compared.
TEST(DifferentialFuzzTest, ReachesEveryKindOfCall) {
  fuzzer by;
  constexpr std::uint64_t enough = 400;
  for (std::uint64_t seed = 1; seed <= enough; ++seed) (void)by.check(seed);
  for (std::size_t kind = 0; kind < by.counted().succeeded.size(); ++kind) {
    EXPECT_GT(by.counted().succeeded[kind], 0u) << "operation_kind " << kind;
  }
}

TEST(DifferentialFuzzTest, FindsADifferenceAndMakesItShort) {
  fuzzer by([](machine& on) { on.no_more_descriptors(true); });
  const std::optional<std::string> report = by.check(1);
  ASSERT_TRUE(report.has_value());
  EXPECT_NE(report->find("EMFILE"), std::string::npos) << *report;
  const std::size_t begin = report->find("on Linux:\n");
  const std::size_t end = report->find("on lockstep:\n");
  ASSERT_NE(end, std::string::npos) << *report;
  const std::string transcript = report->substr(begin, end - begin);
  EXPECT_EQ(std::count(transcript.begin(), transcript.end(), '\n'), 2) << *report;
}

}  // namespace
}  // namespace lockstep::sockets
