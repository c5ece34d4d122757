// expect: a fixture's CoSetUp() must be a task<void>, without parameters, and public or protected
#include <lockstep/testing/testing.hpp>

class Connected : public testing::Test {
  lockstep::task<void> CoSetUp() { co_return; }  // wrong
};

CO_TEST_F(Connected, Yields) { co_await lockstep::yield(); }
