#include <lockstep/testing/actions.hpp>

#include <stdexcept>

namespace lockstep::detail {

void used_twice(const source& where) {
  here().owner->misused("CoReturnByMove() is for one call, and its value is gone; say WillOnce(), or use CoInvoke()",
                        where);
}

void no_default_result() {
  throw std::logic_error(
      "a mock function was called without an action, and what its task returns has no default; give the call an "
      "action, "
      "such as WillOnce(CoReturn(value))");
}

}  // namespace lockstep::detail
