// For tests about verdicts: one run in a world of its own, and what was found wrong with it.
#pragma once

#include <lockstep/lockstep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace lockstep {

inline std::ostream& operator<<(std::ostream& out, verdict_kind kind) { return out << name_of(kind); }

struct judged_run {
  bool ended = false;
  std::vector<verdict> verdicts;
  std::string failure;  // what left the main task; empty if nothing did
  std::optional<verdict> failure_report;
  sim::run_summary summary;

  std::vector<verdict_kind> kinds() const {
    std::vector<verdict_kind> found;
    for (const verdict& each : verdicts) found.push_back(each.kind);
    return found;
  }
  // The messages of all, a line each.
  std::string messages() const {
    std::string text;
    for (const verdict& each : verdicts) text += std::string(name_of(each.kind)) + ": " + each.message + '\n';
    return text;
  }
};

// Runs `make()` as the main task.
template <class F>
judged_run judge(F make, const sim::world_options& how = {}) {
  sim::world world;
  judged_run result;
  world.start(how);
  result.ended = world.drive(make());
  world.finish();
  result.verdicts = world.verdicts();
  if (world.failure() != nullptr) result.failure = text_of(world.failure());
  result.failure_report = world.failure_report();
  result.summary = world.summary();
  return result;
}

// Answers every question with the dullest: what no oracle at all must be equal to.
class dullest final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override {
    EXPECT_GE(from.size(), 2u);
    ++task_picks;
    return 0;
  }
  std::uint64_t pick_value(choice_point, std::uint64_t options) override {
    EXPECT_GE(options, 2u);
    ++value_picks;
    return 0;
  }
  int task_picks = 0;
  int value_picks = 0;
};

// Always lets the task run that has waited least: as far from the plain run as can be.
class contrary final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override { return from.size() - 1; }
  std::uint64_t pick_value(choice_point, std::uint64_t options) override { return options - 1; }
};

}  // namespace lockstep
