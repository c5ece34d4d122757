#include <lockstep/sim/tcp_way.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/tcp_connection.hpp>

#include <algorithm>
#include <utility>

namespace lockstep::sim {

namespace {

bool is_of_handshake(tcp_way::mark_kind kind) noexcept {
  return kind == tcp_way::mark_kind::syn || kind == tcp_way::mark_kind::syn_ack;
}

}  // namespace

tcp_way::~tcp_way() { stop(); }

void tcp_way::begin_on(lane* over) noexcept {
  over_ = over;
  if (over_ != nullptr) over_->join(*this);
}

void tcp_way::stop() noexcept {
  stopped_ = true;
  disarm();
  stop_waiting();
  if (list_hook<traveller>::linked()) list_hook<traveller>::unlink();
}

// -- setting out ------------------------------------------------------------------------------------------------------

void tcp_way::send_on() {
  const std::uint64_t window_end = read_ + to_.receive_buffer();
  while (transmitted_ < written_ && transmitted_ < window_end) {
    std::uint64_t up_to = std::min(written_, window_end);
    if (over_ != nullptr && !over_->plain()) {
      const lane_traits& traits = over_->traits();
      if (traits.bytes_per_second != 0) up_to = std::min(up_to, transmitted_ + traits.mtu);
      if (traits.segment_bytes != 0) up_to = std::min(up_to, transmitted_ + traits.segment_bytes);
    }
    const std::uint64_t bytes = up_to - std::exchange(transmitted_, up_to);
    set_out(mark_kind::data, up_to, bytes);
  }
  if (finished_ && !fin_transmitted_ && transmitted_ == written_) {
    fin_transmitted_ = true;
    set_out(mark_kind::fin, written_);
  }
  if (is_blocked()) [[unlikely]]
    see_to_patience();
}

void tcp_way::set_out(mark_kind kind, std::uint64_t up_to, std::uint64_t bytes) {
  if (stopped_ || over_ == nullptr) return;
  if (over_->plain() && !under_way()) [[likely]] {
    if (detail::observed()) [[unlikely]]
      detail::touch(over_->id(), access::read);
    return arrive(kind, up_to);
  }
  set_out_in_time(kind, up_to, bytes);
}

void tcp_way::set_out_in_time(mark_kind kind, std::uint64_t up_to, std::uint64_t bytes) {
  detail::touch(over_->id(), over_->traits().bytes_per_second != 0 ? access::write : access::read);
  if (!under_way() && over_->instant() && over_->traits().segment_bytes == 0 && over_->traits().loss == 0) {
    if (over_->tapped()) [[unlikely]]
      tell_sent(kind, up_to, bytes, "");
    return arrive(kind, up_to);
  }
  mark next{saturating_add(owner_.now(), over_->latency_of(owner_, bytes)), up_to, kind};
  const bool is_cut = cut();
  const bool was_lost = !is_cut && over_->draws(owner_, mishap::segment_loss, over_->traits().loss);
  if (is_cut) over_->stop_packet();
  if (over_->tapped()) [[unlikely]]
    tell_sent(kind, up_to, bytes, is_cut ? "partition" : was_lost ? "link loss" : "");
  if (was_lost) {
    const bool is_reset = kind == mark_kind::reset || kind == mark_kind::answering_reset;
    if (kind == mark_kind::refusal || (is_reset && to_.at() == tcp_end::phase::syn_sent)) {
      return from_.connection().retry_later();  // it is who connects that asks again
    }
    if (is_reset) return to_.out().see_to_patience();
    next.lost = 1;
    any_lost_ = true;
    next.arrives = saturating_add(owner_.now(), timeout_of(next));
  }
  if (kind == mark_kind::data && over_->traits().segment_bytes != 0) {
    next.arrives = std::max(next.arrives, (under_way() ? marks_.back().arrives : heard_at_) + duration(1));
  }
  marks_.push_back(next);
  if (was_lost) disarm();  // its time may be the first
  if (!is_cut && !timer::armed()) arm();
  if (is_cut || to_.out().cut() || was_lost || is_late()) see_to_patience();
  if (kind == mark_kind::syn_ack) to_.out().see_to_patience();
}

// Those whose time has come; each may be lost again, and none waits for the one before it.
void tcp_way::send_again() {
  any_lost_ = false;
  std::uint64_t begins = arrived_;
  for (std::size_t i = next_mark_; i < marks_.size(); ++i) {
    mark& each = marks_[i];
    const std::uint64_t bytes = each.kind == mark_kind::data ? each.up_to - begins : 0;
    begins = std::max(begins, each.up_to);
    any_lost_ |= each.lost != 0;
    if (each.lost == 0 || each.arrives > owner_.now()) continue;
    const bool was_lost = over_->draws(owner_, mishap::segment_loss, over_->traits().loss);
    if (over_->tapped()) [[unlikely]]
      tell(traffic::fate::sent_again, each.kind, each.up_to, bytes, was_lost ? "link loss" : "");
    if (!was_lost) {
      each.lost = 0;
      each.arrives = saturating_add(owner_.now(), over_->latency_of(owner_, bytes));
      if (over_->traits().segment_bytes != 0) each.arrives = std::max(each.arrives, heard_at_ + duration(1));
    } else {
      if (each.lost < 127) ++each.lost;
      each.arrives = saturating_add(owner_.now(), timeout_of(each));
    }
  }
}

// It doubles with each time that it was lost; of a SYN not with the first: net.ipv4.tcp_syn_linear_timeouts is 4.
duration tcp_way::timeout_of(const mark& lost) noexcept {
  constexpr int doublings_max = 10;
  constexpr int linear_timeouts = 4;
  const int doublings = lost.kind == mark_kind::syn ? std::max(lost.lost - linear_timeouts, 1) : lost.lost;
  constexpr duration longest = std::chrono::seconds(120);
  const duration first = is_of_handshake(lost.kind) ? duration(std::chrono::seconds(1)) : first_timeout;
  return std::min(first * (std::int64_t{1} << std::min(doublings - 1, doublings_max)), longest);
}

void tcp_way::send_reset(mark_kind kind) {
  abandon();
  set_out(kind, arrived_);
}

void tcp_way::abandon() noexcept {
  queue_.drop_back(static_cast<std::size_t>(written_ - arrived_));
  transmitted_ = written_ = arrived_;
  finished_ = true;
  fin_transmitted_ = true;
  marks_.clear();
  next_mark_ = 0;
  disarm();
}

// -- arriving ---------------------------------------------------------------------------------------------------------

// For the first that comes, or the first that is sent again.
void tcp_way::arm() noexcept {
  time_point next = is_lost() ? time_point::max() : marks_[next_mark_].arrives;
  if (any_lost_) [[unlikely]] {
    for (std::size_t i = next_mark_; i < marks_.size(); ++i) {
      if (marks_[i].lost != 0) next = std::min(next, marks_[i].arrives);
    }
  }
  if (next != time_point::max()) owner_.timers().arm(*this, std::max(next, owner_.now()));
}

void tcp_way::disarm() noexcept {
  if (timer::armed()) owner_.timers().disarm(*this);
}

void tcp_way::deliver() noexcept {
  const tcp_connection::keeper alive(from_.connection());
  if (any_lost_) [[unlikely]]
    send_again();
  while (under_way() && !is_lost() && marks_[next_mark_].arrives <= owner_.now() && !stopped_) {
    const mark next = marks_[next_mark_++];
    if (!under_way() || 2 * next_mark_ > marks_.size() + marks_kept) {
      marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(next_mark_));
      next_mark_ = 0;
    }
    arrive(next.kind, next.up_to);
  }
  if (under_way() && !timer::armed() && !stopped_ && !cut()) arm();
}

