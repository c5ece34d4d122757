#include <lockstep/testing/interruption.hpp>

#include "child.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace lockstep::detail {
namespace {

using testing::HasSubstr;
using testing::Not;

// The subject's tests send the signal to the process of the search, and see that it was noted before they go on.
child_run search(const std::string& test) {
  return run_subject("--gtest_filter=Searched." + test + " --lockstep_explore --lockstep_failures=none");
}

TEST(InterruptionTest, EndsTheProgramByTheSameSignalWhenAllIsTold) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const child_run run = search(signal == SIGINT ? "IsInterrupted" : "IsTerminated");
    EXPECT_EQ(run.end, fmt::format("signal {}\n", signal)) << run.text;
    EXPECT_THAT(run.text, HasSubstr("interrupted: "));
    EXPECT_THAT(run.text, HasSubstr("1 test from 1 test suite ran")) << "GoogleTest's summary is told";
  }
}

TEST(InterruptionTest, OnlyTheFirstIsNoted) {
  const child_run run = search("EndsAtTheSecondInterrupt");
  EXPECT_EQ(run.end, fmt::format("signal {}\n", SIGINT)) << run.text;
  EXPECT_THAT(run.text, Not(HasSubstr("explored")));
}

TEST(InterruptionTest, WhatIsIgnoredStaysIgnored) {
  const child_run run = run_command(
      "trap '' INT; exec ./testing_subject --gtest_filter=Searched.IsInterrupted --lockstep_explore=200 "
      "--lockstep_failures=none");
  EXPECT_EQ(run.end, "") << run.text;
}

}  // namespace
}  // namespace lockstep::detail
