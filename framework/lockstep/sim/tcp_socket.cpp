#include <lockstep/sim/tcp_socket.hpp>

#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/socket_name.hpp>

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <algorithm>
#include <cstring>

namespace lockstep::sim {

tcp_socket::tcp_socket(host& of, identity id, bool v6, int status_flags)
    : socket(id, status_flags), v6_(v6), options_(socket_class::tcp, v6), host_(of) {
  of.set_buffers_of(options_);
  if (v6) holder_.claim.local = endpoint(ip_address::any_v6(), 0);
}

// -- names ------------------------------------------------------------------------------------------------------------

int tcp_socket::bind(const sockaddr* address, socklen_t size) {
  touch();
  const int family = v6_ ? AF_INET6 : AF_INET;
  if (size < (v6_ ? 24u : sizeof(sockaddr_in))) return -EINVAL;
  if (address->sa_family != family) return v6_ || address->sa_family != AF_UNSPEC ? -EAFNOSUPPORT : -EINVAL;
  const std::optional<endpoint> wanted = endpoint::from(address, size);
  if (!wanted) return -EINVAL;
  if (wanted->address().is_v4_mapped() && options_.on(option::only_v6)) return -EINVAL;
  if (!host_.may_bind(wanted->address())) return -EADDRNOTAVAIL;
  if (wanted->port() != 0 && wanted->port() < port_space::first_unprivileged && !host_.privileged()) return -EACCES;
  if (has_port()) return -EINVAL;
  const std::uint16_t shown = end_ != nullptr ? end_->local().port() : holder_.claim.local.port();
  holder_.claim.local = *wanted;
  const int claimed = claim_port();
  if (claimed != 0) {
    holder_.claim.local = endpoint(any(), shown);
    lost_name_ = true;
    return claimed;
  }
  bound_address_ |= !wanted->address().is_any();
  options_.bound_to(wanted->address());
  bound_port_ |= wanted->port() != 0;
  return 0;
}

// One that was chosen for a connection goes with it, though it is shown still.
bool tcp_socket::has_port() const noexcept {
  return holder_.linked() || (end_ != nullptr && (end_->at() != tcp_end::phase::closed || bound_port_));
}

int tcp_socket::claim_port() {
  detail::touch(host_.ports_id(), access::write);
  holder_.claim.only_v6 = v6_ && (options_.on(option::only_v6) || is_only_v6(holder_.claim.local.address()));
  holder_.claim.reuse_address = options_.on(option::reuse_address);
  holder_.claim.reuse_port = options_.on(option::reuse_port);
  return host_.ports().claim(holder_, host_.now());
}

void tcp_socket::leave_port() noexcept {
  if (!holder_.linked()) return;
  detail::touch(host_.ports_id(), access::update);
  holder_.unlink();
}

int tcp_socket::local_name(sockaddr* address, socklen_t* size) const {
  const bool of_end = end_ != nullptr && !holder_.linked() && !lost_name_;
  return write_name(of_end ? end_->local() : holder_.claim.local, v6_, address, size);
}

int tcp_socket::peer_name(sockaddr* address, socklen_t* size) const {
  if (end_ == nullptr || end_->at() != tcp_end::phase::established) return -ENOTCONN;
  return write_name(end_->peer().local(), v6_, address, size);
}

int tcp_socket::accepted_name(sockaddr* address, socklen_t* size) const {
  return write_name(end_->peer().local(), v6_, address, size);
}

std::string tcp_socket::described() const {
  if (end_ == nullptr) {
    const char* const what = phase_ == phase::listening ? "listening tcp socket" : "tcp socket";
    return holder_.claim.local.port() == 0 ? what : fmt::format("{} {}", what, holder_.claim.local.text());
  }
  return fmt::format("tcp socket {} -> {}", end_->local().text(), end_->peer().local().text());
}

// -- listening --------------------------------------------------------------------------------------------------------

int tcp_socket::listen(int backlog) {
  touch();
  if (phase_ != phase::fresh && phase_ != phase::listening) return -EINVAL;
  if (phase_ == phase::fresh) {
    if (!holder_.linked()) holder_.claim.local = endpoint(holder_.claim.local.address(), 0);
    const int claimed = holder_.linked() ? host_.ports().may_listen(holder_, host_.now()) : claim_port();
    if (claimed != 0) return claimed;
    queue_ = std::make_unique<accept_queue>();
    holder_.claim.listens = true;
    host_.listens(*this, true);
    phase_ = phase::listening;
  }
  queue_->backlog = static_cast<std::size_t>(backlog < 0 || backlog > host_.somaxconn() ? host_.somaxconn() : backlog);
  return 0;
}

port_claim tcp_socket::as_child(const endpoint& local) const noexcept {
  port_claim child = holder_.claim;
  child.local = local;
  child.listens = false;
  return child;
}

void tcp_socket::receives(tcp_end& from_client) {
  touch();
  from_client.wait_at(this);
  from_client.begin_shut(reads_shut_, writes_shut_);
  from_client.set_receive_buffer(static_cast<std::uint64_t>(options_[option::receive_buffer]));
  queue_->waiting.push_back(&from_client);
}

void tcp_socket::forgets(tcp_end& from_client) noexcept {
  touch();
  std::erase(queue_->waiting, &from_client);
  from_client.wait_at(nullptr);
}

// Of the connections that wait, those are not whose client has not answered yet.
tcp_end* tcp_socket::first_ready() const noexcept {
  const std::deque<tcp_end*>& all = queue_->waiting;
  const auto found =
      std::find_if(all.begin(), all.end(), [](tcp_end* each) { return each->at() != tcp_end::phase::syn_received; });
  return found != all.end() ? *found : nullptr;
}

int tcp_socket::accept(file_reference& made) {
  touch();
  if (phase_ != phase::listening) return -EINVAL;
  tcp_end* const ready = first_ready();
  if (ready == nullptr) return -EAGAIN;
  tcp_end& end = *ready;
  auto* const child = new tcp_socket(host_, roll(end.connection().id(), 1), v6_, O_RDWR);
  made = child;
  child->options_ = options_;
  child->bound_address_ = bound_address_;
  queue_->waiting.erase(std::find(queue_->waiting.begin(), queue_->waiting.end(), ready));
  end.wait_at(nullptr);
  child->attach(end);
  child->phase_ = phase::connected;
  return 0;
}

void tcp_socket::stop_listening() noexcept {
  host_.listens(*this, false);
  holder_.claim.listens = false;
  phase_ = phase::fresh;
  while (!queue_->waiting.empty()) {
    tcp_end& each = *queue_->waiting.front();
    queue_->waiting.pop_front();
    each.orphan(true);
  }
  queue_.reset();
}

// -- connecting -------------------------------------------------------------------------------------------------------

void tcp_socket::attach(tcp_end& end) noexcept {
  end_ = &end;
  lost_name_ = false;
  end.belong_to(this);
  tune(end);
}

void tcp_socket::tune(tcp_end& end) const noexcept {
  using seconds = std::chrono::duration<std::int32_t>;
  end.set_receive_buffer(static_cast<std::uint64_t>(options_[option::receive_buffer]));
  end.set_patience({.syn_retries = options_[option::syn_count],
                    .user_timeout = std::chrono::duration<std::int32_t, std::milli>(options_[option::user_timeout]),
                    .idle = seconds(options_[option::keep_alive_idle]),
                    .interval = seconds(options_[option::keep_alive_interval]),
                    .questions = options_.on(option::keep_alive) ? options_[option::keep_alive_count] : 0});
}

void tcp_socket::detach(bool aborted) noexcept {
  if (end_ == nullptr) return;
  std::exchange(end_, nullptr)->orphan(aborted);
  touch();  // and again as its own
}

void tcp_socket::disconnect() noexcept {
  reads_shut_ = writes_shut_ = false;
  if (phase_ == phase::listening) {
    stop_listening();
    if (!bound_port_) leave_port();
  }
  if (end_ != nullptr) {
    const int pending = end_->take_error();
    error_ = end_->at() != tcp_end::phase::closed ? ECONNRESET : pending;
    if (!holder_.linked()) {
      holder_.claim.local = end_->local();
      if (bound_port_) {
        detail::touch(host_.ports_id(), access::update);
        host_.ports().add(holder_);
      }
    }
    detach(true);
  }
  if (!bound_address_) holder_.claim.local = endpoint(any(), holder_.claim.local.port());
  phase_ = phase::fresh;
  state_changed();
}

int tcp_socket::connect(const sockaddr* address, socklen_t size) {
  touch();
  if (size < sizeof(sa_family_t)) return -EINVAL;
  if (address->sa_family == AF_UNSPEC) {
    disconnect();
    return 0;
  }
  if (phase_ == phase::connecting) return finish_connecting();
  if (phase_ == phase::disconnecting) return -EINVAL;
  if (phase_ == phase::connected || phase_ == phase::listening) return -EISCONN;
  if (size < (v6_ ? 24u : sizeof(sockaddr_in))) return -EINVAL;
  const std::optional<endpoint> to = endpoint::from(address, size);
  if (!to || (to->address().is_v6() && !v6_)) return -EAFNOSUPPORT;
  return start_connecting(*to);
}

// As Linux: nobody's error once, and then ECONNABORTED, after which it may be tried again.
int tcp_socket::finish_connecting() noexcept {
  if (end_->at() == tcp_end::phase::syn_sent) return -EALREADY;
  if (end_->error() == 0 && end_->at() == tcp_end::phase::established) {
    phase_ = phase::connected;
    return 0;
  }
  const int error = end_->take_error();
  disconnect();
  return error != 0 ? -error : -ECONNABORTED;
}

int tcp_socket::start_connecting(const endpoint& to) {
  ip_address target = to.address().unmapped();
  ip_address source_address = holder_.claim.local.address().unmapped();
  if (v6_ && target.is_v4() && options_.on(option::only_v6)) return -ENETUNREACH;
  if (is_broadcast(target)) return -ENETUNREACH;
  if (target.is_any()) target = target_for_any(target, source_address);
  if (v6_ && target.is_v6() && source_address.is_v4()) return -EAFNOSUPPORT;
  host* there = nullptr;
  if (const int routed = host_.route(target, source_address, there); routed != 0) return routed;
  fault_effect fault;
  if (!host_.of().faults().empty()) [[unlikely]] {
    attempted_call call{op::connect, host_, endpoint(target, to.port()), there};
    call.may_take_time = true;
    fault = host_.of().faults().ask(call);
    const int error = fault.error;
    if (error != 0 && error != ECONNREFUSED && error != ETIMEDOUT && error != EHOSTUNREACH) return -error;
  }
  if (!holder_.linked()) {
    holder_.claim.local = holder_.claim.local.with_port(0);
    if (const int claimed = claim_port(); claimed != 0) return -EADDRNOTAVAIL;
  }
  auto& made = *new tcp_connection(host_.of(), roll(id(), 0));
  holder_.claim.local = endpoint(source_address, holder_.claim.local.port());
  made.client().begin(host_, holder_.claim, tcp_end::phase::syn_sent);
  if (!bound_address_) holder_.claim.local = endpoint(any(), holder_.claim.local.port());
  leave_port();
  if (there != nullptr) {
    made.server().begin_at(*there, endpoint(target, to.port()));
  } else {
    made.server().begin_nowhere(endpoint(target, to.port()));
  }
  attach(made.client());
  touch();  // from now on its calls are seen as the connection's
  error_ = 0;
  made.client().begin_shut(std::exchange(reads_shut_, false), std::exchange(writes_shut_, false));
  phase_ = phase::connecting;
  if (fault.what != fault_effect::kind::none) [[unlikely]] {
    made.connect_badly(host_, there, fault);
  } else {
    made.connect(host_, there);
  }
  return -EINPROGRESS;
}

// -- bytes ------------------------------------------------------------------------------------------------------------

std::int64_t tcp_socket::receive(const iovec* into, int count, int flags, msghdr* rest) {
  touch();
  if (rest != nullptr) {
    rest->msg_flags = 0;
    rest->msg_namelen = 0;
    rest->msg_controllen = 0;
  }
  if (end_ == nullptr) {
    if (phase_ == phase::listening) return -ENOTCONN;
    if ((flags & MSG_OOB) != 0) return -EINVAL;
    if (const int error = take_error(); error != 0) return -error;
    return reads_shut_ ? 0 : -ENOTCONN;
  }
  if ((flags & MSG_OOB) != 0) {
    const std::int64_t result = receive_urgent(into, count, flags);
    if (result >= 0 && rest != nullptr) rest->msg_flags = MSG_OOB | (result == 0 ? MSG_TRUNC : 0);
    return result;
  }
  tcp_way& in = end_->in();
  if (in.available() == 0) return receive_nothing();
  std::size_t skipped = 0;
  if (in.stands_at_urgent() && !options_.on(option::out_of_band_inline)) [[unlikely]] {
    if ((flags & MSG_PEEK) != 0) {
      skipped = 1;
    } else {
      in.drop(1);
    }
    if (in.available() == skipped) return receive_nothing();
  }
  std::size_t available = in.available() - skipped;
  if (!in.stands_at_urgent()) available = static_cast<std::size_t>(std::min<std::uint64_t>(available, in.to_urgent()));
  std::size_t taken = 0;
  for (int i = 0; i < count && taken < available; ++i) {
    const std::size_t part = std::min(into[i].iov_len, available - taken);
    if ((flags & MSG_TRUNC) == 0) in.peek({static_cast<std::byte*>(into[i].iov_base), part}, taken + skipped);
    taken += part;
  }
  if ((flags & MSG_PEEK) == 0 && taken != 0) {
    in.drop(taken);
    in.transmit();
  }
  return static_cast<std::int64_t>(taken);
}

std::int64_t tcp_socket::receive_nothing() noexcept {
  if (end_->in().fin_arrived()) return 0;
  if (const int error = end_->take_error(); error != 0) return -error;
  return end_->reads_shut() ? 0 : -EAGAIN;
}

// The urgent byte is read by itself, and stays out of the line.
std::int64_t tcp_socket::receive_urgent(const iovec* into, int count, int flags) {
  tcp_way& in = end_->in();
  const std::optional<std::uint64_t> before = in.before_urgent();
  if (!before || options_.on(option::out_of_band_inline)) return -EINVAL;
  if (in.available() <= *before) return -EAGAIN;
  const bool has_room = size_of(into, count) != 0;
  if (has_room) in.peek({static_cast<std::byte*>(into[0].iov_base), 1}, static_cast<std::size_t>(*before));
  if ((flags & MSG_PEEK) == 0) in.take_urgent();
  if (!has_room) return 0;
  return 1;
}

// Linux says that there is no room until a third of the buffer is free.
bool tcp_socket::writable() const noexcept {
  const std::uint64_t used = end_->out().unacknowledged();
  const auto buffer = static_cast<std::uint64_t>(options_[option::send_buffer]);
  return used + used / 2 <= buffer;
}

bool tcp_socket::becomes_writable() noexcept {
  if (!full_ || !writable()) return false;
  full_ = false;
  return true;
}

std::uint64_t tcp_socket::room() const noexcept {
  const std::uint64_t used = end_->out().unacknowledged();
  const auto buffer = static_cast<std::uint64_t>(options_[option::send_buffer]);
  return used < buffer ? buffer - used : 0;
}

std::int64_t tcp_socket::send(const iovec* from, int count, int flags, const msghdr*) {
  touch();
  if (end_ == nullptr) {
    const int error = take_error();
    return error != 0 ? -error : -EPIPE;
  }
  if (end_->at() == tcp_end::phase::syn_sent) {
    full_ = true;
    return -EAGAIN;
  }
  if (end_->error() != 0 || end_->writes_shut()) {
    const int error = end_->take_error();
    return error != 0 ? -error : -EPIPE;
  }
  const tcp_connection::keeper alive(end_->connection());
  tcp_way& out = end_->out();
  std::size_t sent = 0;
  const std::uint64_t sendable = full_ && !writable() ? 0 : room();
  for (int i = 0; i < count && sent < sendable; ++i) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(from[i].iov_len, sendable - sent));
    out.write({static_cast<const std::byte*>(from[i].iov_base), part});
    sent += part;
  }
  const std::size_t wanted = size_of(from, count);
  if (sent < wanted) full_ = true;
  if ((flags & MSG_OOB) != 0 && sent != 0) out.mark_urgent();
  if (sent != 0) {
    out.transmit();
    out.keep();
  }
  return sent != 0 || wanted == 0 ? static_cast<std::int64_t>(sent) : -EAGAIN;
}

