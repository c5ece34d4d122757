// Packets as they go over the wire: IPv4 or IPv6, with TCP, UDP or ICMP in it, lengths and checksums right.
//
// The numbers of a TCP connection begin where a hash of its identity says, so that a second one between the same ports
// is another. Its windows are in units of 256 bytes, as the first packets of both sides say.
// Source: RFC 791, 8200 (IP), 9293, 7323 (TCP), 768 (UDP), 792, 4443 (ICMP), 1071 (checksums).
#pragma once

#include <lockstep/sim/traffic.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::sim {

using wire_bytes = std::vector<std::byte>;

class wire_format {
 public:
  // What is one packet to the kernel: TCP's segments of the MTU's size, a datagram in fragments if it is longer.
  std::vector<wire_bytes> packets_of(const traffic& of);

 private:
  std::uint32_t next_fragmented_ = 1;
};

}  // namespace lockstep::sim
