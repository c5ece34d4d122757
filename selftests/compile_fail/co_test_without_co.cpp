// expect: the_body_of_a_test_needs_a_co_await_or_co_return
#include <lockstep/testing/co_test.hpp>

CO_TEST(Arithmetic, Adds) {
  EXPECT_EQ(1 + 1, 2);
#if 0   // wrong
  co_return;
#endif  // wrong
}
