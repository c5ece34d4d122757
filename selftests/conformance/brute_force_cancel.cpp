// Each program's victim is cancelled at every await, before, during and after its wait.
#include "brute_force.hpp"

namespace lockstep::brute_force {
namespace {

using cancelled_victim = disturbed;

CO_TEST_P(cancelled_victim, LosesNothing, .cancel_every = true) { co_await run(); }

CO_TEST_P(cancelled_victim, LosesNothingInAnyOrder, .runs = 20, .cancel_every = true) { co_await run(); }

CO_TEST_P(cancelled_victim, LosesNothingOnOneThread, .runs = 3, .order = ordering::fifo, .cancel_every = true) {
  co_await run();
}

INSTANTIATE_TEST_SUITE_P(Cancelled, cancelled_victim, all_programs(), name_of_program);

}  // namespace
}  // namespace lockstep::brute_force
