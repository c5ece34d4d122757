// A world in which a sweep runs a body once and again, and what it finds.
#pragma once

#include <lockstep/runtime/task.hpp>
#include <lockstep/sim/world.hpp>

#include <functional>
#include <string>

namespace lockstep::detail {

class swept_world {
 public:
  // `prepare`, if there is one, is called before the body, outside of any task.
  // Returns what was found, a line for each failed assertion, verdict, or exception that left it, with an indent; the
  // empty text if nothing was.
  std::string run(const std::function<task<void>()>& body, const sim::world_options& how,
                  const std::function<void(sim::world&)>& prepare = nullptr);

 private:
  sim::world world_;
};

}  // namespace lockstep::detail
