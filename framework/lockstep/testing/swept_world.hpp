// A world in which a sweep runs a body once and again, and what it finds.
#pragma once

#include <lockstep/runtime/task.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/time/clock.hpp>

#include <functional>
#include <optional>
#include <string>

namespace lockstep::detail {

class swept_world {
 public:
  struct moment {
    time_point steady;
    wall_clock::time_point wall;
  };

  // `prepare`, if there is one, is called before the body, outside of any task.
  // The clocks begin at `begin`, if there is one, and may go on for as long as in any run.
  // Returns what was found, a line for each failed assertion, verdict, or exception that left it, with an indent; the
  // empty text if nothing was.
  std::string run(const std::function<task<void>()>& body, const sim::world_options& how,
                  const std::function<void(sim::world&)>& prepare = nullptr,
                  const std::optional<moment>& begin = std::nullopt);
  // Of the run under way.
  moment now() noexcept { return {world_.loop().now(), world_.loop().wall_now()}; }

 private:
  sim::world world_;
};

}  // namespace lockstep::detail
