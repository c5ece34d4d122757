// Names of internet sockets, as the calls take and give them.
#pragma once

#include <lockstep/net/endpoint.hpp>

namespace lockstep::sim {

// As getsockname() writes it: as much as there is room for, and how long it is. A socket of IPv6 sees all names as
// such.
int write_name(const endpoint& name, bool v6, sockaddr* address, socklen_t* size) noexcept;

}  // namespace lockstep::sim
