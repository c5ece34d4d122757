#include <lockstep/sim/partition.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lockstep {

partition::partition(std::string_view one, std::string_view other, source where)
    : partition(std::vector{one}, std::vector{other}, where) {}

partition::partition(const std::vector<std::string_view>& these, const std::vector<std::string_view>& those,
                     source where) {
  sim::network& of = world(where).network();
  if (these.empty() || those.empty()) of.owner().misused("a partition has hosts on both sides", where);
  std::vector<sim::link*> between;
  for (const std::string_view one : these) {
    for (const std::string_view other : those) between.push_back(&of.link(one, other, where));
  }
  made_ = std::make_unique<sim::lane_disturbance>(
      of, fmt::format("partition {} | {}", fmt::join(these, ", "), fmt::join(those, ", ")), where);
  for (sim::link* const each : between) made_->cut(*each);
}

partition::partition(std::unique_ptr<sim::lane_disturbance> made) noexcept : made_(std::move(made)) {}

partition::~partition() = default;

partition partition::one_way(std::string_view from, std::string_view to, source where) {
  sim::network& of = world(where).network();
  static_cast<void>(of.link(from, to, where));
  auto made = std::make_unique<sim::lane_disturbance>(of, fmt::format("partition {} -> {}", from, to), where);
  made->cut(*of.lane_between(of.at(from, where), of.at(to, where)));
  return partition(std::move(made));
}

partition& partition::may_not_fire() & noexcept {
  if (made_ != nullptr) made_->may_not_fire();
  return *this;
}

void partition::heal() noexcept {
  if (made_ != nullptr) made_->end();
}

std::uint64_t partition::fired() const noexcept { return made_ != nullptr ? made_->fired() : 0; }

}  // namespace lockstep