void tcp_way::arrive(mark_kind kind, std::uint64_t up_to) {
  heard_at_ = owner_.now();
  if (over_->tapped()) [[unlikely]]
    tell_arrived(kind, up_to);
  switch (kind) {
    case mark_kind::data:
      if (to_.discards()) [[unlikely]] {
        to_.refuses_data();
        return see_to_patience();
      }
      if (over_ != nullptr && !over_->plain() && over_->breaker() != nullptr) [[unlikely]]
        return arrive_over_broken(up_to);
      take(up_to);
      break;
    case mark_kind::fin:
      if (peer_has_gone()) [[unlikely]] {
        to_.refuses_data();
        return see_to_patience();
      }
      fin_arrived_ = true;
      if (over_->tapped()) tell_acknowledgement();
      fin_acknowledged_ = answer_comes();
      see_to_patience();
      to_.fin_arrived();
      break;
    case mark_kind::reset:
    case mark_kind::answering_reset: to_.reset_arrived(); break;
    case mark_kind::syn: to_.syn_arrived(); break;
    case mark_kind::syn_ack: to_.syn_ack_arrived(); break;
    case mark_kind::handshake_ack: to_.handshake_ack_arrived(); break;
    case mark_kind::refusal: to_.refusal_arrived(); break;
  }
}

