// expect: CoReturn() needs a value that converts to the T of the function's task<T>
#include <lockstep/testing/actions.hpp>

struct store {
  MOCK_METHOD(lockstep::task<int>, load, ());
};

void test(store& mocked) {
  EXPECT_CALL(mocked, load()).WillOnce(lockstep::CoReturn(std::string("five")));  // wrong
  EXPECT_CALL(mocked, load()).WillOnce(lockstep::CoReturn(5));
}
