// Questions and answers of DNS as they go over the wire.
// Source: RFC 1035, RFC 3596.
#pragma once

#include <lockstep/sim/zone.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

inline constexpr std::uint16_t dns_port = 53;
inline constexpr std::size_t dns_message_max = 65'535;  // bytes, over TCP

struct dns_question {
  std::uint16_t id = 0;
  bool recursion_desired = false;
  bool readable = false;  // if not, the rest is empty, and the answer is FORMERR
  std::string name;       // as it was written, without the dot at the end
  std::uint16_t type = 0;
  std::vector<std::byte> section;  // the question as it came, which the answer repeats

  // AF_INET for a question of type A, AF_INET6 for AAAA, AF_UNSPEC for any other.
  int family() const noexcept;
};

// Nothing for what is no question at all.
std::optional<dns_question> parse_question(std::span<const std::byte> message);

// Without answers but with the bit TC, where it would have more than `size_max` bytes.
std::vector<std::byte> encode_answer(const dns_question& to, const name_answer& answer, std::size_t size_max);

// A question for addresses of that family, AF_INET or AF_INET6, which is its number as well.
std::vector<std::byte> encode_question(std::string_view name, int family);

struct dns_answer {
  std::string name;
  int family = AF_UNSPEC;  // of the question, as it says
  name_answer what;        // without aliases; of what is longer than a datagram, that it was cut short
};

// Nothing for what is no answer, or one that cannot be read.
std::optional<dns_answer> parse_answer(std::span<const std::byte> message);

// "A db.example?", "A db.example: 10.0.0.7, 10.0.0.8"; empty for what is neither.
std::string text_of_dns(std::span<const std::byte> message);

}  // namespace lockstep::sim
