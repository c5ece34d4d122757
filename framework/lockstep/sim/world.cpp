#include <lockstep/sim/world.hpp>

#include <lockstep/runtime/inbox.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/virtual_workers.hpp>

namespace lockstep::sim {

world::world() : base_world(static_cast<driver&>(*this)) {}

world::~world() { finish_last(); }

void world::start(const world_options& options) {
  loop_limits limits;
  limits.steps_max = options.steps_max;
  limits.time_max = time_point(options.time_max);
  base_world::start(limits, options.choices, options.order, options.keep_trace, options.paused_clock);
  if (network_ != nullptr) [[unlikely]]
    network_.reset();
}

network& world::network() {
  if (network_ == nullptr) network_ = std::make_unique<sim::network>(loop());
  return *network_;
}

host& world::host(std::string name, std::vector<ip_address> addresses, source where) {
  return network().add_host(std::move(name), std::move(addresses), where);
}

host& world::host(std::string name, const ip_address& address, source where) {
  return network().add_host(std::move(name), {address}, where);
}

plain_files world::fs(std::string_view host, source where) { return {network().at(host, where), where}; }

plain_files world::fs(source where) { return {network().first_host(), where}; }

link& world::link(std::string_view one, std::string_view other, source where) {
  return network().link(one, other, where);
}

system_calls* world::system() { return &network().first_host(); }

bool world::idle(lockstep::loop& of) {
  if (of.outside().in_flight != 0) {
    of.outside().wait();
    of.take_from_outside();
    return true;
  }
  return of.clock_runs() && of.advance_to_next_deadline();
}

std::unique_ptr<executor> world::make_workers(unsigned count, std::string_view) {
  return std::make_unique<virtual_workers>(count);
}

}  // namespace lockstep::sim

namespace lockstep {

sim::world& world(source where) {
  loop& owner = *detail::here().owner;
  auto* const simulation = dynamic_cast<sim::world*>(&owner.driven_by());
  if (simulation == nullptr) owner.misused("there is no simulation in a run on the operating system", where);
  return *simulation;
}

}  // namespace lockstep
