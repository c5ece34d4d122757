#include <lockstep/explore/choices.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/testing/test_program.hpp>

#include <gtest/gtest.h>

#include <memory>

namespace lockstep::detail {
namespace {

class one_body final : public test_instance {
 public:
  task<void> run_all() override {
    const int drawn = random_int("drawn", 0, 9);
    co_await yield();
    EXPECT_EQ(drawn, 0) << "which is shown to nobody";
  }
  void tear_down_after_failure() override {}
};

TEST(TestProgramTest, MakesRunsOfTheTestAndKeepsItsFailures) {
  test_plan plan;
  plan.make = [] { return std::make_unique<one_body>(); };
  const options knobs = effective_options({}, {});
  test_runner runner(plan, knobs);
  test_program code(runner);
  fixed_choices plain({});
  EXPECT_FALSE(code.run(plain, ordering::any_order).failed);
  const std::uint64_t trace = code.trace_hash();
  fixed_choices other({3});
  const run_result failed = code.run(other, ordering::any_order);
  EXPECT_TRUE(failed.failed);
  EXPECT_NE(failed.signature.find("test_program_test.cpp"), std::string::npos) << failed.signature;
  EXPECT_NE(code.trace_hash(), trace);
  code.rest();
  fixed_choices again({});
  EXPECT_FALSE(code.run(again, ordering::any_order).failed);
  EXPECT_EQ(code.trace_hash(), trace);
  code.rest();
}

}  // namespace
}  // namespace lockstep::detail
