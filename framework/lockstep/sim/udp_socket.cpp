#include <lockstep/sim/udp_socket.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/sim/datagram.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/socket_name.hpp>

#include <fmt/format.h>

#include <netinet/in.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace lockstep::sim {

namespace {

constexpr std::size_t size_max_v4 = 65'507;
constexpr std::size_t size_max_v6 = 65'527;
constexpr socklen_t v6_name_min = 24;

// The memory that Linux takes for a datagram of so many bytes: the descriptor of a packet, and a block of a power of
// two for headers and data, or one of its pool for short packets; long ones are in pages.
std::size_t memory_of(std::size_t size) noexcept {
  constexpr std::size_t descriptor = 256;
  constexpr std::size_t around = 380;
  constexpr std::size_t pool_block = 576;
  constexpr std::size_t block_max = 16'384;
  const std::size_t needed = size + around;
  if (needed <= pool_block) return descriptor + pool_block;
  return needed <= block_max ? descriptor + std::bit_ceil(needed) : descriptor + pool_block + size;
}

// What names no family stands for IPv4, in the calls that take it so.
std::optional<endpoint> v4_name(const sockaddr* address, socklen_t size) noexcept {
  sockaddr_in read{};
  if (size < sizeof read) return std::nullopt;
  std::memcpy(&read, address, sizeof read);
  read.sin_family = AF_INET;
  return endpoint::from(reinterpret_cast<const sockaddr*>(&read), sizeof read);
}

endpoint unmapped(const endpoint& name) noexcept { return {name.address().unmapped(), name.port()}; }

}  // namespace

udp_socket::udp_socket(host& of, identity id, bool v6, int status_flags)
    : socket(id, status_flags), host_(of), options_(socket_class::udp, v6), port_(*this), v6_(v6) {
  of.set_buffers_of(options_);
  port_.claim.local = endpoint(any(), 0);
}

// -- names ------------------------------------------------------------------------------------------------------------

int udp_socket::bind(const sockaddr* address, socklen_t size) {
  detail::touch(id(), access::write);
  if (size < (v6_ ? v6_name_min : sizeof(sockaddr_in))) return -EINVAL;
  const bool no_family = !v6_ && address->sa_family == AF_UNSPEC;
  if (!no_family && address->sa_family != (v6_ ? AF_INET6 : AF_INET)) return -EAFNOSUPPORT;
  const std::optional<endpoint> wanted = no_family ? v4_name(address, size) : endpoint::from(address, size);
  const ip_address& at = wanted->address();
  if (no_family && !at.is_any()) return -EAFNOSUPPORT;
  if (at.is_v4_mapped() && options_.on(option::only_v6)) return -EINVAL;
  if (!host_.may_bind(at)) return -EADDRNOTAVAIL;
  if (wanted->port() != 0 && wanted->port() < port_space::first_unprivileged && !host_.privileged()) return -EACCES;
  if (peer_ || port_.linked()) return -EINVAL;
  port_.claim.local = *wanted;
  if (const int claimed = claim_port(); claimed != 0) {
    port_.claim.local = endpoint(any(), 0);
    return claimed;
  }
  bound_address_ |= !at.is_any();
  options_.bound_to(at);
  bound_port_ |= wanted->port() != 0;
  return 0;
}

int udp_socket::claim_port() {
  detail::touch(host_.udp_ports_id(), access::write);
  port_.claim.only_v6 = v6_ && (options_.on(option::only_v6) || is_only_v6(port_.claim.local.address()));
  port_.claim.reuse_address = options_.on(option::reuse_address);
  port_.claim.reuse_port = options_.on(option::reuse_port);
  return host_.udp_ports().claim(port_, host_.now());
}

int udp_socket::bind_if_unbound() { return port_.linked() || claim_port() == 0 ? 0 : -EAGAIN; }

int udp_socket::local_name(sockaddr* address, socklen_t* size) const {
  return write_name(port_.claim.local, v6_, address, size);
}

int udp_socket::peer_name(sockaddr* address, socklen_t* size) const {
  if (!peer_ || peer_->port() == 0) return -ENOTCONN;
  return write_name(*peer_, v6_, address, size);
}

std::string udp_socket::described() const {
  std::string text = "udp socket";
  if (port_.claim.local.port() != 0) text += " " + port_.claim.local.text();
  if (peer_) text += " -> " + peer_->text();
  return text;
}

// -- connecting -------------------------------------------------------------------------------------------------------

