#include <lockstep/explore/pilot.hpp>

#include <lockstep/base/hash.hpp>

#include <cmath>

namespace lockstep {

namespace {

constexpr std::uint64_t tasks_of_a_pilot = hash_of("lockstep: tasks of a pilot");

}  // namespace

void pilot_sampler::begin_run() {
  by_steps_ = !by_steps_;
  left_.begin_run(known_);
  made_ = 0;
  uniform_ = of_steps_ = 0;
}

std::size_t pilot_sampler::draw_task(const candidates& from) {
  const std::uint64_t total = left_.see(from);
  const std::uint64_t drawn = draw(seed_, tasks_of_a_pilot, ++made_);
  const std::size_t picked = by_steps_ ? left_.at(bounded(drawn, total))
                                       : static_cast<std::size_t>(bounded(drawn, std::uint64_t{from.size()}));
  uniform_ -= std::log2(static_cast<double>(from.size()));
  of_steps_ += std::log2(static_cast<double>(left_.of(picked)) / static_cast<double>(total));
  return picked;
}

double pilot_sampler::weight() const noexcept { return 2 / (std::exp2(uniform_) + std::exp2(of_steps_)); }

}  // namespace lockstep
