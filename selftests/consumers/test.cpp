// A test program: it links lockstep::testing.
#include <lockstep/lockstep.hpp>

#include <gtest/gtest.h>

TEST(Consumer, SeesTheVersion) { EXPECT_NE(std::string(lockstep::version()), ""); }

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
