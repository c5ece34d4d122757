// For tests of name servers: questions as a resolver sends them, and what an answer says.
#pragma once

#include <lockstep/net/endpoint.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::sim {

constexpr int type_a = 1;
constexpr int type_aaaa = 28;
constexpr int type_mx = 15;

inline std::string dns_question_text(std::string_view name, int type, int id = 0x1234) {
  std::string made = {static_cast<char>(id >> 8), static_cast<char>(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    made += static_cast<char>(label.size());
    made += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  made += std::string{0, 0, static_cast<char>(type), 0, 1};
  return made;
}

// "rcode 0: db.example 30 10.0.0.7", with "cut short" where the bit TC is set.
inline std::string dns_answer_text(std::string_view message) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(message.at(at))); };
  std::size_t at = 12;
  const auto name = [&] {
    std::string read;
    for (unsigned length = byte(at++); length != 0; length = byte(at++)) {
      read += (read.empty() ? "" : ".") + std::string(message.substr(at, length));
      at += length;
    }
    return read;
  };
  std::string text = "rcode " + std::to_string(byte(3) & 15) + ":";
  if ((byte(2) & 2) != 0) text += " cut short";
  if (byte(5) != 0) {
    name();
    at += 4;
  }
  for (unsigned left = byte(6) << 8 | byte(7); left != 0; --left) {
    const unsigned type = (text += " " + name(), byte(at + 1));
    text += " " + std::to_string(byte(at + 4) << 24 | byte(at + 5) << 16 | byte(at + 6) << 8 | byte(at + 7));
    const unsigned length = byte(at + 8) << 8 | byte(at + 9);
    at += 10;
    if (type == 5) {
      text += " -> " + name();
      continue;
    }
    ip_address::v6_bytes bytes{};
    for (unsigned i = 0; i < length; ++i) bytes.at(i) = static_cast<std::uint8_t>(byte(at + i));
    at += length;
    text +=
        " " + (type == 1 ? ip_address(ip_address::v4_bytes{bytes[0], bytes[1], bytes[2], bytes[3]}) : ip_address(bytes))
                  .text();
  }
  return text;
}

}  // namespace lockstep::sim
