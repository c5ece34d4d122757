#include <lockstep/choice/oracle.hpp>

#include <gtest/gtest.h>

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

TEST(OracleTest, DecidesAValueFromItsDomainAndOrdinal) {
  largest_identity chooser;
  oracle& asked = chooser;
  EXPECT_EQ(asked.pick_value({domain_identity("a"), 5}, 4), 1u);
}

}  // namespace
}  // namespace lockstep
