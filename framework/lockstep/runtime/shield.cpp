#include <lockstep/runtime/shield.hpp>

namespace lockstep {

shield_scope::shield_scope() : owner_(current_task()) { ++owner_.shields_; }

shield_scope::~shield_scope() { --owner_.shields_; }

}  // namespace lockstep
