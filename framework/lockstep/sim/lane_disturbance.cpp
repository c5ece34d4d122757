#include <lockstep/sim/lane_disturbance.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep::sim {

lane_disturbance::lane_disturbance(network& of, std::string text, source where)
    : of_(&of), text_(std::move(text)), where_(where) {
  for (lane_disturbance& each : of.disturbances()) each.settle();
  of.add(*this);
  of.owner().note("network", text_);
}

void lane_disturbance::cut_around(host& who) {
  around_ = &who;
  of_->for_links_of(who, [this](link& each) { cut(each); });
}

void lane_disturbance::clog_around(host& who, time_point until) {
  clogged_until_ = until;
  cut_around(who);
}

void lane_disturbance::link_made(link& made, const host& one, const host& other) {
  const bool is_over = clogged_until_ && *clogged_until_ <= of_->owner().now();
  if ((around_ == &one || around_ == &other) && !is_over) cut(made);
}

void lane_disturbance::cut(link& both_ways) {
  cut(both_ways.there);
  cut(both_ways.back);
}

// In the way that it is one for.
void lane_disturbance::cut(lane& one) {
  lanes_.push_back({&one, met_on(one) - (clogged_until_ ? 0 : one.frozen())});
  if (clogged_until_) {
    one.clog(*clogged_until_);
  } else {
    one.add_cut();
  }
}

std::uint64_t lane_disturbance::met_on(const lane& one) const noexcept {
  return clogged_until_ ? one.made_late() : one.stopped();
}

std::uint64_t lane_disturbance::fired() const noexcept { return over_ ? *over_ : count(); }

std::uint64_t lane_disturbance::count() const noexcept {
  std::uint64_t sum = 0;
  for (const met& each : lanes_) {
    detail::touch(each.with->id(), access::write);  // its packets count
    sum += met_on(*each.with) - each.before;
  }
  return sum;
}

void lane_disturbance::end() noexcept {
  if (of_ == nullptr) return;
  if (!clogged_until_) {
    for (const met& each : lanes_) each.with->heal();
  }
  judge(false);
  of_->owner().note("network", text_ + " is over");
  part();
}

void lane_disturbance::settle() noexcept {
  if (!over_ && clogged_until_ && *clogged_until_ <= of_->owner().now()) over_ = count();
}

void lane_disturbance::judge(bool run_has_ended) noexcept {
  if (std::exchange(may_not_fire_, true) || fired() != 0) return;
  std::string text = fmt::format("{} never fired: no packet met with it; if that may be, say may_not_fire()", text_);
  of_->faults().report_unfired(std::move(text), where_, run_has_ended);
}

// Its lanes may go before it.
void lane_disturbance::part() noexcept {
  if (of_ == nullptr) return;
  over_ = fired();
  of_ = nullptr;
  unlink();
}

}  // namespace lockstep::sim
