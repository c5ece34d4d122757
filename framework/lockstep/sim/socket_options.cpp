#include <lockstep/sim/socket_options.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace lockstep::sim {

namespace {

constexpr int any_kind = 7;
constexpr int tcp = 1;
constexpr int udp = 2;
constexpr int inet = tcp | udp;
constexpr int int_max = std::numeric_limits<int>::max();

struct row {
  option which;
  int level;
  int name;
  int classes;
  int initial;
  int lowest;
  int highest;
  bool flag;  // any value but 0 is 1
};

// Those with highest < lowest take any value.
constexpr row rows[] = {
    {option::reuse_address, SOL_SOCKET, SO_REUSEADDR, any_kind, 0, 0, 1, true},
    {option::reuse_port, SOL_SOCKET, SO_REUSEPORT, inet, 0, 0, 1, true},
    {option::keep_alive, SOL_SOCKET, SO_KEEPALIVE, any_kind, 0, 0, 1, true},
    {option::broadcast, SOL_SOCKET, SO_BROADCAST, any_kind, 0, 0, 1, true},
    {option::out_of_band_inline, SOL_SOCKET, SO_OOBINLINE, any_kind, 0, 0, 1, true},
    {option::send_buffer, SOL_SOCKET, SO_SNDBUF, any_kind, 0, 1, 0, false},
    {option::receive_buffer, SOL_SOCKET, SO_RCVBUF, any_kind, 0, 1, 0, false},
    {option::receive_low_water, SOL_SOCKET, SO_RCVLOWAT, any_kind, 1, 1, 0, false},
    {option::priority, SOL_SOCKET, SO_PRIORITY, any_kind, 0, 0, 6, false},
    {option::pass_credentials, SOL_SOCKET, SO_PASSCRED, 4, 0, 0, 1, true},
    {option::timestamp, SOL_SOCKET, SO_TIMESTAMP, any_kind, 0, 0, 1, true},
    {option::do_not_route, SOL_SOCKET, SO_DONTROUTE, any_kind, 0, 0, 1, true},
    {option::zero_copy, SOL_SOCKET, SO_ZEROCOPY, inet, 0, 0, 1, true},
    {option::only_v6, IPPROTO_IPV6, IPV6_V6ONLY, inet, 0, 0, 1, true},
    {option::time_to_live, IPPROTO_IP, IP_TTL, inet, 64, 1, 255, false},
    {option::type_of_service, IPPROTO_IP, IP_TOS, inet, 0, 0, 255, false},
    {option::packet_info, IPPROTO_IP, IP_PKTINFO, inet, 0, 0, 1, true},
    {option::receive_errors, IPPROTO_IP, IP_RECVERR, inet, 0, 0, 1, true},
    {option::path_mtu_discovery, IPPROTO_IP, IP_MTU_DISCOVER, inet, IP_PMTUDISC_WANT, 0, 5, false},
    {option::no_delay, IPPROTO_TCP, TCP_NODELAY, tcp, 0, 0, 1, true},
    {option::cork, IPPROTO_TCP, TCP_CORK, tcp, 0, 0, 1, true},
    {option::quick_acknowledgement, IPPROTO_TCP, TCP_QUICKACK, tcp, 1, 0, 1, true},
    {option::keep_alive_idle, IPPROTO_TCP, TCP_KEEPIDLE, tcp, 7200, 1, 32767, false},
    {option::keep_alive_interval, IPPROTO_TCP, TCP_KEEPINTVL, tcp, 75, 1, 32767, false},
    {option::keep_alive_count, IPPROTO_TCP, TCP_KEEPCNT, tcp, 9, 1, 127, false},
    {option::user_timeout, IPPROTO_TCP, TCP_USER_TIMEOUT, tcp, 0, 0, int_max, false},
    {option::syn_count, IPPROTO_TCP, TCP_SYNCNT, tcp, 6, 1, 127, false},
    {option::defer_accept, IPPROTO_TCP, TCP_DEFER_ACCEPT, tcp, 0, 1, 0, false},
    {option::segment_bytes, IPPROTO_TCP, TCP_MAXSEG, tcp, 536, 88, 32767, false},
    {option::linger_2, IPPROTO_TCP, TCP_LINGER2, tcp, 60, 1, 0, false},
};

constexpr int class_bit(socket_class of) noexcept { return 1 << static_cast<int>(of); }

const row* find(socket_class of, bool v6, int level, int name) noexcept {
  const auto* const found = std::find_if(std::begin(rows), std::end(rows), [&](const row& each) {
    return each.level == level && each.name == name && (each.classes & class_bit(of)) != 0;
  });
  if (found == std::end(rows) || (level == IPPROTO_IPV6 && !v6)) return nullptr;
  return found;
}

// Twice what is asked for, as the kernel needs room for itself, within its limits.
constexpr int buffer_max = 212'992;
constexpr int send_buffer_min = 4'608;
constexpr int receive_buffer_min = 2'304;

int buffer_of(int asked, int least) noexcept { return std::max(2 * std::clamp(asked, 0, buffer_max), least); }

}  // namespace