int tcp_socket::shutdown(int how) {
  touch();
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  int result = 0;
  if (phase_ == phase::listening) {
    if (how != SHUT_WR) disconnect();
  } else if (end_ == nullptr) {
    reads_shut_ |= how != SHUT_WR;
    writes_shut_ |= how != SHUT_RD;
    result = -ENOTCONN;
  } else if (end_->at() == tcp_end::phase::closed) {
    if (phase_ == phase::connecting) phase_ = phase::disconnecting;
    result = -ENOTCONN;
  } else if (end_->at() == tcp_end::phase::syn_sent) {
    disconnect();
  } else {
    phase_ = phase::connected;
    end_->shut(how != SHUT_WR, how != SHUT_RD);
  }
  state_changed();
  return result;
}

void tcp_socket::closed() noexcept {
  touch();
  if (phase_ == phase::listening) stop_listening();
  const linger how = options_.lingering();
  detach(how.l_onoff != 0 && how.l_linger == 0);
  leave_port();
}

// -- faults -----------------------------------------------------------------------------------------------------------

// Unlike ready(), it tells nobody that there is no room.
bool tcp_socket::would_wait(unsigned event) const noexcept {
  if (phase_ == phase::listening) return first_ready() == nullptr;
  if (end_ == nullptr || end_->error() != 0) return false;
  if (event == POLLIN) return end_->in().available() == 0 && !end_->in().fin_arrived() && !end_->reads_shut();
  if (end_->at() == tcp_end::phase::syn_sent) return true;
  return !end_->writes_shut() && (room() == 0 || (full_ && !writable()));
}

