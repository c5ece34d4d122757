#include <lockstep/sim/port_space.hpp>

#include <lockstep/base/hash.hpp>

#include <cerrno>

namespace lockstep::sim {

namespace {

// Whether something may come to both.
bool overlap(const port_claim& one, const port_claim& other) noexcept {
  const ip_address mine = one.local.address().unmapped();
  const ip_address its = other.local.address().unmapped();
  if (mine.is_v6() != its.is_v6()) {
    const port_claim& v6 = mine.is_v6() ? one : other;
    return !v6.only_v6 && (mine.is_any() || its.is_any());
  }
  return mine.is_any() || its.is_any() || mine == its;
}

}  // namespace

bool is_for(const port_claim& claim, const ip_address& to) noexcept {
  const ip_address& local = claim.local.address();
  if (local.is_v6() == to.is_v6()) return local.is_any() || local == to;
  return local.is_v6() && !claim.only_v6 && (local.is_any() || local == to.mapped());
}

void port_space::forget_kept(time_point now) noexcept {
  for (; !kept_.empty() && kept_.front().until <= now; kept_.pop_front()) {
    if (kept_.front().linked()) kept_.front().unlink();
  }
}

void port_space::keep(const port_claim& like, time_point until) {
  kept& made = kept_.emplace_back();
  made.claim = like;
  made.until = until;
  add(made);
}

port_space::~port_space() {
  for (auto& [port, there] : holders_) {
    while (!there.empty()) there.pop_front();
  }
}

bool port_space::in_the_way(port_holder& wanted, bool to_listen) noexcept {
  holder_list* const there = find(wanted.claim.local.port());
  if (there == nullptr) return false;
  for (port_holder& other : *there) {
    if (&other == &wanted || !overlap(wanted.claim, other.claim)) continue;
    if (wanted.claim.reuse_port && other.claim.reuse_port) continue;
    const bool shared = wanted.claim.reuse_address && other.claim.reuse_address && !other.claim.listens;
    if (to_listen ? !other.claim.listens : shared) continue;
    return true;
  }
  return false;
}

int port_space::claim(port_holder& wanted, time_point now) {
  forget_kept(now);
  endpoint& local = wanted.claim.local;
  if (local.port() != 0) {
    if (in_the_way(wanted, false)) return -EADDRINUSE;
    add(wanted);
    return 0;
  }
  for (int tries = 0; tries <= highest_ - lowest_; ++tries) {
    local = local.with_port(next_ephemeral_);
    next_ephemeral_ = next_ephemeral_ == highest_ ? lowest_ : static_cast<std::uint16_t>(next_ephemeral_ + 1);
    if (holder_list* const there = find(local.port()); there != nullptr && !there->empty()) continue;
    add(wanted);
    return 0;
  }
  local = local.with_port(0);
  return -EADDRINUSE;
}

int port_space::may_listen(port_holder& holder, time_point now) noexcept {
  forget_kept(now);
  return in_the_way(holder, true) ? -EADDRINUSE : 0;
}

std::uint64_t hash_of_names(const endpoint& from, const endpoint& to) noexcept {
  std::uint64_t hash = 0;
  for (const endpoint* const each : {&from, &to}) {
    for (const std::uint8_t byte : each->address().bytes()) hash = roll(hash, byte);
    hash = roll(hash, each->port());
  }
  return hash;
}

}  // namespace lockstep::sim
