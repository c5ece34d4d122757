// expect: a fixture's lockstep_options() must be static, without parameters, and public or protected
#include <lockstep/testing/testing.hpp>

class Paused : public testing::Test {
  static lockstep::options lockstep_options() { return {.clock = lockstep::clock_mode::paused}; }  // wrong
};

CO_TEST_F(Paused, Yields) { co_await lockstep::yield(); }
