#include <lockstep/sim/clog.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace lockstep {

namespace {

std::vector<sim::lane*> lanes_of(std::string_view host, const source& where) {
  sim::network& of = world(where).network();
  sim::host& who = of.at(host, where);
  std::vector<sim::lane*> all;
  for (const auto& other : of.hosts()) {
    if (other.get() == &who) continue;
    sim::link& way = of.between(who, *other, where);
    all.push_back(&way.there);
    all.push_back(&way.back);
  }
  return all;
}

}  // namespace

black_hole::black_hole(std::string_view target, source where) {
  if (target.find(':') != std::string_view::npos) {
    connecting_.emplace(on(op::connect, where).to(target).forever().hang());
    return;
  }
  for (sim::lane* const each : lanes_of(target, where)) lanes_.cut(world(where).network(), *each);
}

void clog(std::string_view host, duration length, source where) {
  loop& owner = *detail::here().owner;
  detail::touch(everything, access::write);
  owner.note("clog", fmt::format("\"{}\" for {}", host, to_text(length)));
  for (sim::lane* const each : lanes_of(host, where)) each->clog(saturating_add(owner.now(), length));
}

task<void> swizzle(std::vector<std::string> hosts, duration within, source where) {
  struct clogging {
    std::string host;
    duration from;
    duration length;
  };
  loop& owner = *detail::here().owner;
  const auto pick = [&owner](const std::string& host, const char* what, duration longest) {
    const auto options = static_cast<std::uint64_t>(longest.count()) + 1;
    return duration(static_cast<duration::rep>(owner.pick(fmt::format("swizzle {} {}", host, what), options)));
  };
  std::vector<clogging> all;
  for (const std::string& each : hosts) {
    if (owner.pick(fmt::format("swizzle {}", each), 2) == 0) continue;
    const duration from = pick(each, "from", within);
    all.push_back({each, from, pick(each, "for", within - from)});
  }
  std::sort(all.begin(), all.end(), [](const clogging& one, const clogging& other) {
    return std::tie(one.from, one.host, one.length) < std::tie(other.from, other.host, other.length);
  });
  const time_point began = owner.now();
  for (const clogging& each : all) {
    co_await sleep_until(saturating_add(began, each.from));
    clog(each.host, each.length, where);
  }
  co_await sleep_until(saturating_add(began, within));
}

}  // namespace lockstep
