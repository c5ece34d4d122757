#include "small_programs.hpp"

#include "small_world.hpp"

#include <fmt/format.h>

#include <utility>

namespace lockstep::small {

namespace {

task<void> body(world_of_steps& of, const program& what, std::size_t me) {
  int seen = 0;
  try {
    for (const step& each : what.tasks[me]) {
      seen = co_await what.kinds[each.kind].make(of, each, static_cast<int>(me), seen);
    }
  } catch (const cancelled&) {
    of.seen[me] = -seen - 1;
    throw;
  } catch (const std::runtime_error&) {
    seen = -999;
  }
  of.seen[me] = seen;
}

task<int> common_work(world_of_steps& of) {
  co_await yield();
  variable(of, 0) += 1;
  co_await yield();
  co_return variable(of, 0);
}

}  // namespace

std::string program::text() const {
  std::string all;
  for (const std::vector<step>& each : tasks) {
    all += "\n  task:";
    for (const step& made : each) all += fmt::format(" {}({}, {})", kinds[made.kind].name, made.a, made.b);
  }
  return all;
}

bool program::branches_on_values() const {
  for (const std::vector<step>& each : tasks) {
    for (const step& made : each) {
      const std::string_view name = kinds[made.kind].name;
      if (name == "select_two" || name == "select_end" || name == "draw_and_branch") return true;
    }
  }
  return false;
}

program program_of(std::uint64_t seed, int tasks_max, int length_max) {
  std::uint64_t state = seed;
  const auto below = [&state](std::size_t n) {
    state = hash_of(state, 1);
    return static_cast<std::size_t>(bounded(state, n));
  };
  program made;
  for (std::size_t group = 1 + below(2); group > 0; --group) {
    const step_groups all[] = {steps_of_sync(), steps_of_tasks(), steps_of_the_world()};
    std::size_t which = below(all[0].size() + all[1].size() + all[2].size());
    const step_groups* of = all;
    for (; which >= of->size(); ++of) which -= of->size();
    const std::span<const step_kind> more = (*of)[which];
    made.kinds.insert(made.kinds.end(), more.begin(), more.end());
  }
  const std::size_t tasks = 2 + below(static_cast<std::size_t>(tasks_max - 1));
  for (std::size_t i = 0; i < tasks; ++i) {
    std::vector<step> steps;
    for (std::size_t left = 1 + below(static_cast<std::size_t>(length_max)); left > 0; --left) {
      steps.push_back({below(made.kinds.size()), static_cast<int>(below(6)), static_cast<int>(below(6))});
    }
    made.tasks.push_back(std::move(steps));
  }
  return made;
}

task<void> run(const program& what, std::string& outcome) {
  what.abroad.clear();
  world_of_steps of(what.declared, what.abroad);
  of.common.emplace(common_work(of));
  of.workers.emplace(1u);
  of.seen.assign(what.tasks.size(), -999);
  of.tasks.reserve(what.tasks.size());
  for (std::size_t i = 0; i < what.tasks.size(); ++i) of.tasks.push_back(spawn(body(of, what, i)));
  for (join_handle<void>& each : of.tasks) {
    try {
      co_await each.join_shielded();
    } catch (const cancelled&) {
    }
  }
  for (const cell& each : of.variables) outcome += fmt::format("{} ", static_cast<int>(each));
  outcome += fmt::format("{} ", static_cast<int>(*of.closings));
  for (const int each : of.seen) outcome += fmt::format("/{}", each);
}

}  // namespace lockstep::small
