#include <lockstep/sim/dns_message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace lockstep::sim {

namespace {

constexpr std::size_t header_size = 12;
constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_cname = 5;
constexpr std::uint16_t type_aaaa = 28;
constexpr std::uint16_t is_response = 0x8000;
constexpr std::uint16_t is_authoritative = 0x0400;
constexpr std::uint16_t is_truncated = 0x0200;
constexpr std::uint16_t wants_recursion = 0x0100;
constexpr std::uint16_t has_recursion = 0x0080;

class writer {
 public:
  void byte(std::size_t value) { made.push_back(static_cast<std::byte>(value)); }
  void two(std::size_t value) {
    byte(value >> 8 & 0xFF);
    byte(value & 0xFF);
  }
  void four(std::uint32_t value) {
    two(value >> 16);
    two(value & 0xFFFF);
  }
  void name(std::string_view text) {
    while (!text.empty()) {
      const std::string_view label = text.substr(0, text.find('.'));
      byte(label.size());
      for (const char each : label) byte(static_cast<unsigned char>(each));
      text.remove_prefix(std::min(label.size() + 1, text.size()));
    }
    byte(0);
  }
  // All of a record but what it says.
  void record(std::string_view of, std::uint16_t type, duration ttl) {
    constexpr std::uint16_t internet = 1;
    name(of);
    two(type);
    two(internet);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(ttl).count();
    four(static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, 0x7FFFFFFF)));
  }

  std::vector<std::byte> made;
};

std::uint16_t two_at(std::span<const std::byte> message, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(message[at]) << 8 |
                                    std::to_integer<unsigned>(message[at + 1]));
}

std::uint16_t code_of(name_failure failure) noexcept {
  switch (failure) {
    case name_failure::no_such_name: return 3;
    case name_failure::server_failure: return 2;
    case name_failure::refused: return 5;
    default: return 0;
  }
}

const char* text_of(name_failure failure) noexcept {
  switch (failure) {
    case name_failure::none: return "none";
    case name_failure::no_such_name: return "no such name";
    case name_failure::no_data: return "no address";
    case name_failure::server_failure: return "server failure";
    case name_failure::refused: return "refused";
    case name_failure::timeout: return "no answer";
    case name_failure::truncated: return "cut short";
  }
  return "unknown failure";
}

name_failure failure_of(unsigned flags) noexcept {
  constexpr unsigned code_mask = 0xF;
  if ((flags & is_truncated) != 0) return name_failure::truncated;
  switch (flags & code_mask) {
    case 0: return name_failure::none;
    case 3: return name_failure::no_such_name;
    case 5: return name_failure::refused;
    default: return name_failure::server_failure;
  }
}

// Reads the first question. Returns what is behind it; nothing, and leaves `into` as it is, if it cannot be read.
std::span<const std::byte> read_question(std::span<const std::byte> message, dns_question& into) {
  std::size_t at = header_size;
  std::string name;
  for (;;) {
    if (at >= message.size()) return {};
    const auto length = std::to_integer<std::size_t>(message[at++]);
    if (length == 0) break;
    constexpr std::size_t label_max = 63;  // more would be a pointer, which a question has none of
    if (length > label_max || at + length > message.size()) return {};
    if (!name.empty()) name += '.';
    for (const std::byte each : message.subspan(at, length)) name += static_cast<char>(each);
    at += length;
  }
  constexpr std::size_t type_and_class = 4;
  if (at + type_and_class > message.size()) return {};
  into.readable = true;
  into.name = std::move(name);
  into.type = two_at(message, at);
  const auto section = message.subspan(header_size, at + type_and_class - header_size);
  into.section.assign(section.begin(), section.end());
  return message.subspan(at + type_and_class);
}

template <class Bytes>
ip_address address_of(std::span<const std::byte> data) noexcept {
  Bytes bytes{};
  std::transform(data.begin(), data.end(), bytes.begin(),
                 [](std::byte each) { return std::to_integer<std::uint8_t>(each); });
  return ip_address(bytes);
}

// Where a name ends that begins there.
std::size_t end_of_name(std::span<const std::byte> bytes) noexcept {
  constexpr std::size_t label_max = 63;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto length = std::to_integer<std::size_t>(bytes[at]);
    if (length > label_max) return at + 2;  // a pointer
    at += 1 + length;
    if (length == 0) break;
  }
  return at;
}

}  // namespace

int dns_question::family() const noexcept {
  return type == type_a ? AF_INET : type == type_aaaa ? AF_INET6 : AF_UNSPEC;
}

std::optional<dns_question> parse_question(std::span<const std::byte> message) {
  if (message.size() < header_size || (two_at(message, 2) & is_response) != 0) return std::nullopt;
  dns_question read;
  read.id = two_at(message, 0);
  read.recursion_desired = (two_at(message, 2) & wants_recursion) != 0;
  if (two_at(message, 4) == 1) read_question(message, read);
  return read;
}

