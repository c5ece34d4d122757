// Addresses of the internet protocols: ip_address, and endpoint, which is one with a port.
//
//   const endpoint web = "10.0.0.2:80";
//   const endpoint here(ip_address::loopback_v6(), 8080);   // [::1]:8080
//
// Both are values, small and trivially copyable. They hold addresses, not names: a resolver makes those of names.
// Source: RFC 4291 and RFC 5952 for the text of IPv6, RFC 4007 for scopes.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

// An IPv4 address, or one of IPv6 with its scope. They compare by value: IPv4 before IPv6, then number by number.
class ip_address {
 public:
  using v4_bytes = std::array<std::uint8_t, 4>;
  using v6_bytes = std::array<std::uint8_t, 16>;

  // 0.0.0.0.
  constexpr ip_address() noexcept = default;
  // As they go over the wire.
  constexpr explicit ip_address(const v4_bytes& bytes) noexcept : bytes_{bytes[0], bytes[1], bytes[2], bytes[3]} {}
  // `scope` is the number of the interface that a link-local address is of; 0 for none.
  constexpr explicit ip_address(const v6_bytes& bytes, std::uint32_t scope = 0) noexcept
      : v6_(true), bytes_(bytes), scope_(scope) {}
  // As parse().
  ip_address(const char* text) : ip_address(parse(text)) {}

  // The address of "10.0.0.2", "::1" or "fe80::1%2". Throws std::invalid_argument for any other text.
  static ip_address parse(std::string_view text);
  // The same, or nothing.
  static std::optional<ip_address> parsed(std::string_view text) noexcept;

  static constexpr ip_address any_v4() noexcept { return {}; }
  static constexpr ip_address any_v6() noexcept { return ip_address(v6_bytes{}); }
  static constexpr ip_address loopback_v4() noexcept { return ip_address(v4_bytes{127, 0, 0, 1}); }
  static constexpr ip_address loopback_v6() noexcept {
    return ip_address(v6_bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  }
  // "10.0.0.2" for 0x0a000002.
  static constexpr ip_address v4(std::uint32_t number) noexcept {
    return ip_address(v4_bytes{static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
                               static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
  }

  constexpr bool is_v4() const noexcept { return !v6_; }
  constexpr bool is_v6() const noexcept { return v6_; }
  // 0.0.0.0 or ::, which stand for every address of the host.
  constexpr bool is_any() const noexcept { return bytes_ == v6_bytes{}; }
  // 127.0.0.0/8 or ::1; also as IPv4 mapped into IPv6.
  constexpr bool is_loopback() const noexcept {
    if (is_v4_mapped()) return unmapped().is_loopback();
    return v6_ ? bytes_ == loopback_v6().bytes_ : bytes_[0] == 127;
  }
  constexpr bool is_link_local() const noexcept {
    return v6_ ? bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80 : bytes_[0] == 169 && bytes_[1] == 254;
  }
  constexpr bool is_multicast() const noexcept { return v6_ ? bytes_[0] == 0xff : (bytes_[0] & 0xf0) == 0xe0; }

  // ::ffff:10.0.0.2, as which a socket of IPv6 sees one of IPv4.
  constexpr bool is_v4_mapped() const noexcept {
    if (!v6_ || bytes_[10] != 0xff || bytes_[11] != 0xff) return false;
    for (std::size_t i = 0; i < 10; ++i) {
      if (bytes_[i] != 0) return false;
    }
    return true;
  }
  // The address of IPv4 that is mapped; itself if none is.
  constexpr ip_address unmapped() const noexcept {
    return is_v4_mapped() ? ip_address(v4_bytes{bytes_[12], bytes_[13], bytes_[14], bytes_[15]}) : *this;
  }
  // Of IPv4, what it is mapped to; itself otherwise.
  constexpr ip_address mapped() const noexcept {
    if (v6_) return *this;
    return ip_address(v6_bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, bytes_[0], bytes_[1], bytes_[2], bytes_[3]});
  }

  // 0x0a000002 for "10.0.0.2". Requires IPv4.
  constexpr std::uint32_t number() const noexcept {
    return std::uint32_t{bytes_[0]} << 24 | std::uint32_t{bytes_[1]} << 16 | std::uint32_t{bytes_[2]} << 8 | bytes_[3];
  }
  // As they go over the wire; of IPv4 the first four.
  constexpr const v6_bytes& bytes() const noexcept { return bytes_; }
  constexpr std::uint32_t scope() const noexcept { return scope_; }

  std::string text() const;

  friend constexpr auto operator<=>(const ip_address&, const ip_address&) noexcept = default;
  friend std::ostream& operator<<(std::ostream& out, const ip_address& shown);

 private:
  bool v6_ = false;
  v6_bytes bytes_{};
  std::uint32_t scope_ = 0;
};

// An address and a port, 0 … 65535: where a socket is, or its peer. They compare by address, then by port.
class endpoint {
 public:
  // 0.0.0.0:0.
  constexpr endpoint() noexcept = default;
  constexpr endpoint(const ip_address& address, std::uint16_t port) noexcept : address_(address), port_(port) {}
  // As parse().
  endpoint(const char* text) : endpoint(parse(text)) {}

  // The endpoint of "10.0.0.2:80", "[::1]:80" or "[fe80::1%2]:80". Throws std::invalid_argument for any other text.
  static endpoint parse(std::string_view text);

  constexpr const ip_address& address() const noexcept { return address_; }
  constexpr std::uint16_t port() const noexcept { return port_; }
  constexpr endpoint with_port(std::uint16_t port) const noexcept { return {address_, port}; }

  std::string text() const;

  // Writes it as the system's calls take it, and returns how many bytes of `into` that are.
  socklen_t to(sockaddr_storage& into) const noexcept;
  // What such a call has written, of so many bytes; nothing if it is of another family or cut short.
  static std::optional<endpoint> from(const sockaddr* address, socklen_t size) noexcept;

  friend constexpr auto operator<=>(const endpoint&, const endpoint&) noexcept = default;
  friend std::ostream& operator<<(std::ostream& out, const endpoint& shown);

 private:
  ip_address address_;
  std::uint16_t port_ = 0;
};

}  // namespace lockstep
