#include <lockstep/runtime/when_all_settled.hpp>

#include <lockstep/runtime/snapshot.hpp>

namespace lockstep::detail {

failure failure_of(agent& finished) {
  finished.observe();
  if (finished.was_cancelled(detail::unseen)) return failure(finished.thrown(detail::unseen));
  return failure(finished.failure(detail::unseen), trail_of(finished));
}

}  // namespace lockstep::detail