bool tcp_socket::is_connected() const noexcept {
  return end_ != nullptr && end_->at() == tcp_end::phase::established && end_->error() == 0 &&
         !end_->in().fin_arrived();
}

// A reset overtakes what has not been read.
void tcp_socket::break_off(int error) {
  tcp_end& end = *end_;
  const tcp_connection::keeper alive(end.connection());
  end.in().drop_all();
  end.fail(error);
  const bool told = error == ECONNRESET || error == EPIPE;
  if (told && end.peer().at() != tcp_end::phase::closed) end.out().send_reset();
}

// -- readiness and options --------------------------------------------------------------------------------------------

unsigned tcp_socket::ready() const noexcept {
  if (phase_ == phase::listening) return first_ready() != nullptr ? POLLIN : 0u;
  if (end_ == nullptr) {
    return POLLOUT | POLLHUP | (reads_shut_ ? POLLIN | POLLRDHUP : 0u) | (error_ != 0 ? POLLERR : 0u);
  }
  unsigned is = end_->error() != 0 ? POLLERR : 0u;
  const bool closed = end_->at() == tcp_end::phase::closed;
  if (closed || (end_->reads_shut() && end_->writes_shut())) is |= POLLHUP;
  if (end_->reads_shut()) is |= POLLIN | POLLRDHUP;
  if (end_->at() == tcp_end::phase::syn_sent) return is;
  const bool urgent_first = end_->in().stands_at_urgent() && !options_.on(option::out_of_band_inline);
  const auto least = static_cast<std::size_t>(options_[option::receive_low_water]) + (urgent_first ? 1 : 0);
  if (end_->in().available() >= least) is |= POLLIN;
  if (const auto before = end_->in().before_urgent(); before && end_->in().available() > *before) is |= POLLPRI;
  if (end_->writes_shut() || writable()) {
    is |= POLLOUT;
  } else {
    full_ = true;
  }
  return is;
}

