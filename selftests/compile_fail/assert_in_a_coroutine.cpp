// GoogleTest's own macro cannot name CO_ASSERT_EQ; the word "return" is all that a compiler sees of it.
// expect: not allowed in coroutine
#include <lockstep/testing/co_test.hpp>

CO_TEST(Arithmetic, Adds) {
  ASSERT_EQ(1 + 1, 2);  // wrong
  CO_ASSERT_EQ(1 + 1, 2);
  co_return;
}
