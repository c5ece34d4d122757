// A datagram of UDP on its way, and the message of ICMP that comes back if nobody takes it.
// Source: RFC 768, RFC 792.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/sim/packet.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace lockstep::sim {

class host;

// Whence and whither, with the hosts that have those addresses.
struct datagram_route {
  host* sender = nullptr;
  host* receiver = nullptr;
  endpoint from;
  endpoint to;  // IPv4 is never mapped here
};

class datagram final : public packet {
 public:
  datagram(const datagram_route& route, std::vector<std::byte> payload) : route_(route), payload_(std::move(payload)) {}

  // The header of the internet protocol, and UDP's.
  static constexpr std::size_t header_bytes(bool v6) noexcept { return v6 ? 48 : 28; }

  identity destination() const noexcept override;
  std::size_t bytes() const noexcept override;
  std::size_t fragments(std::uint32_t mtu) const noexcept override;

 private:
  void arrive() noexcept override;
  bool describe(traffic& as) const noexcept override;
  std::unique_ptr<packet> again() const override { return std::make_unique<datagram>(route_, payload_); }
  std::uint64_t bits() const noexcept override { return 8 * payload_.size(); }
  void change(std::uint64_t bit) noexcept override { payload_[bit / 8] ^= std::byte{1} << (bit % 8); }

  datagram_route route_;
  std::vector<std::byte> payload_;
};

// Says to the sender of a datagram that it could not be delivered: ECONNREFUSED or EHOSTUNREACH.
class delivery_failure final : public packet {
 public:
  // The datagram carried so many bytes.
  delivery_failure(const datagram_route& of, std::size_t bytes, int error) noexcept
      : of_(of), bytes_(bytes), error_(error) {}

  identity destination() const noexcept override;
  std::size_t bytes() const noexcept override { return 56; }

 private:
  void arrive() noexcept override;
  bool describe(traffic& as) const noexcept override;

  datagram_route of_;
  std::size_t bytes_;
  int error_;
};

}  // namespace lockstep::sim
