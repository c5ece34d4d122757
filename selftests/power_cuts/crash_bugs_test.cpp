// Each bug of crash_bugs.hpp is found in the models that allow it, and in no other; its twin survives all of them.
#include "crash_bugs.hpp"

#include "../against_linux/approval.hpp"

#include <lockstep/sim/world.hpp>
#include <lockstep/testing/crash_sweep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace lockstep::power_cuts {

void PrintTo(const crash_bug& which, std::ostream* to) { *to << which.name; }

namespace {

task<void> runs(void (*program)(promises&), promises* promised) {
  program(*promised);
  co_return;
}
task<void> recovers(void (*recovery)(const promises&), const promises* promised) {
  recovery(*promised);
  co_return;
}

void write_disk(const crash_bug& of, sim::world& world) {
  for (const auto& [path, text] : of.disk) {
    if (path.ends_with('/')) {
      world.fs().make_directory(path);
    } else {
      world.fs().write_file(path, text);
    }
  }
}

// That a rename is one step is asked of all disks.
std::vector<sim::crash_model> all_models() {
  std::vector<sim::crash_model> models = crash_sweep_options::all_models();
  for (sim::crash_model& each : models) each.rename_is_atomic = true;
  return models;
}

testing::AssertionResult sweep(const crash_bug& of, bool twin, std::vector<sim::crash_model> models) {
  promises promised;
  crash_sweep_options how{.models = std::move(models)};
  how.prepare = [&](sim::world& world) { write_disk(of, world); };
  return crash_sweep([&] { return runs(twin ? of.twin : of.program, &promised); },
                     [&] { return recovers(twin ? of.recovery_of_twin : of.recovery, &promised); }, how);
}

class CrashBugTest : public testing::TestWithParam<crash_bug> {};

TEST_P(CrashBugTest, IsFoundInTheModelsThatAllowIt) {
  std::set<std::string_view> found;
  for (const sim::crash_model& each : all_models()) {
    const testing::AssertionResult result = sweep(GetParam(), false, {each});
    if (result) continue;
    found.insert(each.name);
    EXPECT_THAT(result.message(), testing::HasSubstr("the check fails where the power is cut"));
  }
  EXPECT_EQ(found, GetParam().found_in);
}

TEST_P(CrashBugTest, HasATwinThatSurvives) {
  const testing::AssertionResult result = sweep(GetParam(), true, all_models());
  EXPECT_TRUE(result) << result.message();
}

INSTANTIATE_TEST_SUITE_P(Each, CrashBugTest, testing::ValuesIn(all_bugs()),
                         [](const testing::TestParamInfo<crash_bug>& of) {
                           return against_linux::test_name(std::string(of.param.id), std::string(of.param.name));
                         });

}  // namespace
}  // namespace lockstep::power_cuts
