#include <lockstep/runtime/when_any.hpp>

namespace lockstep::detail {

rescue_scope::rescue_scope() noexcept : owner_(current_task()) { owner_.add_rescue(1); }

rescue_scope::~rescue_scope() { owner_.add_rescue(-1); }

}  // namespace lockstep::detail
