// Brute force with faults: a test body that is run again and again, each time with another call failing.
//
//   EXPECT_TRUE(fault_sweep(on(op::connect).to("db:5432"), ECONNREFUSED, [] { return transfer_money(); }));
#pragma once

#include <lockstep/runtime/task.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/world.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

namespace lockstep {

struct sweep_options {
  // Calls of the body that are failed, one after the other; more is a failure, as the body may never come to an end.
  std::uint64_t calls_max = 1'000;
  sim::world_options world{};
};

// Runs `body`, each time in a world of its own: first without a fault; then with one in the n-th call in the scope of
// `rule`, once, n rising from 1 until the body makes no such call; then with one in the n-th and in all that follow.
// The trigger and the persistence of the rule are not used. Other faults of the body need not fire where this has.
// Success if there is such a call and no run failed: none has a verdict or a failed assertion, and no exception left
// it. Otherwise it says which call failed in the first that did, of a call on a file on which, what that led to, and
// the line that makes this run again, alone: with --lockstep_replay a sweep makes no other.
[[nodiscard]] testing::AssertionResult fault_sweep(fault_rule rule, int error, const std::function<task<void>()>& body,
                                                   const sweep_options& how = {});
// With the error that is most usual there.
[[nodiscard]] testing::AssertionResult fault_sweep(op what, const std::function<task<void>()>& body,
                                                   const sweep_options& how = {}, source where = source::current());

}  // namespace lockstep
