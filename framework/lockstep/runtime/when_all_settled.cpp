#include <lockstep/runtime/when_all_settled.hpp>

#include <lockstep/runtime/snapshot.hpp>

namespace lockstep::detail {

failure failure_of(agent& finished) {
  finished.observe();
  if (finished.was_cancelled()) return failure(finished.thrown());
  return failure(finished.failure(), trail_of(finished));
}

}  // namespace lockstep::detail
