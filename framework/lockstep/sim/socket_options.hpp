// The options of a socket that are numbers: what setsockopt() sets and getsockopt() gives back.
// Source: socket(7), ip(7), ipv6(7), tcp(7), unix(7).
#pragma once

#include <lockstep/net/endpoint.hpp>

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace lockstep::sim {

enum class option : std::uint8_t {
  reuse_address,
  reuse_port,
  keep_alive,
  broadcast,
  out_of_band_inline,
  send_buffer,
  receive_buffer,
  receive_low_water,
  priority,
  pass_credentials,
  timestamp,
  do_not_route,
  zero_copy,
  // From here on of one family or protocol.
  only_v6,
  time_to_live,
  type_of_service,
  packet_info,
  receive_errors,
  path_mtu_discovery,
  no_delay,
  cork,
  quick_acknowledgement,
  keep_alive_idle,
  keep_alive_interval,
  keep_alive_count,
  user_timeout,
  syn_count,
  defer_accept,
  segment_bytes,
  linger_2,
  count
};

// Which options there are.
enum class socket_class : std::uint8_t { tcp, udp, local };

// A socket that is bound to such an address takes nothing of IPv4.
// Source: __inet6_bind() of Linux's net/ipv6/af_inet6.c.
inline bool is_only_v6(const ip_address& address) noexcept {
  return address.is_v6() && !address.is_any() && !address.is_v4_mapped();
}

// Sockets share what they have not set themselves: those of a listener with those that it has accepted.
class socket_options {
 public:
  socket_options(socket_class of, bool v6) noexcept;

  int operator[](option which) const noexcept { return is_->values[static_cast<std::size_t>(which)]; }
  bool on(option which) const noexcept { return (*this)[which] != 0; }
  linger lingering() const noexcept { return is_->lingers; }
  void bound_to(const ip_address& address) {
    if (is_only_v6(address)) value(option::only_v6) = 1;
  }
  void inherit(const socket_options& from, option which) {
    if (from[which] != (*this)[which]) value(which) = from[which];
  }

  // Of the buffers, without Linux's limits.
  void set_buffers(int send_bytes, int receive_bytes) {
    value(option::send_buffer) = send_bytes;
    value(option::receive_buffer) = receive_bytes;
  }

  // As the system's calls, for the options that are kept here; -ENOPROTOOPT for others.
  int get(int level, int name, void* value, socklen_t* size) const;
  int set(int level, int name, const void* value, socklen_t size);

 private:
  bool knows_level(int level) const noexcept;
  int set_timeout(int name, const void* value, socklen_t size);

  struct kept {
    std::array<int, static_cast<std::size_t>(option::count)> values{};
    linger lingers{};
    timeval receive_timeout{};
    timeval send_timeout{};
  };

  static constexpr kept defaults_of(socket_class of) noexcept;
  // Those of this socket alone, to be changed.
  kept& own();
  int& value(option which) { return own().values[static_cast<std::size_t>(which)]; }

  const kept* is_;             // the defaults, or
  std::shared_ptr<kept> own_;  // what was set
  socket_class class_;
  bool v6_;
};

// Writes a value of an option as getsockopt() does: as much of it as there is room for.
int write_option(const void* from, std::size_t from_size, void* value, socklen_t* size) noexcept;

}  // namespace lockstep::sim
