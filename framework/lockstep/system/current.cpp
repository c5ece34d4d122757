#include <lockstep/system/current.hpp>

#include <lockstep/runtime/loop.hpp>

namespace lockstep {

constinit task_local<system_calls*> detail::system_of_task{nullptr};

system_calls& current_system(source where) {
  loop& owner = *detail::here().owner;
  const agent* const dying = owner.dying();
  const detail::bound_values* const values = dying != nullptr ? dying->values() : detail::values_here();
  system_calls* found = nullptr;
  if (values != nullptr) {
    for (const detail::bound_value& each : *values) {
      if (each.variable == &detail::system_of_task) found = *static_cast<system_calls* const*>(each.value.get());
    }
  }
  if (found == nullptr) found = owner.driven_by().system();
  if (found == nullptr) owner.misused("there is no operating system in this world, and so no network", where);
  return *found;
}

}  // namespace lockstep
