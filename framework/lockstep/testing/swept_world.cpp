#include <lockstep/testing/swept_world.hpp>

#include <lockstep/testing/failures.hpp>

#include <fmt/format.h>

namespace lockstep::detail {

std::string swept_world::run(const std::function<task<void>()>& body, const sim::world_options& how,
                             const std::function<void(sim::world&)>& prepare, const std::optional<moment>& begin) {
  std::string found;
  failure_interceptor failures;
  sim::world_options options = how;
  if (begin) options.time_max = saturating_add(begin->steady, how.time_max).time_since_epoch();
  world_.start(options);
  if (begin) {
    world_.loop().advance_to(begin->steady, true);
    world_.loop().shift_wall_clock(begin->wall - world_.loop().wall_now());
  }
  if (prepare) prepare(world_);
  world_.drive(body());
  world_.finish();
  for (const failure_part& each : failures.parts()) {
    if (!each.failed()) continue;
    found += each.file.empty() ? fmt::format("\n  {}", each.message)
                               : fmt::format("\n  {}:{}: {}", each.file, each.line, each.message);
  }
  if (world_.failure() != nullptr) found += "\n  an exception left it: " + world_.failure_report()->message;
  for (const verdict& each : world_.verdicts()) found += fmt::format("\n  {}: {}", name_of(each.kind), each.message);
  return found;
}

}  // namespace lockstep::detail
