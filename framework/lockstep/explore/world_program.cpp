#include <lockstep/explore/world_program.hpp>

#include <lockstep/explore/signature.hpp>

namespace lockstep {

run_result world_program::run(oracle& choices, ordering order) {
  how_.choices = &choices;
  how_.order = order;
  world_.start(how_);
  world_.drive(main_());
  const bool given_up = world_.loop().given_up();
  world_.finish();
  run_result result;
  if (given_up) return result;
  if (!world_.verdicts().empty()) {
    result = {true, signature_of(world_.verdicts().front())};
  } else if (world_.failure() != nullptr) {
    result = {true, signature_of(*world_.failure_report())};
  }
  return result;
}

}  // namespace lockstep
