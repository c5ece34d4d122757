// Each allocation of each program's victim fails.
#include "brute_force.hpp"

#include <lockstep/testing/failing_new.hpp>

namespace lockstep::brute_force {
namespace {

using victim_without_memory = disturbed;

CO_TEST_P(victim_without_memory, LosesNothing, .fail_alloc_every = true) { co_await run(); }

CO_TEST_P(victim_without_memory, LosesNothingInAnyOrder, .runs = 10, .fail_alloc_every = true) { co_await run(); }

INSTANTIATE_TEST_SUITE_P(WithoutMemory, victim_without_memory, all_programs(), name_of_program);

}  // namespace
}  // namespace lockstep::brute_force
