// Small programs, one for each primitive and combinator, that brute force is used on. In each, one task, the victim, is
// disturbed while others use the same objects; then it must be as if the victim had never come, or had gone before.
#pragma once

#include <lockstep/testing/testing.hpp>

#include <ostream>
#include <vector>

namespace lockstep::brute_force {

// To add one: a coroutine in brute_force_programs.cpp, and a line in the table at its end.
struct program {
  const char* name;
  task<void> (*run)();
};

inline std::ostream& operator<<(std::ostream& out, const program& of) { return out << of.name; }

std::vector<program> programs();

// A local of the frames of a program. Counts those that live.
class local {
 public:
  local() noexcept { ++alive; }
  local(const local&) = delete;
  local& operator=(const local&) = delete;
  ~local() { --alive; }

  static inline int alive = 0;
};

// After each run, every local must be gone.
class disturbed : public testing::TestWithParam<program> {
 protected:
  void TearDown() override { EXPECT_EQ(local::alive, 0); }
};

inline auto all_programs() { return testing::ValuesIn(programs()); }
inline std::string name_of_program(const testing::TestParamInfo<program>& of) { return of.param.name; }

}  // namespace lockstep::brute_force
