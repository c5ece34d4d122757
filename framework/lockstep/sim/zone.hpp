// What a name server knows: the addresses of names, and names that stand for others.
//
// Names are compared without regard to case and to a dot at the end.
// Source: RFC 1034, RFC 1035.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/time/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

// Why a server has no address for a name. A resolver makes of these what getaddrinfo() fails with.
enum class name_failure : std::uint8_t {
  none,
  no_such_name,    // NXDOMAIN
  no_data,         // the name has no address of that family
  server_failure,  // SERVFAIL
  refused,         // REFUSED
  timeout,         // no answer comes
  truncated,       // the answer does not fit in a datagram, and is to be asked for over TCP
};

// Those of which a name has addresses, and the place of each in a pair.
inline constexpr std::array<int, 2> name_families = {AF_INET, AF_INET6};
constexpr std::size_t slot_of(int family) noexcept { return family == AF_INET6 ? 1 : 0; }

struct name_alias {
  std::string name;
  std::string target;
  duration ttl{};
};

struct name_answer {
  name_failure failure = name_failure::none;
  std::vector<name_alias> aliases;  // the way from the name asked for to the one that has the addresses
  std::vector<ip_address> addresses;
  duration ttl{};  // of all together

  static name_answer failed(name_failure why) {
    name_answer made;
    made.failure = why;
    return made;
  }
};

class zone {
 public:
  // One more address of a name. The last time to live is that of all its addresses of the family.
  void add(std::string_view name, const ip_address& address, duration ttl);
  // `name` stands for `target`, and has no addresses of its own.
  void alias(std::string_view name, std::string_view target, duration ttl);
  void remove(std::string_view name);

  // AF_INET or AF_INET6; AF_UNSPEC for what is no address, of which no name has any. The addresses are in the order in
  // which they were added.
  name_answer look_up(std::string_view name, int family) const;

 private:
  struct entry {
    std::string target;  // if it is an alias
    duration alias_ttl{};
    std::vector<ip_address> v4;
    std::vector<ip_address> v6;
    duration v4_ttl{};
    duration v6_ttl{};
  };

  std::map<std::string, entry, std::less<>> entries_;
};

// In lower case, without the dot at the end.
std::string normal_name(std::string_view name);
// Whether it may be asked for: labels of 1 to 63 letters, digits, '-' and '_', 253 together.
bool is_name(std::string_view name) noexcept;

}  // namespace lockstep::sim
