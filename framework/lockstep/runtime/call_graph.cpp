#include <lockstep/runtime/call_graph.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/snapshot.hpp>

#include <algorithm>
#include <utility>

namespace lockstep {

call_graph capture_call_graph() {
  call_graph graph;
  loop* const here = current_loop();
  if (here == nullptr) return graph;
  detail::touch(everything, access::write);
  graph.inside = true;
  graph.at = here->now();
  graph.step = here->steps();
  const std::vector<agent*> tasks = here->tasks();
  graph.tasks = snapshot_of(tasks);
  graph.awaits.resize(tasks.size());
  const auto older = [](const agent* a, const agent* b) { return a->number() < b->number(); };
  std::vector<agent*> awaited;
  std::vector<std::size_t> awaited_last_by(tasks.size(), tasks.size());  // for one edge where a select has two arms
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    awaited.clear();
    if (const operation* at = tasks[i]->parked_at(detail::unseen); at != nullptr) at->awaits(awaited);
    for (const agent* who : awaited) {
      const auto found = std::lower_bound(tasks.begin(), tasks.end(), who, older);
      if (found == tasks.end() || *found != who) continue;
      const auto place = static_cast<std::size_t>(found - tasks.begin());
      if (std::exchange(awaited_last_by[place], i) != i) graph.awaits[i].push_back(place);
    }
  }
  return graph;
}

}  // namespace lockstep