int udp_socket::find_way(const endpoint& to, endpoint& target, ip_address& source_address, host*& there) const {
  ip_address address = to.address().unmapped();
  const ip_address& local = port_.claim.local.address();
  const bool from_v4 = local.unmapped().is_v4();
  if (address.is_v4() && options_.on(option::only_v6)) return -ENETUNREACH;
  source_address = local.unmapped();
  if (is_broadcast(source_address) || source_address.is_multicast()) source_address = any();
  if (source_address.is_v6() && address.is_v4()) source_address = ip_address::any_v4();
  if (address.is_any()) address = target_for_any(address, source_address);
  if (address.is_v6() && from_v4) return -EAFNOSUPPORT;
  target = endpoint(address, to.port());
  if (const int routed = host_.route(address, source_address, there); routed != 0) return routed;
  return is_broadcast(address) && !options_.on(option::broadcast) ? -EACCES : 0;
}

int udp_socket::connect(const sockaddr* address, socklen_t size) {
  detail::touch(id(), access::write);
  if (size < sizeof(sa_family_t)) return -EINVAL;
  if (address->sa_family == AF_UNSPEC) {
    forget_peer();
    return 0;
  }
  if (const int bound = bind_if_unbound(); bound != 0) return bound;
  const bool of_v6 = v6_ && address->sa_family != AF_INET;
  if (size < (of_v6 ? v6_name_min : sizeof(sockaddr_in))) return -EINVAL;
  const std::optional<endpoint> to = endpoint::from(address, size);
  if (!to || (to->address().is_v6() && !v6_) || (to->address().is_v4() && options_.on(option::only_v6)))
    return -EAFNOSUPPORT;
  endpoint target;
  ip_address source_address;
  host* there = nullptr;
  if (const int found = find_way(*to, target, source_address, there); found != 0) return found;
  detail::touch(host_.udp_ports_id(), access::write);
  if (port_.claim.local.address().is_any()) port_.claim.local = endpoint(source_address, port_.claim.local.port());
  peer_ = target;
  return 0;
}

// What was chosen for it goes: the address by connect(), the port by the first call that needed one.
void udp_socket::forget_peer() noexcept {
  detail::touch(host_.udp_ports_id(), access::write);
  peer_.reset();
  const endpoint& local = port_.claim.local;
  if (!bound_port_ && port_.linked()) port_.unlink();
  port_.claim.local = endpoint(bound_address_ ? local.address() : any(), bound_port_ ? local.port() : std::uint16_t{0});
}

// -- sending ----------------------------------------------------------------------------------------------------------

bool udp_socket::has_name(const msghdr* rest) const noexcept {
  const auto* const name = rest != nullptr ? static_cast<const sockaddr*>(rest->msg_name) : nullptr;
  return name != nullptr && !(v6_ && name->sa_family == AF_UNSPEC);
}

int udp_socket::named_in_call(const msghdr* rest, endpoint& to) const {
  const auto* const name = rest != nullptr ? static_cast<const sockaddr*>(rest->msg_name) : nullptr;
  if (!has_name(rest)) {
    if (!peer_) return -EDESTADDRREQ;
    if (name != nullptr && peer_->address().is_v4()) return -ENETUNREACH;
    to = *peer_;
    return 0;
  }
  const socklen_t size = rest->msg_namelen;
  std::optional<endpoint> found;
  if (v6_ && name->sa_family == AF_INET6) {
    if (size < v6_name_min) return -EINVAL;
    found = endpoint::from(name, size);
  } else if (v6_) {
    if (name->sa_family != AF_INET) return -EINVAL;
    found = v4_name(name, size);
  } else {
    if (size >= sizeof(sockaddr_in) && name->sa_family != AF_INET && name->sa_family != AF_UNSPEC) return -EAFNOSUPPORT;
    found = v4_name(name, size);
  }
  if (!found) return -EINVAL;
  if (found->address().unmapped().is_v4() && options_.on(option::only_v6)) return -ENETUNREACH;
  to = unmapped(*found);
  return 0;
}

