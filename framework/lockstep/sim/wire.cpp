#include <lockstep/sim/wire.hpp>

#include <lockstep/base/hash.hpp>

#include <netinet/in.h>

#include <algorithm>
#include <span>
#include <utility>

namespace lockstep::sim {

namespace {

constexpr std::size_t v4_header = 20;
constexpr std::size_t v6_header = 40;
constexpr std::size_t tcp_header_bytes = 20;
constexpr std::size_t udp_header_bytes = 8;
constexpr std::uint32_t packet_bytes_max = 65'535;
constexpr unsigned window_shift = 8;

// Numbers in the network's order.
class wire_writer {
 public:
  void u8(std::uint64_t value) { bytes_.push_back(static_cast<std::byte>(value & 0xFF)); }
  void u16(std::uint64_t value) {
    u8(value >> 8);
    u8(value);
  }
  void u32(std::uint64_t value) {
    u16(value >> 16);
    u16(value);
  }
  void address(const ip_address& of) {
    const std::size_t size = of.is_v4() ? 4 : 16;
    for (std::size_t i = 0; i < size; ++i) u8(of.bytes()[i]);
  }
  void add(std::span<const std::byte> more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
  void put_u16(std::size_t at, std::uint16_t value) {
    bytes_[at] = static_cast<std::byte>(value >> 8);
    bytes_[at + 1] = static_cast<std::byte>(value & 0xFF);
  }
  std::size_t size() const noexcept { return bytes_.size(); }
  std::span<const std::byte> bytes() const noexcept { return bytes_; }
  wire_bytes take() { return std::move(bytes_); }

 private:
  wire_bytes bytes_;
};

std::uint16_t checksum_of(std::span<const std::byte> bytes) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[i]);
    sum += i % 2 == 0 ? byte << 8 : byte;
  }
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// Of what IP carries, with the pseudo-header before it.
std::uint16_t checksum_of(const traffic& of, int protocol, std::span<const std::byte> carried) {
  wire_writer all;
  all.address(of.from.address());
  all.address(of.to.address());
  all.u32(carried.size());
  all.u32(static_cast<std::uint64_t>(protocol));
  all.add(carried);
  return checksum_of(all.bytes());
}

struct fragment {
  std::uint32_t number = 0;  // of the datagram; 0 for one that is whole
  std::size_t offset = 0;
  bool more = false;
};

wire_bytes in_ip(const ip_address& from, const ip_address& to, int protocol, std::span<const std::byte> carried,
                 const fragment& part = {}) {
  constexpr std::uint64_t hops = 64;
  const bool whole = part.number == 0;
  wire_writer out;
  if (from.is_v4()) {
    out.u16(0x4500);
    out.u16(v4_header + carried.size());
    out.u16(part.number);
    out.u16(whole ? 0x4000u : (part.more ? 0x2000u : 0u) | part.offset / 8);
    out.u8(hops);
    out.u8(static_cast<std::uint64_t>(protocol));
    out.u16(0);
    out.address(from);
    out.address(to);
    out.put_u16(10, checksum_of(out.bytes()));
  } else {
    out.u32(0x6000'0000);
    out.u16(carried.size() + (whole ? 0u : 8u));
    out.u8(static_cast<std::uint64_t>(whole ? protocol : IPPROTO_FRAGMENT));
    out.u8(hops);
    out.address(from);
    out.address(to);
    if (!whole) {
      out.u8(static_cast<std::uint64_t>(protocol));
      out.u8(0);
      out.u16(part.offset | (part.more ? 1u : 0u));
      out.u32(part.number);
    }
  }
  out.add(carried);
  return out.take();
}

wire_bytes in_ip(const traffic& of, int protocol, std::span<const std::byte> carried, const fragment& part = {}) {
  return in_ip(of.from.address(), of.to.address(), protocol, carried, part);
}

std::size_t ip_header_of(const traffic& of) noexcept { return of.from.address().is_v4() ? v4_header : v6_header; }

std::uint32_t first_number(identity connection, bool of_client) noexcept {
  return static_cast<std::uint32_t>(roll(connection, of_client ? 1 : 2));
}

// One segment, of the bytes that are given; `last` of those that are sent together.
wire_bytes tcp_segment(const traffic& of, std::uint64_t position, std::span<const std::byte> payload, bool last) {
  const bool opens = (of.flags & traffic::syn) != 0;
  const bool acknowledges = (of.flags & traffic::acknowledges) != 0;
  const std::uint64_t after_syn = first_number(of.connection, of.by_client) + 1u + position;
  const std::uint64_t expects =
      first_number(of.connection, !of.by_client) + 1u + of.acknowledged + (of.end_acknowledged ? 1u : 0u);
  constexpr std::uint64_t window_max = 0xFFFF;
  const std::uint64_t units = opens ? of.room : (of.room + (1u << window_shift) - 1) >> window_shift;
  const std::size_t options = opens ? 8 : 0;
  wire_writer out;
  out.u16(of.from.port());
  out.u16(of.to.port());
  out.u32(opens ? after_syn - 1 : after_syn);
  out.u32(acknowledges ? expects : 0);
  out.u8((tcp_header_bytes + options) / 4 << 4);
  out.u8(last ? of.flags : of.flags & ~traffic::push);
  out.u16((of.flags & traffic::reset) != 0 ? 0 : std::min(units, window_max));
  out.u16(0);
  out.u16(0);
  if (opens) {
    const std::size_t headers = ip_header_of(of) + tcp_header_bytes;
    out.u16(0x0204);
    out.u16(std::min(of.mtu, packet_bytes_max) - headers);
    out.u32(0x01030300 | window_shift);
  }
  out.add(payload);
  out.put_u16(16, checksum_of(of, IPPROTO_TCP, out.bytes()));
  return in_ip(of, IPPROTO_TCP, out.bytes());
}

std::vector<wire_bytes> tcp_segments(const traffic& of) {
  const std::size_t headers = ip_header_of(of) + tcp_header_bytes;
  const std::uint32_t mtu = std::min(of.mtu, packet_bytes_max);
  const std::size_t most = mtu > headers ? mtu - headers : 1;
  std::vector<wire_bytes> all;
  std::size_t at = 0;
  do {
    const std::span<const std::byte> part = of.payload.subspan(at, std::min(most, of.payload.size() - at));
    all.push_back(tcp_segment(of, of.position + at, part, at + part.size() == of.payload.size()));
    at += part.size();
  } while (at < of.payload.size());
  return all;
}

void add_udp_header(wire_writer& out, const endpoint& from, const endpoint& to, std::size_t payload) {
  out.u16(from.port());
  out.u16(to.port());
  out.u16(udp_header_bytes + payload);
  out.u16(0);
}

wire_bytes icmp_message(const traffic& of) {
  const bool v4 = of.from.address().is_v4();
  wire_writer about;
  add_udp_header(about, of.to, of.from, of.about_bytes);
  wire_writer quoted_ip;  // whose length is that of the datagram, of which the first bytes follow
  quoted_ip.add(in_ip(of.to.address(), of.from.address(), IPPROTO_UDP, about.bytes()));
  const std::size_t length = udp_header_bytes + of.about_bytes;
  if (v4) {
    quoted_ip.put_u16(2, static_cast<std::uint16_t>(v4_header + length));
    quoted_ip.put_u16(10, 0);
    quoted_ip.put_u16(10, checksum_of(quoted_ip.bytes().first(v4_header)));
  } else {
    quoted_ip.put_u16(4, static_cast<std::uint16_t>(length));
  }
  wire_writer out;
  out.u16(v4 ? 0x0303 : 0x0104);  // destination unreachable: its port
  out.u16(0);
  out.u32(0);
  out.add(quoted_ip.bytes());
  const int protocol = v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  out.put_u16(2, v4 ? checksum_of(out.bytes()) : checksum_of(of, protocol, out.bytes()));
  return in_ip(of, protocol, out.bytes());
}

}  // namespace

std::vector<wire_bytes> wire_format::packets_of(const traffic& of) {
  if (of.carried == transport::tcp) return tcp_segments(of);
  if (of.carried == transport::icmp) return {icmp_message(of)};
  wire_writer out;
  add_udp_header(out, of.from, of.to, of.payload.size());
  out.add(of.payload);
  const std::uint16_t sum = checksum_of(of, IPPROTO_UDP, out.bytes());
  out.put_u16(6, sum != 0 ? sum : std::uint16_t{0xFFFF});  // 0 would say that there is none
  const std::size_t headers = ip_header_of(of);
  if (out.size() + headers <= of.mtu || of.mtu == 0) return {in_ip(of, IPPROTO_UDP, out.bytes())};
  // Each fragment begins at a multiple of 8; IPv6 has a header of 8 bytes for it.
  const std::size_t around = headers + (of.from.address().is_v4() ? 0u : 8u);
  const std::size_t most = of.mtu > around + 8 ? (of.mtu - around) / 8 * 8 : 8;
  fragment part{next_fragmented_++, 0, false};
  if (next_fragmented_ > 0xFFFF) next_fragmented_ = 1;
  std::vector<wire_bytes> all;
  for (; part.offset < out.size(); part.offset += most) {
    const std::size_t size = std::min(most, out.size() - part.offset);
    part.more = part.offset + size < out.size();
    all.push_back(in_ip(of, IPPROTO_UDP, out.bytes().subspan(part.offset, size), part));
  }
  return all;
}

}  // namespace lockstep::sim
