// expect: for what cannot be copied, there is CoReturnByMove()
#include <lockstep/testing/testing.hpp>

#include <memory>

struct mock_source {
  MOCK_METHOD(lockstep::task<std::unique_ptr<int>>, load, ());
};

void test(mock_source& mocked) {
  EXPECT_CALL(mocked, load()).WillOnce(lockstep::CoReturn(std::make_unique<int>(5)));  // wrong
  EXPECT_CALL(mocked, load()).WillOnce(lockstep::CoReturnByMove(std::make_unique<int>(5)));
}
