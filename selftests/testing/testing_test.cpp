// The one header of this module that tests include is all that a test needs.
#include <lockstep/testing/testing.hpp>

namespace {

using namespace std::chrono_literals;

CO_TEST(TestingTest, OneHeaderIsAllThatATestNeeds) {
  lockstep::event ready;
  auto waiter = lockstep::spawn([](lockstep::event& of) -> lockstep::task<int> {
    co_await of.wait();
    co_return 1;
  }(ready));
  co_await lockstep::sleep_for(1s);
  ready.set();
  CO_ASSERT_EQ(co_await waiter.join(), 1);
  EXPECT_EQ(lockstep::now(), lockstep::time_point{1s});
}

}  // namespace