void tcp_way::take(std::uint64_t up_to) {
  arrived_ = up_to;
  acknowledge();
  to_.data_arrived();
}

// Somebody on the way resets the connection, and tells both.
void tcp_way::arrive_over_broken(std::uint64_t up_to) {
  const tcp_connection::keeper alive(from_.connection());
  bool resets = false;
  const std::uint64_t through = over_->breaker()->lets_through(up_to - arrived_, resets);
  if (through != 0) {
    if (seen()) tell(traffic::fate::arrived, mark_kind::data, arrived_ + through, through);
    take(arrived_ + through);
  }
  if (!resets) return;
  pretend(mark_kind::reset);
  to_.out().pretend(mark_kind::reset);
  to_.reset_arrived();
  from_.reset_arrived();
}

// The answer takes the other lane, at once: how long it takes is not modelled, whether it comes is.
void tcp_way::acknowledge() {
  if (over_->tapped()) [[unlikely]]
    tell_acknowledgement();
  if (!answer_comes()) return see_to_patience();
  acknowledged_ = arrived_;
  answered();
  from_.acknowledged();
}

bool tcp_way::answer_comes() noexcept {
  if (!to_.out().cut()) return true;
  to_.out().over_->stop_packet();
  return false;
}

// -- cuts -------------------------------------------------------------------------------------------------------------

std::size_t tcp_way::lane_cut() noexcept {
  detail::touch(from_.connection().id(), access::write);
  if (seen()) tell_of_marks(traffic::fate::lost, "partition");
  disarm();
  see_to_patience();
  to_.out().see_to_patience();
  return marks_.size() - next_mark_;
}

std::size_t tcp_way::lane_clogged(time_point until) noexcept {
  std::size_t late = 0;
  for (std::size_t i = next_mark_; i < marks_.size(); ++i) {
    if (marks_[i].arrives >= until || marks_[i].lost != 0) continue;
    marks_[i].arrives = until;
    ++late;
  }
  if (late == 0) return 0;
  if (timer::armed()) {
    disarm();
    arm();
  }
  see_to_patience();
  to_.out().see_to_patience();
  return late;
}

void tcp_way::lane_changed() noexcept {
  see_to_patience();
  to_.out().see_to_patience();
}

// The answers to what has arrived on the other lane come now, too.
void tcp_way::lane_healed() noexcept {
  const tcp_connection::keeper alive(from_.connection());
  detail::touch(from_.connection().id(), access::write);
  if (seen()) tell_of_marks(traffic::fate::sent_again, {});
  tcp_way& other = from_.peer().out();
  if (has_asked() || (other.has_asked() && !other.cut())) over_->stop_packet();
  time_point arrives = owner_.now();
  std::uint64_t begins = arrived_;
  for (std::size_t i = next_mark_; i < marks_.size(); ++i) {
    const std::uint64_t bytes = marks_[i].kind == mark_kind::data ? marks_[i].up_to - begins : 0;
    begins = std::max(begins, marks_[i].up_to);
    if (over_->draws(owner_, mishap::segment_loss, over_->traits().loss)) {
      marks_[i].lost = 1;
      any_lost_ = true;
      marks_[i].arrives = saturating_add(owner_.now(), timeout_of(marks_[i]));
      continue;
    }
    marks_[i].lost = 0;
    arrives = std::max(arrives, saturating_add(owner_.now(), over_->latency_of(owner_, bytes)));
    marks_[i].arrives = arrives;
  }
  deliver();
  if (other.acknowledged_ != other.arrived_) other.acknowledge();
  other.fin_acknowledged_ = other.fin_arrived_;
  if (from_.at() == tcp_end::phase::syn_sent && to_.at() == tcp_end::phase::closed && !under_way() &&
      !other.under_way()) {
    send(mark_kind::syn);  // again, to whoever is there now
  }
  see_to_patience();
  other.see_to_patience();
}

