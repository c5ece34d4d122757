// Sweeps of power cuts that fail, to be made again by their tokens.
#include <lockstep/sim/host.hpp>
#include <lockstep/system/current.hpp>
#include <lockstep/testing/crash_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace lockstep {
namespace {

void prepare_disks(sim::world& of) {
  of.fs().make_directory("/log");
  of.fs().mount("/log");
}

// On two disks, of which the second is to be ahead.
task<void> makes_pairs() {
  for (const char* each : {"one", "two", "three"}) {
    for (const char* where : {"/log/", "/"}) {
      current_system().mkdirat(AT_FDCWD, (std::string(where) + each).c_str(), S_IRWXU);
    }
  }
  co_return;
}

task<void> finds_pairs() {
  std::puts("a check");
  for (const char* each : {"one", "two", "three"}) {
    EXPECT_TRUE(!world().fs().exists(each) || world().fs().exists(std::string("/log/") + each)) << each;
  }
  co_return;
}

const crash_sweep_options in_pairs{.models = {sim::process_crash, sim::weakest}, .prepare = prepare_disks};

TEST(PowerCut, BreaksUpAPair) { EXPECT_TRUE(crash_sweep(makes_pairs, finds_pairs, in_pairs)); }

CO_TEST(PowerCut, BreaksUpAPairWithinARun) {
  co_await yield();
  EXPECT_TRUE(crash_sweep(makes_pairs, finds_pairs, in_pairs));
}

// Three changes, and so five cuts.
TEST(PowerCut, IsBorne) {
  const auto makes_three = []() -> task<void> {
    for (const char* each : {"/1", "/2", "/3"}) current_system().mkdirat(AT_FDCWD, each, S_IRWXU);
    co_return;
  };
  const auto passes = []() -> task<void> { co_return; };
  EXPECT_TRUE(crash_sweep(makes_three, passes, {.models = {sim::weakest}}));
}

}  // namespace
}  // namespace lockstep
