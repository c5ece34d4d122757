#include <lockstep/sim/datagram.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/udp_socket.hpp>

#include <cerrno>

namespace lockstep::sim {

std::size_t datagram::fragments(std::uint32_t mtu) const noexcept {
  const bool v6 = route_.to.address().is_v6();
  constexpr std::size_t udp_header = 8;
  const std::size_t headers = header_bytes(v6) - udp_header;
  const std::size_t carried = payload_.size() + udp_header;
  if (carried + headers <= mtu) return 1;
  // Each begins at a multiple of 8; IPv6 has a header of 8 bytes for it.
  const std::size_t fragment_headers = headers + (v6 ? 8 : 0);
  const std::size_t room = mtu > fragment_headers + 8 ? (mtu - fragment_headers) / 8 * 8 : 8;
  return (carried + room - 1) / room;
}

std::size_t datagram::bytes() const noexcept { return payload_.size() + header_bytes(route_.to.address().is_v6()); }

identity datagram::destination() const noexcept { return route_.receiver->udp_ports_id(); }

void datagram::arrive() noexcept {
  host& there = *route_.receiver;
  if (is_broadcast(route_.to.address())) {
    udp_socket::deliver_to_all(there, route_.from, route_.to, payload_);
    return;
  }
  const std::size_t carried = payload_.size();
  if (udp_socket* const taker = udp_socket::find(there, route_.to, route_.from)) {
    if (!taker->take(route_.from, std::move(payload_))) tell(there.of(), traffic::fate::lost, "receive buffer is full");
    return;
  }
  network& over = there.of();
  packet::send(std::make_unique<delivery_failure>(route_, carried, ECONNREFUSED), over,
               over.lane_between(there, *route_.sender));
}

bool datagram::describe(traffic& as) const noexcept {
  as.carried = transport::udp;
  as.sender = route_.sender;
  as.receiver = route_.receiver;
  as.from = route_.from;
  as.to = route_.to;
  as.payload = payload_;
  as.mtu = route_.sender->mtu_to(route_.receiver);
  return true;
}

identity delivery_failure::destination() const noexcept { return of_.sender->udp_ports_id(); }

// That nobody has the address, the sender has found out by itself.
bool delivery_failure::describe(traffic& as) const noexcept {
  if (of_.receiver == nullptr) return false;
  as.carried = transport::icmp;
  as.sender = of_.receiver;
  as.receiver = of_.sender;
  as.from = of_.to;
  as.to = of_.from;
  as.about_bytes = bytes_;
  as.mtu = of_.receiver->mtu_to(of_.sender);
  return true;
}

void delivery_failure::arrive() noexcept {
  if (udp_socket* const sender = udp_socket::find(*of_.sender, of_.from, of_.to)) sender->fail(error_);
}

}  // namespace lockstep::sim
