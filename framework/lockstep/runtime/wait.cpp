#include <lockstep/runtime/wait.hpp>

#include <lockstep/runtime/onlooker.hpp>

namespace lockstep::detail {

task<waited> wait(std::vector<const agent_owner*> tasks, wait_until condition, duration limit) {
  const time_point deadline = saturating_add(here().owner->now(), limit);
  onlooker on(tasks, users_line());
  const onlooker::condition wanted{condition == wait_until::first_completed ? 1 : tasks.size(),
                                   condition == wait_until::first_exception};
  co_await onlooker::wait(on, wanted, deadline);
  std::vector<bool> ended(tasks.size());
  for (const std::size_t each : on.ended()) ended[each] = true;
  waited found;
  for (std::size_t i = 0; i < tasks.size(); ++i) (ended[i] ? found.done : found.pending).push_back(i);
  co_return found;
}

}  // namespace lockstep::detail