// Of a connection that is being made, the answer is what comes back. An acknowledgement gets none, nor does a reset.
bool tcp_way::is_late() const noexcept {
  const time_point limit = from_.gives_up_at();
  const auto comes_after = [limit](const tcp_way& way) {
    return way.under_way() && way.marks_[way.next_mark_].arrives > limit;
  };
  const bool is_being_made = from_.at() == tcp_end::phase::syn_sent;
  return (awaits_answer() && (is_lost() || comes_after(*this))) ||
         (is_being_made && (to_.out().is_lost() || comes_after(to_.out())));
}

bool tcp_way::awaits_answer() const noexcept {
  const bool is_being_made = from_.at() == tcp_end::phase::syn_sent || from_.at() == tcp_end::phase::syn_received;
  return is_being_made || acknowledged_ != transmitted_ || unsent() != 0 || (fin_transmitted_ && !fin_acknowledged_);
}

bool tcp_way::peer_has_gone() const noexcept {
  return to_.at() == tcp_end::phase::closed && from_.at() == tcp_end::phase::established && !to_.out().under_way();
}

bool tcp_way::is_silent() const noexcept { return over_ != nullptr && (cut() || over_->traits().loss == 1); }

tcp_way::waiting tcp_way::waits_for() const noexcept {
  if (from_.at() == tcp_end::phase::closed || from_.at() == tcp_end::phase::unborn) return waiting::not_at_all;
  if (from_.is_orphan() && fin_acknowledged_ && !to_.out().fin_arrived_) return waiting::for_the_last_word;
  if (is_silent() || to_.out().is_silent()) return awaits_answer() ? waiting::for_an_answer : waiting::for_a_sign;
  if (peer_has_gone()) return waiting::for_a_reset;
  return is_late() || (is_blocked() && from_.has_user_timeout()) ? waiting::for_an_answer : waiting::not_at_all;
}

// Whoever has sent something, and gets no answer because a lane is cut, or takes too long, or the other end has lost
// its memory, waits for only so long.
void tcp_way::see_to_patience() noexcept {
  if (stopped_) return;
  const waiting waits = waits_for();
  if (waits == waits_) return;
  stop_waiting();
  waits_ = waits;
  if (waits == waiting::not_at_all) return;
  if (waits == waiting::for_a_sign) asks_from_ = from_.asks_at();
  if (waits == waiting::for_an_answer && is_blocked()) asks_from_ = saturating_add(owner_.now(), first_timeout);
  const time_point limit = limit_of(waits);
  if (limit == time_point::max()) return;
  if (patience_ == nullptr) {
    const sparing_allocations of_the_kernel;
    patience_ = std::make_unique<patience>(*this);
  }
  owner_.timers().arm(*patience_, std::max(limit, owner_.now()));
}

time_point tcp_way::limit_of(waiting what) const noexcept {
  constexpr duration of_last_word = std::chrono::seconds(60);  // net.ipv4.tcp_fin_timeout
  switch (what) {
    case waiting::for_an_answer: return from_.gives_up_at();
    case waiting::for_a_reset: return from_.asks_at();
    case waiting::for_a_sign: return from_.finds_dead_at();
    case waiting::for_the_last_word: return saturating_add(owner_.now(), of_last_word);
    case waiting::not_at_all: break;
  }
  return time_point::max();
}

bool tcp_way::has_asked() const noexcept { return owner_.now() >= asks_from_; }

void tcp_way::answered() noexcept {
  if (waits_ == waiting::not_at_all && !under_way() && !is_blocked()) [[likely]]
    return;
  wait_anew();
}

void tcp_way::stop_waiting() noexcept {
  if (patience_ != nullptr && patience_->armed()) owner_.timers().disarm(*patience_);
  waits_ = waiting::not_at_all;
  asks_from_ = time_point::max();
}

void tcp_way::lose_patience() noexcept {
  const tcp_connection::keeper alive(from_.connection());
  const waiting waited = std::exchange(waits_, waiting::not_at_all);
  if (waited == waiting::for_a_reset) {
    to_.refuses_data();
    return see_to_patience();
  }
  if (has_asked() && cut()) {
    over_->stop_packet();
  } else if (has_asked()) {
    answer_comes();
  }
  asks_from_ = time_point::max();
  from_.timed_out();
}

}  // namespace lockstep::sim
