#include <lockstep/sim/clog.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace lockstep {

black_hole::black_hole(std::string_view target, source where) {
  if (target.find(':') != std::string_view::npos) {
    connecting_.emplace(on(op::connect, where).to(target).forever().hang());
    return;
  }
  sim::network& of = world(where).network();
  sim::host& who = of.at(target, where);
  around_ = std::make_unique<sim::lane_disturbance>(of, fmt::format("black hole \"{}\"", target), where);
  around_->cut_around(who);
}

black_hole::~black_hole() = default;

std::uint64_t black_hole::fired() const noexcept {
  return connecting_ ? connecting_->fired() : around_ != nullptr ? around_->fired() : 0;
}

black_hole& black_hole::may_not_fire() & noexcept {
  if (connecting_) connecting_->may_not_fire();
  if (around_ != nullptr) around_->may_not_fire();
  return *this;
}

sim::lane_disturbance& clog(std::string_view host, duration length, source where) {
  sim::network& of = world(where).network();
  sim::host& who = of.at(host, where);
  if (length <= duration::zero())
    of.owner().misused(fmt::format("a clog lasts for a time, unlike {}", to_text(length)), where);
  detail::touch(everything, access::write);
  auto made =
      std::make_unique<sim::lane_disturbance>(of, fmt::format("clog \"{}\" for {}", host, to_text(length)), where);
  made->clog_around(who, saturating_add(of.owner().now(), length));
  return of.keep(std::move(made));
}

task<void> swizzle(std::vector<std::string> hosts, duration within, source where) {
  struct clogging {
    std::string host;
    duration from;
    duration length;
  };
  sim::network& of = world(where).network();
  loop& owner = of.owner();
  for (const std::string& each : hosts) of.at(each, where);
  if (hosts.empty()) owner.misused("a swizzle is of one host at least", where);
  if (within <= duration::zero()) {
    owner.misused(fmt::format("a swizzle lasts for a time, unlike {}", to_text(within)), where);
  }
  const auto pick = [&owner](const std::string& host, const char* what, duration longest) {
    const auto options = static_cast<std::uint64_t>(longest.count()) + 1;
    return duration(static_cast<duration::rep>(owner.pick(fmt::format("swizzle {} {}", host, what), options)));
  };
  std::vector<clogging> all;
  for (const std::string& each : hosts) {
    if (owner.pick(fmt::format("swizzle {}", each), 2) == 0) continue;
    const duration from = pick(each, "from", within);
    const duration length = pick(each, "for", within - from);
    if (length > duration::zero()) all.push_back({each, from, length});
  }
  std::sort(all.begin(), all.end(), [](const clogging& one, const clogging& other) {
    return std::tie(one.from, one.host, one.length) < std::tie(other.from, other.host, other.length);
  });
  const time_point began = owner.now();
  for (const clogging& each : all) {
    co_await sleep_until(saturating_add(began, each.from));
    clog(each.host, each.length, where).may_not_fire();
  }
  co_await sleep_until(saturating_add(began, within));
}

}  // namespace lockstep
