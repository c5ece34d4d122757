#include <lockstep/testing/under_test.hpp>

#include <lockstep/runtime/disturbance.hpp>

namespace lockstep {

void put_under_test(const agent_owner& task, source where) { put_under_test(task.get(where), where); }

void put_under_test(agent& task, source where) {
  task.require_here("was put under test", where);
  if (disturbance* by = detail::here().owner->disturbed_by(); by != nullptr) by->name(task);
}

}  // namespace lockstep
