#include <lockstep/sim/link.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lockstep::sim {

struct lane::domains {
  explicit domains(const std::string& name)
      : latency(name), mishaps{choice_domain(name + " loss"), choice_domain(name + " segment loss"),
                               choice_domain(name + " duplicate"), choice_domain(name + " corrupt")} {}

  choice_domain latency;
  choice_domain mishaps[4];
};

lane::lane(const std::string& from, const std::string* to, std::shared_ptr<const lane_traits> traits)
    : id_(), from_(from), to_(to), traits_(std::move(traits)) {
  id_ = domain_identity(name());
  see_if_plain();
}

lane::~lane() = default;

std::string lane::name() const { return from_ + " -> " + (to_ != nullptr ? *to_ : "itself"); }

void lane::set_traits(const lane_traits& traits) {
  detail::touch(id_, access::write);
  traits_ = std::make_shared<const lane_traits>(traits);
  see_if_plain();
  for (traveller& each : travellers_) each.lane_changed();
}

const lane::domains& lane::picks() {
  if (domains_ == nullptr) domains_ = std::make_unique<const domains>(name());
  return *domains_;
}

bool lane::queue_is_full(time_point now, std::uint64_t bytes) const noexcept {
  if (traits_->queue_bytes == 0 || traits_->bytes_per_second == 0 || busy_until_ <= now) return false;
  __extension__ using wide = unsigned __int128;
  constexpr wide second_in_ns = 1'000'000'000;
  const auto rest = static_cast<wide>((busy_until_ - now).count());
  const wide waiting = rest * traits_->bytes_per_second / second_in_ns;
  return waiting + bytes > traits_->queue_bytes;
}

duration lane::latency_of(loop& owner, std::uint64_t bytes) {
  duration taken = traits_->latency_min;
  if (const auto spread = traits_->latency_max - traits_->latency_min; spread > duration::zero()) {
    taken += duration(
        static_cast<duration::rep>(owner.pick(picks().latency, static_cast<std::uint64_t>(spread.count()) + 1)));
  }
  if (traits_->bytes_per_second != 0) {
    constexpr std::uint64_t second_in_ns = 1'000'000'000;  // a packet is short, so that this does not overflow
    const auto ns = static_cast<duration::rep>(bytes * second_in_ns / traits_->bytes_per_second);
    busy_until_ = saturating_add(std::max(busy_until_, owner.now()), duration(ns));
    taken = saturating_add(taken, busy_until_ - owner.now());
  }
  if (clogged_until_ > owner.now()) {
    ++made_late_;
    taken = saturating_add(taken, clogged_until_ - owner.now());
  }
  return taken;
}

std::size_t lane::frozen() noexcept {
  std::size_t sum = 0;
  if (!cut()) return sum;
  for (const traveller& each : travellers_) sum += each.frozen();
  return sum;
}

void lane::clog(time_point until) noexcept {
  was_clogged_ = true;
  plain_ = false;
  clogged_until_ = std::max(clogged_until_, until);
  for (traveller& each : travellers_) made_late_ += each.lane_clogged(clogged_until_);
}

bool lane::draws(loop& owner, mishap what, std::uint64_t one_in) {
  if (one_in <= 1) return one_in == 1;
  return owner.pick(picks().mishaps[static_cast<std::size_t>(what)], one_in) == 1;
}

void lane::add_cut() noexcept {
  detail::touch(id(), access::write);
  if (cuts_++ != 0) return;
  plain_ = false;
  // Those that are lost by it leave the list.
  intrusive_list<traveller, traveller> under_way;
  under_way.splice_back(travellers_);
  while (!under_way.empty()) {
    traveller& next = under_way.pop_front();
    travellers_.push_back(next);
    stopped_ += next.lane_cut();
  }
}

void lane::heal() noexcept {
  detail::touch(id(), access::write);
  if (--cuts_ != 0) return;
  see_if_plain();
  // Whoever sets out again stays in the list; what arrives at once may end others, so each is looked up anew.
  intrusive_list<traveller, traveller> waiting;
  waiting.splice_back(travellers_);
  while (!waiting.empty()) {
    traveller& next = waiting.pop_front();
    travellers_.push_back(next);
    next.lane_healed();
  }
}

template <class F>
link& link::change(const F& how) {
  for (lane* const each : {&there, &back}) {
    lane_traits changed = each->traits();
    how(changed);
    each->set_traits(changed);
  }
  return *this;
}

link& link::latency(duration shortest, duration longest, source where) {
  if (shortest < duration::zero() || longest < shortest) {
    detail::here().owner->misused(fmt::format("a latency of {} to {}: it must not be negative, and the longest not "
                                              "below the shortest",
                                              to_text(shortest), to_text(longest)),
                                  where);
  }
  return change([&](lane_traits& of) {
    of.latency_min = shortest;
    of.latency_max = longest;
  });
}

link& link::bandwidth(std::uint64_t bytes_per_second) {
  return change([&](lane_traits& of) { of.bytes_per_second = bytes_per_second; });
}

link& link::queue(std::uint64_t bytes) {
  return change([&](lane_traits& of) { of.queue_bytes = bytes; });
}

link& link::mtu(std::uint32_t bytes, source where) {
  constexpr std::uint32_t least = 68;
  constexpr std::uint32_t most = 65'535;
  if (bytes < least || bytes > most) {
    detail::here().owner->misused(fmt::format("an MTU of {}; it is {} to {} bytes", bytes, least, most), where);
  }
  return change([&](lane_traits& of) { of.mtu = bytes; });
}

link& link::segments(std::uint32_t bytes) {
  return change([&](lane_traits& of) { of.segment_bytes = bytes; });
}

link& link::loss(std::uint64_t one_in) {
  return change([&](lane_traits& of) { of.loss = one_in; });
}

link& link::duplicate(std::uint64_t one_in) {
  return change([&](lane_traits& of) { of.duplicate = one_in; });
}

link& link::corrupt(std::uint64_t one_in, bool payload) {
  return change([&](lane_traits& of) {
    of.corrupt = one_in;
    of.corrupt_payload = payload;
  });
}

fault link::reset_after(std::uint64_t bytes, source where) {
  loop& owner = *detail::here().owner;
  if (bytes == 0) owner.misused("a connection cannot be reset after no byte", where);
  if (there.breaker() != nullptr) owner.misused("there is such a fault on this link already", where);
  fault_terms terms{{}, where, there.name()};
  terms.over = this;
  terms.effect = {fault_effect::kind::reset, ECONNRESET, 0, {}, bytes};
  return fault(std::move(terms));
}

}  // namespace lockstep::sim