std::int64_t udp_socket::send(const iovec* from, int count, int flags, const msghdr* rest) {
  detail::touch(id(), access::write);
  if (const int bound = bind_if_unbound(); bound != 0) return bound;
  const std::size_t size = size_of(from, count);
  const auto refused = [&] { return size > 0xFFFF ? -EMSGSIZE : (flags & MSG_OOB) != 0 ? -EOPNOTSUPP : 0; };
  if (!v6_ && refused() != 0) return refused();
  endpoint to;
  if (const int named = named_in_call(rest, to); named != 0) return named;
  if (to.address().is_v4() && refused() != 0) return refused();
  // To port 0 it sends only what a connected socket sends without a name, and not from one family to the other.
  if (to.port() == 0 && (has_name(rest) || (v6_ && to.address().is_v4()))) return -EINVAL;
  datagram_route route;
  route.sender = &host_;
  ip_address source_address;
  if (const int found = find_way(to, route.to, source_address, route.receiver); found != 0) return found;
  route.from = endpoint(source_address, port_.claim.local.port());
  const bool to_v6 = route.to.address().is_v6();
  if (!to_v6 && refused() != 0) return refused();
  if (size > (to_v6 ? size_max_v6 : size_max_v4)) return -EMSGSIZE;
  const int discovery = options_[option::path_mtu_discovery];
  const bool may_fragment = discovery < IP_PMTUDISC_DO || discovery > IP_PMTUDISC_INTERFACE;
  if (!may_fragment && size + datagram::header_bytes(to_v6) > host_.mtu_to(route.receiver)) return -EMSGSIZE;
  if (error_ != 0) return -take_error();
  if (writes_shut_) return -EPIPE;
  // The last fragment has no room beside the others.
  const std::size_t in_one = host_.mtu_to(route.receiver) - datagram::header_bytes(to_v6);
  if (size > in_one && size - size % in_one > 2 * static_cast<std::size_t>(options_[option::send_buffer])) {
    return -ENOBUFS;
  }

  std::vector<std::byte> payload(size);
  auto at = payload.begin();
  for (int i = 0; i < count; ++i) {
    const auto* const piece = static_cast<const std::byte*>(from[i].iov_base);
    at = std::copy(piece, piece + from[i].iov_len, at);
  }
  notify(POLLOUT);  // it leaves the sender's buffer at once
  // What arrives at once may be told to anybody: this socket may have gone.
  host& here = host_;
  network& over = here.of();
  if (is_broadcast(route.to.address())) {
    for (const auto& each : over.hosts()) {
      if (route.to.address().is_loopback() && each.get() != &here) continue;
      const std::vector<ip_address>& its = each->addresses();
      if (std::none_of(its.begin(), its.end(), [](const ip_address& one) { return one.is_v4(); })) continue;
      route.receiver = each.get();
      packet::send(std::make_unique<datagram>(route, payload), over, over.lane_between(here, *each));
    }
  } else if (route.receiver != nullptr) {
    lane* const along = over.lane_between(here, *route.receiver);
    packet::send(std::make_unique<datagram>(route, std::move(payload)), over, along);
  } else {
    packet::send_later(std::make_unique<delivery_failure>(route, size, EHOSTUNREACH), over, address_limit);
  }
  return static_cast<std::int64_t>(size);
}

// -- receiving --------------------------------------------------------------------------------------------------------

bool udp_socket::takes(const endpoint& to, const endpoint& from) const noexcept {
  if (!is_for(port_.claim, to.address())) return false;
  return !peer_ || (peer_->address() == from.address() && (peer_->port() == 0 || peer_->port() == from.port()));
}

udp_socket* udp_socket::find(host& at, const endpoint& to, const endpoint& from) noexcept {
  detail::touch(at.udp_ports_id(), access::read);
  port_space::holder_list* const there = at.udp_ports().find(to.port());
  if (there == nullptr) return nullptr;
  const auto rank = [&](port_holder& each) {
    const udp_socket& one = static_cast<port&>(each).of;
    if (!one.takes(to, from)) return 0;
    return 1 + (one.peer_ ? 4 : 0) + (one.port_.claim.local.address().is_any() ? 0 : 2) + (one.v6_ ? 0 : 1);
  };
  const auto shares = [](const port_holder& each) { return each.claim.reuse_port; };
  const auto found = receiver_among(*there, rank, shares, from, to);
  return found != there->end() ? &static_cast<port&>(*found).of : nullptr;
}

void udp_socket::deliver_to_all(host& at, const endpoint& from, const endpoint& to,
                                const std::vector<std::byte>& payload) {
  detail::touch(at.udp_ports_id(), access::read);
  port_space::holder_list* const there = at.udp_ports().find(to.port());
  if (there == nullptr) return;
  std::vector<file_reference> takers;  // which may go when others are told
  for (port_holder& each : *there) {
    udp_socket& one = static_cast<port&>(each).of;
    if (one.takes(to, from)) takers.emplace_back(&one);
  }
  for (const file_reference& each : takers) static_cast<udp_socket&>(*each).take(from, std::vector(payload));
}

bool udp_socket::take(const endpoint& from, std::vector<std::byte>&& payload) {
  detail::touch(id(), access::write);
  const std::size_t memory = memory_of(payload.size());
  if (!queue_.empty() && queued_ + memory > static_cast<std::size_t>(options_[option::receive_buffer])) return false;
  queued_ += memory;
  queue_.push_back({from, std::move(payload)});
  notify(POLLIN | POLLPRI);
  return true;
}