std::vector<std::byte> encode_answer(const dns_question& to, const name_answer& answer, std::size_t size_max) {
  constexpr std::uint16_t format_error = 1;
  const bool cut_short = answer.failure == name_failure::truncated;
  const std::size_t answers = answer.aliases.size() + answer.addresses.size();
  std::size_t flags = std::size_t{is_response} | is_authoritative | has_recursion;
  if (to.recursion_desired) flags |= wants_recursion;
  if (cut_short) flags |= is_truncated;
  flags |= to.readable ? code_of(answer.failure) : format_error;
  writer out;
  out.two(to.id);
  out.two(flags);
  out.two(to.readable ? 1 : 0);
  out.two(cut_short ? 0 : answers);
  out.four(0);  // no authorities, and nothing additional
  out.made.insert(out.made.end(), to.section.begin(), to.section.end());
  if (cut_short || !to.readable) return std::move(out.made);
  for (const name_alias& each : answer.aliases) {
    out.record(each.name, type_cname, each.ttl);
    writer target;
    target.name(each.target);
    out.two(target.made.size());
    out.made.insert(out.made.end(), target.made.begin(), target.made.end());
  }
  const std::string_view owner = answer.aliases.empty() ? std::string_view(to.name) : answer.aliases.back().target;
  for (const ip_address& each : answer.addresses) {
    out.record(owner, each.is_v6() ? type_aaaa : type_a, answer.ttl);
    const std::size_t length = each.is_v6() ? 16 : 4;
    out.two(length);
    for (std::size_t i = 0; i < length; ++i) out.byte(each.bytes()[i]);
  }
  if (out.made.size() <= size_max) return std::move(out.made);
  return encode_answer(to, name_answer::failed(name_failure::truncated), size_max);
}

std::vector<std::byte> encode_question(std::string_view name, int family) {
  constexpr std::size_t internet = 1;
  const std::uint16_t type = family == AF_INET6 ? type_aaaa : type_a;
  writer out;
  out.two(type);
  out.two(wants_recursion);
  out.two(1);
  out.two(0);
  out.four(0);
  out.name(name);
  out.two(type);
  out.two(internet);
  return std::move(out.made);
}

std::optional<dns_answer> parse_answer(std::span<const std::byte> message) {
  if (message.size() < header_size || (two_at(message, 2) & is_response) == 0) return std::nullopt;
  dns_question question;
  std::span<const std::byte> rest = read_question(message, question);
  if (!question.readable) return std::nullopt;
  dns_answer read{question.name, question.family(), name_answer::failed(failure_of(two_at(message, 2)))};
  name_answer& what = read.what;
  if (what.failure != name_failure::none) return read;
  what.ttl = duration::max();
  for (std::size_t records = two_at(message, 6); records != 0; --records) {
    constexpr std::size_t fixed = 10;  // type, class, time to live, and how much follows
    const std::size_t at = end_of_name(rest);
    if (at + fixed > rest.size()) return std::nullopt;
    const std::uint16_t type = two_at(rest, at);
    const std::uint32_t seconds = std::uint32_t{two_at(rest, at + 4)} << 16 | two_at(rest, at + 6);
    const std::size_t length = two_at(rest, at + 8);
    if (at + fixed + length > rest.size()) return std::nullopt;
    const std::span<const std::byte> data = rest.subspan(at + fixed, length);
    what.ttl = std::min<duration>(what.ttl, std::chrono::seconds(seconds));
    if (type == type_a && length == sizeof(ip_address::v4_bytes)) {
      what.addresses.push_back(address_of<ip_address::v4_bytes>(data));
    } else if (type == type_aaaa && length == sizeof(ip_address::v6_bytes)) {
      what.addresses.push_back(address_of<ip_address::v6_bytes>(data));
    }
    rest = rest.subspan(at + fixed + length);
  }
  if (what.addresses.empty()) what.failure = name_failure::no_data;
  return read;
}

std::string text_of_dns(std::span<const std::byte> message) {
  const auto type_of = [](int family) { return family == AF_INET ? "A" : family == AF_INET6 ? "AAAA" : "other"; };
  if (const auto question = parse_question(message)) {
    return question->readable ? fmt::format("{} {}?", type_of(question->family()), question->name) : "";
  }
  const auto answer = parse_answer(message);
  if (!answer) return {};
  std::string text = fmt::format("{} {}: ", type_of(answer->family), answer->name);
  if (answer->what.failure != name_failure::none) return text + text_of(answer->what.failure);
  for (const ip_address& each : answer->what.addresses) {
    text += fmt::format("{}{}", &each == &answer->what.addresses.front() ? "" : ", ", each.text());
  }
  return text;
}

}  // namespace lockstep::sim
