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

}  // namespace lockstep::sim