void udp_socket::fail(int error) noexcept {
  if (!options_.on(option::receive_errors) && (!peer_ || error != ECONNREFUSED)) return;
  detail::touch(id(), access::write);
  error_ = error;
  notify(POLLERR);
}

std::int64_t udp_socket::receive(const iovec* into, int count, int flags, msghdr* rest) {
  detail::touch(id(), access::write);
  if ((flags & MSG_ERRQUEUE) != 0) return -EAGAIN;
  if (error_ != 0) return -take_error();
  if (queue_.empty()) return -EAGAIN;
  const arrived& first = queue_.front();
  const std::size_t size = first.payload.size();
  std::size_t taken = 0;
  for (int i = 0; i < count && taken < size; ++i) {
    const std::size_t part = std::min(into[i].iov_len, size - taken);
    std::copy_n(first.payload.data() + taken, part, static_cast<std::byte*>(into[i].iov_base));
    taken += part;
  }
  if (rest != nullptr) {
    if (rest->msg_name != nullptr) {
      write_name(first.from, v6_, static_cast<sockaddr*>(rest->msg_name), &rest->msg_namelen);
    }
    rest->msg_controllen = 0;
    rest->msg_flags = taken < size ? MSG_TRUNC : 0;
  }
  if ((flags & MSG_PEEK) == 0) {
    queued_ -= memory_of(size);
    queue_.pop_front();
  }
  return static_cast<std::int64_t>((flags & MSG_TRUNC) != 0 ? size : taken);
}

int udp_socket::shutdown(int how) {
  detail::touch(id(), access::write);
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  reads_shut_ = reads_shut_ || how != SHUT_WR;
  writes_shut_ = writes_shut_ || how != SHUT_RD;
  const int result = peer_ ? 0 : -ENOTCONN;  // and yet it is done
  notify(POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
  return result;
}

void udp_socket::closed() noexcept {
  detail::touch(id(), access::write);
  if (!port_.linked()) return;
  detail::touch(host_.udp_ports_id(), access::write);
  port_.unlink();
}

// -- readiness and options --------------------------------------------------------------------------------------------

unsigned udp_socket::ready() const noexcept {
  unsigned is = POLLOUT;
  if (error_ != 0) is |= POLLERR;
  if (!queue_.empty()) is |= POLLIN;
  if (reads_shut_) is |= POLLIN | POLLRDHUP;
  if (reads_shut_ && writes_shut_) is |= POLLHUP;
  return is;
}

int udp_socket::ioctl(unsigned long request, void* argument) {
  detail::touch(id(), access::read);
  if (request == FIONREAD) {
    *static_cast<int*>(argument) = queue_.empty() ? 0 : static_cast<int>(queue_.front().payload.size());
    return 0;
  }
  if (request == SIOCOUTQ) {  // what is sent leaves the host at once
    *static_cast<int*>(argument) = 0;
    return 0;
  }
  return -ENOTTY;
}

int udp_socket::get_option(int level, int name, void* value, socklen_t* size) {
  detail::touch(id(), access::write);
  const auto number = [&](int is) { return write_option(&is, sizeof is, value, size); };
  if (level == IPPROTO_TCP) return v6_ ? -ENOPROTOOPT : -EOPNOTSUPP;
  if (level == IPPROTO_IPV6 && !v6_) return -EOPNOTSUPP;
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_ERROR: return number(take_error());
      case SO_TYPE: return number(SOCK_DGRAM);
      case SO_DOMAIN: return number(v6_ ? AF_INET6 : AF_INET);
      case SO_PROTOCOL: return number(IPPROTO_UDP);
      case SO_ACCEPTCONN: return number(0);
      default: break;
    }
  }
  if (level == IPPROTO_IP && name == IP_MTU) {
    if (!peer_) return -ENOTCONN;
    endpoint target;
    ip_address source_address;
    host* there = nullptr;
    if (const int found = find_way(*peer_, target, source_address, there); found != 0) return found;
    return number(host_.mtu_told(there, target.address()));
  }
  return options_.get(level, name, value, size);
}

int udp_socket::set_option(int level, int name, const void* value, socklen_t size) {
  detail::touch(id(), access::write);
  if (v6_ && level == IPPROTO_IPV6 && name == IPV6_V6ONLY && port_.linked()) return -EINVAL;
  const int done = options_.set(level, name, value, size);
  port_.claim.reuse_address = options_.on(option::reuse_address);
  port_.claim.reuse_port = options_.on(option::reuse_port);
  if (done == 0 && level == SOL_SOCKET && name == SO_SNDBUF) notify(POLLOUT);
  return done;
}

}  // namespace lockstep::sim