constexpr socket_options::kept socket_options::defaults_of(socket_class of) noexcept {
  kept made;
  for (const row& each : rows) made.values[static_cast<std::size_t>(each.which)] = each.initial;
  // What Linux begins with: net.ipv4.tcp_wmem, tcp_rmem, net.core.wmem_default.
  made.values[static_cast<std::size_t>(option::send_buffer)] = of == socket_class::tcp ? 87'040 : 212'992;
  made.values[static_cast<std::size_t>(option::receive_buffer)] = of == socket_class::tcp ? 131'072 : 212'992;
  return made;
}

socket_options::socket_options(socket_class of, bool v6) noexcept : class_(of), v6_(v6) {
  static constexpr kept defaults[] = {defaults_of(socket_class::tcp), defaults_of(socket_class::udp),
                                      defaults_of(socket_class::local)};
  is_ = &defaults[static_cast<std::size_t>(of)];
}

socket_options::kept& socket_options::own() {
  if (own_.use_count() != 1) {
    own_ = std::make_shared<kept>(*is_);
    is_ = own_.get();
  }
  return *own_;
}

int write_option(const void* from, std::size_t from_size, void* value, socklen_t* size) noexcept {
  if (static_cast<int>(*size) < 0) return -EINVAL;
  const std::size_t written = std::min<std::size_t>(from_size, *size);
  std::memcpy(value, from, written);
  *size = static_cast<socklen_t>(written);
  return 0;
}

// Whether it would have options of that level.
bool socket_options::knows_level(int level) const noexcept {
  switch (class_) {
    case socket_class::tcp:
      return level == SOL_SOCKET || level == IPPROTO_IP || level == IPPROTO_TCP || (v6_ && level == IPPROTO_IPV6);
    case socket_class::udp:
      return level == SOL_SOCKET || level == IPPROTO_IP || level == IPPROTO_UDP || (v6_ && level == IPPROTO_IPV6);
    case socket_class::local: return level == SOL_SOCKET;
  }
  return false;
}

int socket_options::get(int level, int name, void* value, socklen_t* size) const {
  if (level == SOL_SOCKET) {
    if (name == SO_LINGER) return write_option(&is_->lingers, sizeof is_->lingers, value, size);
    if (name == SO_RCVTIMEO) return write_option(&is_->receive_timeout, sizeof(timeval), value, size);
    if (name == SO_SNDTIMEO) return write_option(&is_->send_timeout, sizeof(timeval), value, size);
    if (name == SO_SNDLOWAT) {
      const int one = 1;
      return write_option(&one, sizeof one, value, size);
    }
  }
  const row* const found = find(class_, v6_, level, name);
  if (found == nullptr) return knows_level(level) ? -ENOPROTOOPT : -EOPNOTSUPP;
  const int held = (*this)[found->which];
  return write_option(&held, sizeof held, value, size);
}

int socket_options::set_timeout(int name, const void* value, socklen_t size) {
  constexpr int us_per_second = 1'000'000;
  timeval given;
  if (size < sizeof given) return -EINVAL;
  std::memcpy(&given, value, sizeof given);
  if (given.tv_usec < 0 || given.tv_usec >= us_per_second) return -EDOM;
  if (given.tv_sec < 0) given = {};
  (name == SO_RCVTIMEO ? own().receive_timeout : own().send_timeout) = given;
  return 0;
}

int socket_options::set(int level, int name, const void* value, socklen_t size) {
  int given = 0;
  if (size < sizeof given) return -EINVAL;
  std::memcpy(&given, value, sizeof given);
  if (level == SOL_SOCKET) {
    if (name == SO_RCVTIMEO || name == SO_SNDTIMEO) return set_timeout(name, value, size);
    if (name == SO_LINGER) {
      linger wanted;
      if (size < sizeof wanted) return -EINVAL;
      std::memcpy(&wanted, value, sizeof wanted);
      linger& lingers = own().lingers;
      lingers.l_onoff = wanted.l_onoff != 0 ? 1 : 0;
      if (wanted.l_onoff != 0) lingers.l_linger = wanted.l_linger;
      return 0;
    }
    if (name == SO_ERROR || name == SO_TYPE || name == SO_DOMAIN || name == SO_PROTOCOL || name == SO_ACCEPTCONN ||
        name == SO_SNDLOWAT) {
      return -ENOPROTOOPT;
    }
  }
  const row* const found = find(class_, v6_, level, name);
  if (found == nullptr) {
    if (level == SOL_SOCKET && name == SO_REUSEPORT && given == 0) return 0;
    const bool knows = class_ != socket_class::local || (level == SOL_SOCKET && name != SO_REUSEPORT);
    return knows ? -ENOPROTOOPT : -EOPNOTSUPP;
  }
  int& held = this->value(found->which);
  if (name == SO_SNDBUF && level == SOL_SOCKET) {
    held = buffer_of(given, send_buffer_min);
  } else if (name == SO_RCVBUF && level == SOL_SOCKET) {
    held = buffer_of(given, receive_buffer_min);
  } else if (name == SO_RCVLOWAT && level == SOL_SOCKET) {
    held = given < 0 ? int_max : std::max(given, 1);
  } else if (name == IP_TTL && level == IPPROTO_IP && given == -1) {
    held = found->initial;
  } else if (found->flag) {
    held = given != 0 ? 1 : 0;
  } else if (found->lowest <= found->highest && (given < found->lowest || given > found->highest)) {
    return -EINVAL;
  } else {
    held = given;
  }
  return 0;
}

}  // namespace lockstep::sim
