// Sweeps of faults that fail, to be made again by their tokens.
#include <lockstep/system/current.hpp>
#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>

namespace lockstep {
namespace {

int open_root() {
  const int fd = current_system().openat(AT_FDCWD, "/", O_RDONLY, 0);
  return fd < 0 ? fd : current_system().close(fd);
}

fault_rule its_opens() { return on(op::open).at("client"); }

task<void> bears_the_first_alone() {
  std::puts("a run");
  open_root();
  EXPECT_EQ(open_root(), 0);
  co_return;
}

task<void> bears_one_of_two() {
  const int first = open_root();
  const int second = open_root();
  EXPECT_TRUE(first == 0 || second == 0);
  co_return;
}

TEST(SweptFault, IsNotBorneTheSecondTime) { EXPECT_TRUE(fault_sweep(its_opens(), EIO, bears_the_first_alone)); }

CO_TEST(SweptFault, IsNotBorneWithinARun) {
  co_await yield();
  EXPECT_TRUE(fault_sweep(its_opens(), EIO, bears_the_first_alone));
}

TEST(SweptFault, IsBorneOnce) { EXPECT_TRUE(fault_sweep(its_opens(), EIO, bears_one_of_two)); }

}  // namespace
}  // namespace lockstep
