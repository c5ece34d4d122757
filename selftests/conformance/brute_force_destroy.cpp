// The world of each program is torn down at every step.
#include "brute_force.hpp"

namespace lockstep::brute_force {
namespace {

using world_torn_down = disturbed;

CO_TEST_P(world_torn_down, LeavesNothing, .destroy_every = true) { co_await run(); }

CO_TEST_P(world_torn_down, LeavesNothingInAnyOrder, .runs = 10, .destroy_every = true) { co_await run(); }

INSTANTIATE_TEST_SUITE_P(TornDown, world_torn_down, all_programs(), name_of_program);

}  // namespace
}  // namespace lockstep::brute_force
