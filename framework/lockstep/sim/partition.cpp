#include <lockstep/sim/partition.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

namespace lockstep {

partition::partition(std::string_view one, std::string_view other, source where)
    : partition(std::vector{one}, std::vector{other}, where) {}

partition::partition(const std::vector<std::string_view>& these, const std::vector<std::string_view>& those,
                     source where) {
  for (const std::string_view one : these) {
    for (const std::string_view other : those) {
      sim::network& of = world(where).network();
      sim::link& between = of.link(one, other, where);
      lanes_.cut(of, between.there);
      lanes_.cut(of, between.back);
    }
  }
}

partition partition::one_way(std::string_view from, std::string_view to, source where) {
  sim::network& of = world(where).network();
  partition made;
  static_cast<void>(of.link(from, to, where));
  made.lanes_.cut(of, *of.lane_between(of.at(from, where), of.at(to, where)));
  return made;
}

}  // namespace lockstep
