// A test program: it links lockstep::testing.
#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

lockstep::task<void> rest() { co_await lockstep::sleep_for(std::chrono::hours(1)); }

CO_TEST(Consumer, RestsForAnHour, .runs = 10) {
  co_await lockstep::when_all(rest(), rest());
  EXPECT_EQ(lockstep::now(), lockstep::time_point(std::chrono::hours(1)));
}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
