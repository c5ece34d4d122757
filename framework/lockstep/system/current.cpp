#include <lockstep/system/current.hpp>

#include <lockstep/runtime/loop.hpp>

namespace lockstep {

constinit task_local<system_calls*> detail::system_of_task{nullptr};

system_calls& current_system(source where) {
  loop& owner = *detail::here().owner;
  system_calls* found = detail::system_of_task.get();
  if (found == nullptr) found = owner.driven_by().system();
  if (found == nullptr) owner.misused("there is no operating system in this world, and so no network", where);
  return *found;
}

}  // namespace lockstep
