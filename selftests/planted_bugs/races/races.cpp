#include "races.hpp"

namespace lockstep::planted {

std::span<const planted_race> planted_races() {
  static const std::vector<planted_race> all = [] {
    std::vector<planted_race> joined;
    for (const auto area : {classic_races, state_races, lock_races, permit_races, queue_races, channel_races,
                            event_races, timer_races, cancellation_races, result_races, combinator_races}) {
      const std::span<const planted_race> races = area();
      joined.insert(joined.end(), races.begin(), races.end());
    }
    return joined;
  }();
  return all;
}

}  // namespace lockstep::planted
