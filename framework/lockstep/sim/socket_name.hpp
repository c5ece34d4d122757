// Names of internet sockets, as the calls take and give them.
#pragma once

#include <lockstep/net/endpoint.hpp>

namespace lockstep::sim {

// As getsockname() writes it: as much as there is room for, and how long it is. A socket of IPv6 sees all names as
// such.
int write_name(const endpoint& name, bool v6, sockaddr* address, socklen_t* size) noexcept;

// Where a socket sends that has this address, if it is to send to no address.
// Source: ip_route_output_key_hash() of Linux's net/ipv4/route.c, ip6_datagram_connect() of net/ipv6/datagram.c.
ip_address target_for_any(const ip_address& any, const ip_address& own) noexcept;

}  // namespace lockstep::sim
