#include <lockstep/sim/socket_name.hpp>

#include <algorithm>
#include <cerrno>

namespace lockstep::sim {

int write_name(const endpoint& name, bool v6, sockaddr* address, socklen_t* size) noexcept {
  if (static_cast<int>(*size) < 0) return -EINVAL;
  sockaddr_storage whole;
  const ip_address& from = name.address();
  const socklen_t length =
      endpoint(v6 ? (from.is_v4() && from.is_any() ? ip_address::any_v6() : from.mapped()) : from.unmapped(),
               name.port())
          .to(whole);
  std::copy_n(reinterpret_cast<const char*>(&whole), std::min(length, *size), reinterpret_cast<char*>(address));
  *size = length;
  return 0;
}

ip_address target_for_any(const ip_address& any, const ip_address& own) noexcept {
  if (any.is_v6()) return own.is_v4() ? ip_address::loopback_v4() : ip_address::loopback_v6();
  return own.is_v4() && !own.is_any() ? own : ip_address::loopback_v4();
}

}  // namespace lockstep::sim
