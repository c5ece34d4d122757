// Tests that print in several runs. Run by the test of runner.
#include <lockstep/testing/testing.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace lockstep {
namespace {

// Prints in each way that there is, in order.
void print_everywhere(int run) {
  std::printf("run %d prints\n", run);
  std::cout << "run " << run << " streams" << std::endl;
  EXPECT_EQ(std::system(("echo run " + std::to_string(run) + " has a child").c_str()), 0);
  std::printf("run %d ends\n", run);
}

CO_TEST(Output, OfTheFourthRunWhichFails, .runs = 10) {
  static int runs = 0;
  co_await yield();
  print_everywhere(++runs);
  EXPECT_LT(runs, 4);
}

CO_TEST(Output, OfRunsThatPass, .runs = 10) {
  static int runs = 0;
  co_await yield();
  print_everywhere(++runs);
}

CO_TEST(Output, OfTheThirdRunWhichIsSkipped, .runs = 10) {
  static int runs = 0;
  co_await yield();
  print_everywhere(++runs);
  if (runs == 3) CO_SKIP() << "enough";
}

CO_TEST(Output, OfTheFirstRunWhichFails, .runs = 10) {
  co_await yield();
  print_everywhere(1);
  ADD_FAILURE();
}

CO_TEST(Output, IsCapturedByTheTestItself, .runs = 10) {
  testing::internal::CaptureStdout();
  co_await yield();
  std::printf("captured");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "captured");
}

}  // namespace
}  // namespace lockstep
