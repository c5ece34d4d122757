// expect: a fixture's CoTearDown() must be a task<void>, without parameters, and public or protected
#include <lockstep/testing/testing.hpp>

class Connected : public testing::Test {
 protected:
  lockstep::task<void> CoTearDown(int) { co_return; }  // wrong
};

CO_TEST_F(Connected, Yields) { co_await lockstep::yield(); }
