#include <lockstep/net/endpoint.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <ostream>
#include <stdexcept>
#include <type_traits>

namespace lockstep {

static_assert(std::is_trivially_copyable_v<endpoint>);

namespace {

// All of `text` as a number.
template <class Number>
std::optional<Number> number_of(std::string_view text) noexcept {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

template <class Bytes>
std::optional<Bytes> bytes_of(int family, std::string_view text) noexcept {
  char ended[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof ended || text.find('\0') != std::string_view::npos) return std::nullopt;
  ended[text.copy(ended, sizeof ended - 1)] = '\0';
  Bytes bytes;
  if (inet_pton(family, ended, bytes.data()) != 1) return std::nullopt;
  return bytes;
}

}  // namespace

// -- ip_address -------------------------------------------------------------------------------------------------------

std::optional<ip_address> ip_address::parsed(std::string_view text) noexcept {
  if (const auto bytes = bytes_of<v4_bytes>(AF_INET, text)) return ip_address(*bytes);
  const std::size_t percent = text.find('%');
  const auto bytes = bytes_of<v6_bytes>(AF_INET6, text.substr(0, percent));
  if (!bytes) return std::nullopt;
  if (percent == std::string_view::npos) return ip_address(*bytes);
  const auto scope = number_of<std::uint32_t>(text.substr(percent + 1));
  if (!scope) return std::nullopt;
  return ip_address(*bytes, *scope);
}

ip_address ip_address::parse(std::string_view text) {
  if (const auto found = parsed(text)) return *found;
  const std::string_view unscoped = text.substr(0, text.find('%'));
  if (const auto found = parsed(unscoped); found && found->is_v6()) {
    throw std::invalid_argument(fmt::format(
        R"(the scope of "{}" is no number; write the number of the interface, such as "{}%2")", text, unscoped));
  }
  throw std::invalid_argument(
      fmt::format(R"("{}" is no IP address; write one such as "10.0.0.2" or "::1", and resolve a name first)", text));
}

std::string ip_address::text() const {
  char written[INET6_ADDRSTRLEN];
  inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), written, sizeof written);
  return scope_ == 0 ? std::string(written) : fmt::format("{}%{}", written, scope_);
}

std::ostream& operator<<(std::ostream& out, const ip_address& shown) { return out << shown.text(); }

// -- endpoint ---------------------------------------------------------------------------------------------------------

endpoint endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  if (const auto alone = ip_address::parsed(text)) {
    throw std::invalid_argument(alone->is_v6()
                                    ? fmt::format(R"("{0}" is an address without a port; write "[{0}]:80")", text)
                                    : fmt::format(R"("{0}" is an address without a port; write "{0}:80")", text));
  }
  if (colon == std::string_view::npos || (bracketed && text.ends_with(']'))) {
    throw std::invalid_argument(fmt::format(R"("{0}" has no port; write "{0}:80")", text));
  }
  std::string_view address = text.substr(0, colon);
  if (address.empty()) {
    throw std::invalid_argument(
        fmt::format(R"("{0}" has no address; write "0.0.0.0{0}" for every address of the host)", text));
  }
  if (bracketed && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
    if (const auto inside = ip_address::parsed(address); inside && inside->is_v4()) {
      throw std::invalid_argument(
          fmt::format(R"("{}" has brackets around an IPv4 address; write "{}{}")", text, address, text.substr(colon)));
    }
  } else if (const auto open = ip_address::parsed(address); open && open->is_v6()) {
    throw std::invalid_argument(fmt::format(R"("{}" has no brackets around its IPv6 address; write "[{}]{}")", text,
                                            address, text.substr(colon)));
  }
  const auto port = number_of<std::uint16_t>(text.substr(colon + 1));
  if (!port) {
    throw std::invalid_argument(
        fmt::format(R"("{}" has no port behind its last colon; write a number of 0 to 65535 there)", text));
  }
  return {ip_address::parse(address), *port};
}

std::string endpoint::text() const {
  return address_.is_v6() ? fmt::format("[{}]:{}", address_.text(), port_)
                          : fmt::format("{}:{}", address_.text(), port_);
}

socklen_t endpoint::to(sockaddr_storage& into) const noexcept {
  const auto store = [&into](const auto& made) {
    std::memcpy(&into, &made, sizeof made);
    return static_cast<socklen_t>(sizeof made);
  };
  if (address_.is_v4()) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port_);
    std::memcpy(&made.sin_addr, address_.bytes().data(), sizeof made.sin_addr);
    return store(made);
  }
  sockaddr_in6 made{};
  made.sin6_family = AF_INET6;
  made.sin6_port = htons(port_);
  std::memcpy(&made.sin6_addr, address_.bytes().data(), sizeof made.sin6_addr);
  made.sin6_scope_id = address_.scope();
  return store(made);
}

std::optional<endpoint> endpoint::from(const sockaddr* address, socklen_t size) noexcept {
  sa_family_t family = AF_UNSPEC;
  if (address == nullptr || size < offsetof(sockaddr, sa_family) + sizeof family) return std::nullopt;
  std::memcpy(&family, reinterpret_cast<const char*>(address) + offsetof(sockaddr, sa_family), sizeof family);
  if (family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in read{};
    std::memcpy(&read, address, sizeof read);
    ip_address::v4_bytes bytes;
    std::memcpy(bytes.data(), &read.sin_addr, bytes.size());
    return endpoint(ip_address(bytes), ntohs(read.sin_port));
  }
  // Without the scope, which came later, as Linux takes it.
  constexpr std::size_t least = offsetof(sockaddr_in6, sin6_scope_id);
  if (family == AF_INET6 && size >= least) {
    sockaddr_in6 read{};
    std::memcpy(&read, address, size < sizeof read ? least : sizeof read);
    ip_address::v6_bytes bytes;
    std::memcpy(bytes.data(), &read.sin6_addr, bytes.size());
    return endpoint(ip_address(bytes, read.sin6_scope_id), ntohs(read.sin6_port));
  }
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& out, const endpoint& shown) { return out << shown.text(); }

}  // namespace lockstep
