#include <lockstep/sim/tcp_connection.hpp>

#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/tcp_socket.hpp>

#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

namespace lockstep::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// net.ipv4.tcp_retries2 is 15: the sum of the retransmission timeouts from 200 ms to 120 s.
constexpr duration retransmission_limit = milliseconds(924'600);
// net.ipv4.tcp_orphan_retries counts as 8.
constexpr duration orphan_limit = milliseconds(102'200);
// Of the timeouts of a SYN, which double from 1 s, but for the first: net.ipv4.tcp_syn_linear_timeouts is 4.
constexpr int doublings = 6;
constexpr int linear_timeouts = 4;
constexpr duration longest_timeout = seconds(120);
// net.ipv4.tcp_synack_retries is 5.
constexpr duration syn_ack_limit = seconds(63);
constexpr duration time_wait = seconds(60);

// So many timeouts, each of which is twice the one before.
duration doubled_timeouts(int count) noexcept {
  constexpr std::int64_t first_second = 1;
  const std::int64_t doubled = (first_second << std::min(count, doublings + 1)) - 1;
  return seconds(doubled) + std::max(count - doublings - 1, 0) * longest_timeout;
}

// When it is sent for the `count`-th time again.
duration syn_again(int count) noexcept {
  return seconds(std::min(count, linear_timeouts)) + doubled_timeouts(std::max(count - linear_timeouts, 0));
}

// The first of these times at which as many timeouts have passed as `retries` are, if each were twice the one before.
// Source: tcp_write_timeout() and retransmits_timed_out() in net/ipv4/tcp_timer.c of Linux 6.18.
duration syn_limit(int retries) noexcept {
  int count = 1;
  while (syn_again(count) < doubled_timeouts(retries + 1)) ++count;
  return syn_again(count);
}

}  // namespace

// -- an end -----------------------------------------------------------------------------------------------------------

void tcp_end::begin(host& where, const port_claim& port, phase at) {
  host_ = &where;
  phase_ = at;
  port_.claim = port;
  detail::touch(where.ports_id(), access::update);
  where.ports().add(port_);
}

void tcp_end::tell(unsigned events) noexcept {
  if (owner_ != nullptr) owner_->notify(events);
}

void tcp_end::state_changed() noexcept {
  if (owner_ != nullptr) owner_->state_changed();
}

void tcp_end::data_arrived() {
  if (mirrors_) [[unlikely]]
    return mirror();
  tell(POLLIN | POLLPRI);
}

void tcp_end::mirror() {
  std::vector<std::byte> all(in().available());
  const bool urgent = in().before_urgent() == all.size() - 1;
  in().peek(all, 0);
  in().drop(all.size());
  in().transmit();
  out_.write(all);
  if (urgent) out_.mark_urgent();
  out_.transmit();
  out_.keep();
}

void tcp_end::refuses_data() {
  const tcp_connection::keeper alive(of_);
  if (owner_ != nullptr || listener_ != nullptr) {
    fail(ECONNRESET);
  } else {
    close_both();
  }
  if (peer_.phase_ != phase::closed) out_.send_reset(tcp_way::mark_kind::answering_reset);
}

void tcp_end::acknowledged() {
  if (owner_ != nullptr && owner_->becomes_writable()) owner_->notify(POLLOUT);
}

void tcp_end::fin_arrived() {
  reads_shut_ = true;
  if (mirrors_) return shut(false, true);
  state_changed();
  if (!out_.fin_arrived()) return;
  // Both have said that no more comes, and heard it. The port is this one's for a while, as it was the first.
  if (phase_ == phase::established) {
    close_both();
    detail::touch(host_->ports_id(), access::update);
    host_->ports().keep(port_.claim, saturating_add(of_.of().owner().now(), time_wait));
    state_changed();
  }
  if (peer_.phase_ == phase::established) {
    peer_.close_both();
    peer_.state_changed();
  }
}

void tcp_end::close_both() noexcept {
  phase_ = phase::closed;
  reads_shut_ = writes_shut_ = true;
  if (owner_ == nullptr || !owner_->keeps_port()) leave_port();
}

// Who comes and who goes in which order, nobody can tell; only who claims a port meanwhile.
void tcp_end::leave_port() noexcept {
  if (!port_.linked()) return;
  detail::touch(host_->ports_id(), access::update);
  port_.unlink();
}

void tcp_end::fail(int error) {
  const tcp_connection::keeper alive(of_);
  if (phase_ == phase::closed) return;
  if (phase_ == phase::syn_received && listener_ != nullptr) listener_->forgets(*this);
  error_ = error;
  close_both();
  out_.abandon();
  if (peer_.phase_ == phase::established) peer_.out_.see_to_patience();
  state_changed();
}

void tcp_end::reset_arrived() {
  if (phase_ == phase::syn_sent) return fail(ECONNREFUSED);
  fail(in().fin_arrived() ? EPIPE : ECONNRESET);
}

void tcp_end::refusal_arrived() { fail(ECONNREFUSED); }

void tcp_end::syn_arrived() {
  if (host_ == nullptr) return;
  tcp_socket* const listener = host_->find_listener(local(), peer_.local());
  if (listener == nullptr && peer_.host_ == host_ && peer_.local() == local()) {
    mirrors_ = true;
    phase_ = phase::established;
    out_.send(tcp_way::mark_kind::syn_ack);
  } else if (listener == nullptr) {
    close_both();
    out_.send(tcp_way::mark_kind::refusal);
  } else if (!listener->has_room()) {
    of_.retry_later();
  } else {
    out_.begin_afresh();
    reads_shut_ = writes_shut_ = false;
    begin(*host_, listener->as_child(local()), phase::syn_received);
    listener->receives(*this);
    out_.send(tcp_way::mark_kind::syn_ack);
  }
}

void tcp_end::syn_ack_arrived() {
  if (phase_ != phase::syn_sent) return out_.send_reset(tcp_way::mark_kind::answering_reset);
  phase_ = phase::established;
  out_.wait_anew();
  tell(POLLOUT);
  out_.send(tcp_way::mark_kind::handshake_ack);
  out_.transmit();
  if (peer_.mirrors_ && writes_shut_) out_.finish();
}

void tcp_end::handshake_ack_arrived() {
  if (phase_ != phase::syn_received) return;
  if (fault_list& faults = of_.of().faults(); !faults.empty()) [[unlikely]] {
    attempted_call call{op::accept, *host_, local(), host_};
    call.may_fail = false;
    call.may_take_time = true;
    const fault_effect due = faults.ask(call);
    if (due.what == fault_effect::kind::slow) return of_.hold_handshake(due.delay);
  }
  complete_handshake();
}

void tcp_end::complete_handshake() {
  if (phase_ != phase::syn_received) return;
  phase_ = phase::established;
  out_.wait_anew();
  if (writes_shut_) out_.finish();
  if (listener_ != nullptr) listener_->notify(POLLIN | POLLPRI);
}

void tcp_end::shut(bool reads, bool writes) {
  reads_shut_ |= reads;
  writes_shut_ |= writes;
  if (writes && !out_.finished()) out_.finish();
  if (reads || writes) tell(POLLIN | POLLRDHUP | (reads_shut_ && writes_shut_ ? POLLHUP | POLLOUT : 0u));
}

void tcp_end::orphan(bool aborted) {
  const tcp_connection::keeper alive(of_);
  detail::touch(of_.id(), access::write);
  owner_ = listener_ = nullptr;
  if (phase_ == phase::closed) return leave_port();
  const bool unread = in().available() != 0;
  in().drop_all();
  if (aborted || unread || phase_ == phase::syn_sent || phase_ == phase::syn_received) {
    const bool peer_knows = peer_.phase_ != phase::unborn;
    close_both();
    if (peer_knows) {
      out_.send_reset();
    } else {
      out_.abandon();
    }
    return;
  }
  shut(true, true);
  out_.wait_anew();
}

void tcp_end::vanish() {
  const tcp_connection::keeper alive(of_);
  if (phase_ == phase::unborn) return;
  if (listener_ != nullptr) listener_->forgets(*this);
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->loses_connection();
  in().drop_all();
  if (phase_ == phase::closed) return leave_port();
  close_both();
  out_.abandon();
}

std::uint8_t tcp_end::state() const noexcept {
  if (phase_ == phase::closed || phase_ == phase::unborn) return TCP_CLOSE;
  if (phase_ == phase::syn_sent) return TCP_SYN_SENT;
  if (phase_ == phase::syn_received) return TCP_SYN_RECV;
  const bool peer_finished = in().fin_arrived();
  if (!writes_shut_) return peer_finished ? TCP_CLOSE_WAIT : TCP_ESTABLISHED;
  if (peer_finished) return TCP_LAST_ACK;
  return out_.fin_arrived() ? TCP_FIN_WAIT2 : TCP_FIN_WAIT1;
}

void tcp_end::set_patience(const tcp_patience& how) noexcept {
  patience_ = how;
  out_.wait_anew();
}

time_point tcp_end::gives_up_at() const noexcept {
  const duration wanted = patience_.user_timeout;
  if (phase_ == phase::syn_sent) {
    const duration limit = syn_limit(patience_.syn_retries);
    const duration first_timeout = seconds(1);
    return saturating_add(of_.began(), has_user_timeout() ? std::min(limit, std::max(wanted, first_timeout)) : limit);
  }
  if (phase_ == phase::syn_received) return saturating_add(of_.of().owner().now(), syn_ack_limit);
  const duration limit = has_user_timeout() ? wanted : is_orphan() ? orphan_limit : retransmission_limit;
  return saturating_add(of_.of().owner().now(), limit);
}

// Each question that was answered so far began the time anew.
time_point tcp_end::asks_at() const noexcept {
  if (out_.unacknowledged() != 0) return saturating_add(of_.of().owner().now(), tcp_way::first_timeout);
  if (patience_.questions == 0 || phase_ != phase::established) return time_point::max();
  const duration silent = of_.of().owner().now() - in().heard_at();
  const duration idle = patience_.idle;
  return saturating_add(in().heard_at(), (silent / idle + 1) * idle);
}

// As many questions as were asked for; or with a user timeout, as many as come before that, and one at least.
time_point tcp_end::finds_dead_at() const noexcept {
  const time_point first = asks_at();
  const duration interval = patience_.interval;
  if (first == time_point::max() || !has_user_timeout()) return saturating_add(first, interval * patience_.questions);
  const duration left = duration(patience_.user_timeout) - duration(patience_.idle);
  const std::int64_t questions = std::max<std::int64_t>((left + interval - duration(1)) / interval, 1);
  return saturating_add(first, interval * questions);
}

// -- both -------------------------------------------------------------------------------------------------------------

tcp_connection::tcp_connection(network& of, identity id) noexcept
    : timer(&retry, cause::event), network_(of), id_(id), there_(of.owner(), of.memory(), client_, server_),
      back_(of.owner(), of.memory(), server_, client_), client_(*this, server_, there_),
      server_(*this, client_, back_) {
  of.add(*this);
}

tcp_connection::~tcp_connection() {
  stop();
  client_.leave_port();
  server_.leave_port();
  list_hook<tcp_connection>::unlink();
}

void tcp_connection::stop() noexcept {
  there_.stop();
  back_.stop();
  if (timer::armed()) network_.owner().timers().disarm(*this);
}

void tcp_connection::connect(host& from, host* to) {
  const keeper alive(*this);
  began_ = network_.owner().now();
  if (to == nullptr) {
    network_.owner().timers().arm(*this, saturating_add(began_, address_limit));
    return;
  }
  begin_ways(from, *to);
  there_.send(tcp_way::mark_kind::syn);
}

void tcp_connection::begin_ways(host& from, host& to) {
  there_.begin_on(network_.lane_between(from, to));
  back_.begin_on(network_.lane_between(to, from));
}

void tcp_connection::connect_badly(host& from, host* to, const fault_effect& fault) {
  began_ = network_.owner().now();
  duration after = client_.gives_up_at() - began_;
  if (to != nullptr) begin_ways(from, *to);
  if (fault.what == fault_effect::kind::slow) {
    after = fault.delay;
  } else if (fault.what == fault_effect::kind::hang) {
    hung_by_ = fault.number;
    return retry(*this);
  } else if (fault.error == ETIMEDOUT) {
    planned_error_ = ETIMEDOUT;
  } else {
    planned_error_ = fault.error;
    after = {};
    if (to != nullptr) {
      after = network_.lane_between(from, *to)->latency_of(network_.owner(), 0);
      after += network_.lane_between(*to, from)->latency_of(network_.owner(), 0);
    }
  }
  if (fault.what != fault_effect::kind::slow)
    there_.lose(tcp_way::mark_kind::syn, planned_error_ == ECONNREFUSED ? "" : "fault");
  network_.owner().timers().arm(*this, saturating_add(began_, after));
}

void tcp_connection::hold_handshake(duration length) {
  if (timer::armed()) network_.owner().timers().disarm(*this);
  held_ = true;
  network_.owner().timers().arm(*this, saturating_add(network_.owner().now(), length));
}

void tcp_connection::retry_later() {
  duration after = syn_again(++tries_);
  while (saturating_add(began_, after) < network_.owner().now()) after = syn_again(++tries_);
  if (timer::armed()) network_.owner().timers().disarm(*this);
  const time_point next = std::min(saturating_add(began_, after), client_.gives_up_at());
  network_.owner().timers().arm(*this, std::max(next, network_.owner().now()));
}

void tcp_connection::retry(timer& due) noexcept {
  auto& self = static_cast<tcp_connection&>(due);
  const keeper alive(self);
  if (std::exchange(self.held_, false)) return self.server_.complete_handshake();
  if (self.client_.at() != tcp_end::phase::syn_sent) return;
  if (self.planned_error_ == ECONNREFUSED) self.back_.pretend(tcp_way::mark_kind::refusal);
  if (self.planned_error_ != 0) return self.client_.fail(std::exchange(self.planned_error_, 0));
  if (self.tries_ != 0 && self.network_.owner().now() >= self.client_.gives_up_at()) {
    self.client_.timed_out();
  } else if (self.hung_by_ != 0 && self.network_.faults().is_in_force(self.hung_by_)) {
    self.there_.lose(tcp_way::mark_kind::syn, "fault");
    self.retry_later();
  } else if (self.server_.where() == nullptr) {
    self.client_.fail(EHOSTUNREACH);
  } else {
    self.there_.send(tcp_way::mark_kind::syn);
  }
}

void tcp_connection::end_if_over() noexcept {
  const auto is_over = [](const tcp_end& end) {
    return end.owner_ == nullptr && end.listener_ == nullptr &&
           (end.phase_ == tcp_end::phase::closed || end.phase_ == tcp_end::phase::unborn);
  };
  if (kept_ == 0 && is_over(client_) && is_over(server_)) delete this;
}

}  // namespace lockstep::sim