int tcp_socket::ioctl(unsigned long request, void* argument) {
  if (request == FIONREAD) {
    if (phase_ == phase::listening) return -EINVAL;
    std::uint64_t is = end_ != nullptr ? end_->in().available() : 0;
    if (is != 0 && !options_.on(option::out_of_band_inline)) is = std::min(is, end_->in().to_urgent());
    *static_cast<int*>(argument) = static_cast<int>(is);
    return 0;
  }
  if (request == SIOCOUTQ) {
    if (phase_ == phase::listening) return -EINVAL;
    *static_cast<int*>(argument) = end_ != nullptr ? static_cast<int>(end_->out().unacknowledged()) : 0;
    return 0;
  }
  return -ENOTTY;
}

int tcp_socket::get_option(int level, int name, void* value, socklen_t* size) {
  touch();
  const auto number = [&](int is) { return write_option(&is, sizeof is, value, size); };
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_ERROR: return number(take_error());
      case SO_TYPE: return number(SOCK_STREAM);
      case SO_DOMAIN: return number(v6_ ? AF_INET6 : AF_INET);
      case SO_PROTOCOL: return number(IPPROTO_TCP);
      case SO_ACCEPTCONN: return number(phase_ == phase::listening ? 1 : 0);
      default: break;
    }
  }
  if (level == IPPROTO_TCP && name == TCP_INFO) {
    tcp_info info{};
    info.tcpi_state = state();
    if (phase_ == phase::listening) {
      info.tcpi_unacked = static_cast<std::uint32_t>(queue_->waiting.size());
      info.tcpi_sacked = static_cast<std::uint32_t>(queue_->backlog);
    }
    return write_option(&info, sizeof info, value, size);
  }
  if (level == IPPROTO_IP && name == IP_MTU) {
    return end_ == nullptr ? -ENOTCONN : number(host_.mtu_told(end_->peer().where(), end_->peer().local().address()));
  }
  if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
    char padded[16] = {};
    std::string_view(reno_ ? "reno" : "cubic").copy(padded, sizeof padded - 1);
    return write_option(padded, sizeof padded, value, size);
  }
  return options_.get(level, name, value, size);
}

// As TCP_INFO calls it.
std::uint8_t tcp_socket::state() const noexcept {
  if (phase_ == phase::listening) return TCP_LISTEN;
  if (end_ == nullptr) return TCP_CLOSE;
  return end_->state();
}

int tcp_socket::set_option(int level, int name, const void* value, socklen_t size) {
  touch();
  if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && v6_ && has_port()) return -EINVAL;
  if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
    const std::string_view wanted(static_cast<const char*>(value), strnlen(static_cast<const char*>(value), size));
    if (wanted != "reno" && wanted != "cubic") return -ENOENT;
    reno_ = wanted == "reno";
    return 0;
  }
  const int done = options_.set(level, name, value, size);
  if (done != 0) return done;
  if (end_ != nullptr) tune(*end_);
  holder_.claim.reuse_address = options_.on(option::reuse_address);
  holder_.claim.reuse_port = options_.on(option::reuse_port);
  if (level == SOL_SOCKET && name == SO_SNDBUF && (end_ == nullptr || writable())) {
    full_ = false;
    notify(POLLOUT);
  }
  return 0;
}

}  // namespace lockstep::sim
