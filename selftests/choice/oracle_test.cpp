#include <lockstep/choice/oracle.hpp>

#include <lockstep/base/hash.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {
namespace {

class listed final : public candidates {
 public:
  explicit listed(std::vector<candidate> all) : candidates(all.size()), all_(std::move(all)) {}
  candidate operator[](std::size_t i) const noexcept override { return all_[i]; }
  bool first_is_running() const noexcept override { return false; }
  std::string path(std::size_t i) const override { return std::to_string(i); }

 private:
  std::vector<candidate> all_;
};

// Prefers the task with the largest identity.
class largest_identity final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override {
    std::size_t best = 0;
    for (std::size_t i = 1; i < from.size(); ++i) {
      if (from[i].task > from[best].task) best = i;
    }
    return best;
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override { return point.nth % options; }
};

TEST(OracleTest, DecidesFromWhatTheCandidatesAreAboutToDo) {
  largest_identity chooser;
  oracle& asked = chooser;
  EXPECT_EQ(asked.pick_task(listed({{7, 1, operation_kind::start, 0}, {9, 3, operation_kind::lock, 5}})), 1u);
  EXPECT_EQ(asked.pick_task(listed({{9, 1, operation_kind::start, 0}, {7, 3, operation_kind::lock, 5}})), 0u);
}

TEST(OracleTest, APriorityIsDrawnForTheTaskAndItsStep) {
  step_priorities by(3);
  for (const identity task : {identity{7}, identity{7 + 16}, identity{7}, identity{8}}) {  // two share a place
    for (const std::uint32_t step : {1u, 2u, 2u}) EXPECT_EQ(by.of({task, step}), draw(3, task, step));
  }
}

TEST(OracleTest, TheHighestIsTheFirstWithTheHighestPriority) {
  const std::vector<candidate> three = {
      {7, 1, operation_kind::start, 0}, {9, 3, operation_kind::lock, 5}, {7, 1, operation_kind::start, 0}};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    step_priorities by(seed);
    EXPECT_EQ(listed(three).highest(by), draw(seed, 9, 3) > draw(seed, 7, 1) ? 1u : 0u);
  }
}

TEST(OracleTest, DecidesAValueFromItsDomainAndOrdinal) {
  largest_identity chooser;
  oracle& asked = chooser;
  EXPECT_EQ(asked.pick_value({domain_identity("a"), 5}, 4), 1u);
}

}  // namespace
}  // namespace lockstep
