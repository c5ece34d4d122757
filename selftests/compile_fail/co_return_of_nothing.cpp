// expect: CoReturn() without a value is for functions that return task<void>
#include <lockstep/testing/actions.hpp>

struct store {
  MOCK_METHOD(lockstep::task<int>, load, ());
};

void test(store& mocked) {
  EXPECT_CALL(mocked, load()).WillOnce(lockstep::CoReturn());  // wrong
  EXPECT_CALL(mocked, load()).WillOnce(lockstep::CoReturn(5));
}
