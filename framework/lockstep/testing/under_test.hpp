// Which task brute force is about.
#pragma once

#include <lockstep/runtime/spawn.hpp>

namespace lockstep {

// Makes `task` the one under test, in the place of the body of the test itself: `.cancel_every` cancels this one, and
// `.fail_alloc_every` lets allocations of this one fail, and of what it spawns. So the body goes on, and can look at
// what is left:
//
//   auto victim = spawn(work(slots), "victim");
//   put_under_test(victim);
//   try { co_await victim.join(); } catch (const cancelled&) {}
//   EXPECT_EQ(slots.available(), 2u);
//
// Best before its first step; what it did before is not disturbed. The last one that is named counts. Does nothing
// where nothing is disturbed. Misuse of a handle that owns no task.
void put_under_test(const agent_owner& task, source where = source::current());
// The same of a task that a group or the run owns.
void put_under_test(agent& task, source where = source::current());

}  // namespace lockstep
