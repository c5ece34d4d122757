// A UDP socket as a program sees it: bound or not, connected or not.
//
// Connecting chooses the peer, whose datagrams alone it then takes, and the address that it sends from. A datagram that
// finds its port closed comes back as an error: ECONNREFUSED, once, of the next call that sends or receives, for a
// connected socket; an unconnected one never hears of it, but for IP_RECVERR.
// What does not fit in the receive buffer is dropped when it comes; each datagram counts with what Linux needs to hold
// it.
// Left out: multicast, the queue of errors (MSG_ERRQUEUE), control data.
// Source: udp(7), ip(7), socket(7); Linux's net/ipv4/udp.c, datagram.c, net/core/datagram.c.
#pragma once

#include <lockstep/sim/port_space.hpp>
#include <lockstep/sim/socket.hpp>
#include <lockstep/sim/socket_options.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace lockstep::sim {

class udp_socket final : public socket {
 public:
  udp_socket(host& of, identity id, bool v6, int status_flags);

  int bind(const sockaddr* address, socklen_t size) override;
  int listen(int) override { return -EOPNOTSUPP; }
  int accept(file_reference&) override { return -EOPNOTSUPP; }
  int connect(const sockaddr* address, socklen_t size) override;
  std::int64_t receive(const iovec* into, int count, int flags, msghdr* rest) override;
  std::int64_t send(const iovec* from, int count, int flags, const msghdr* rest) override;
  int shutdown(int how) override;
  int local_name(sockaddr* address, socklen_t* size) const override;
  int peer_name(sockaddr* address, socklen_t* size) const override;
  int get_option(int level, int name, void* value, socklen_t* size) override;
  int set_option(int level, int name, const void* value, socklen_t size) override;
  int ioctl(unsigned long request, void* argument) override;
  unsigned ready() const noexcept override;
  bool has_datagrams() const noexcept override { return true; }
  std::string described() const override;
  void show(socket_status& as) const override;

  // -- for datagrams ----------------------------------------------------------------------------------------------

  // The one that takes what comes to `to` from there; null if there is none. A connected one goes before others, then
  // one of that very address, then the one that was bound last; with SO_REUSEPORT they share by the peer's name.
  static udp_socket* find(host& at, const endpoint& to, const endpoint& from) noexcept;
  static void deliver_to_all(host& at, const endpoint& from, const endpoint& to, const std::vector<std::byte>& payload);
  // False, and the payload is left, if there is no room for it.
  bool take(const endpoint& from, std::vector<std::byte>&& payload);
  // One that it has sent could not be delivered.
  void fail(int error) noexcept;

 private:
  struct port final : port_holder {
    explicit port(udp_socket& has) noexcept : of(has) {}
    udp_socket& of;
  };
  struct arrived {
    endpoint from;
    std::vector<std::byte> payload;
  };

  ~udp_socket() override = default;
  void closed() noexcept override;
  int claim_port();
  int bind_if_unbound();
  void forget_peer() noexcept;
  // Where to a call is to send or connect, and from which address. 0 or the error.
  int find_way(const endpoint& to, endpoint& target, ip_address& source_address, host*& there) const;
  bool has_name(const msghdr* rest) const noexcept;
  int named_in_call(const msghdr* rest, endpoint& to) const;
  int take_error() noexcept { return std::exchange(error_, 0); }
  bool takes(const endpoint& to, const endpoint& from) const noexcept;
  ip_address any() const noexcept { return v6_ ? ip_address::any_v6() : ip_address::any_v4(); }

  host& host_;
  socket_options options_;
  port port_;
  bool v6_;
  bool bound_address_ = false;  // by bind(), and so kept when the peer is forgotten
  bool bound_port_ = false;
  bool reads_shut_ = false;
  bool writes_shut_ = false;
  int error_ = 0;
  std::optional<endpoint> peer_;  // IPv4 is not mapped
  std::deque<arrived> queue_;
  std::size_t queued_ = 0;  // bytes of memory
};

}  // namespace lockstep::sim
