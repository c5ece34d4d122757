#include <lockstep/sim/error_sequence.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace lockstep::sim {
namespace {

TEST(ErrorSequenceTest, TellsEachOnce) {
  error_sequence of;
  error_sequence::position one = of.now();
  error_sequence::position other = of.now();
  EXPECT_EQ(of.take(one), 0);
  of.set(EIO);
  EXPECT_EQ(of.take(one), EIO);
  EXPECT_EQ(of.take(one), 0);
  EXPECT_EQ(of.take(other), EIO);
  EXPECT_EQ(of.take(other), 0);
  of.set(ENOSPC);
  of.set(EIO);
  EXPECT_EQ(of.take(one), EIO) << "the last, once";
  EXPECT_EQ(of.take(one), 0);
}

TEST(ErrorSequenceTest, TellsWhoComesLaterOnlyIfNobodyHasHeard) {
  error_sequence of;
  error_sequence::position first = of.now();
  of.set(EIO);
  error_sequence::position second = of.now();
  EXPECT_EQ(of.take(second), EIO);
  error_sequence::position third = of.now();
  EXPECT_EQ(of.take(third), 0);
  EXPECT_EQ(of.take(first), EIO);
}

}  // namespace
}  // namespace lockstep::sim
