// What is in a file of a capture, in words: one line a packet, in the order of the file.
#pragma once

#include <lockstep/net/endpoint.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace lockstep::sim {

// A file that goes with the test.
struct captured_file {
  std::string path;

  explicit captured_file(const std::string& name) : path(::testing::TempDir() + name + ".pcapng") {}
  captured_file(const captured_file&) = delete;
  captured_file& operator=(const captured_file&) = delete;
  ~captured_file() { std::filesystem::remove(path); }
};

// Reads pcapng as far as a capture writes it.
class captured_reader {
 public:
  explicit captured_reader(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    for (std::size_t at = 0; at + 12 <= bytes_.size(); at += u32(at + 4)) {
      const std::uint64_t type = u32(at);
      EXPECT_EQ(u32(at + 4) % 4, 0u);
      EXPECT_EQ(u32(at + u32(at + 4) - 4), u32(at + 4)) << "a block says its length twice";
      if (type == 1) interfaces_.push_back(text(at + 20, u16(at + 18)));
      if (type == 6) add_packet(at);
    }
  }

  // "web - client 0.030000000 10.0.0.1 32768 10.0.0.2 80 tcp 0x0010 5 lost: partition"
  const std::vector<std::string>& lines() const noexcept { return lines_; }

 private:
  std::uint64_t byte(std::size_t at) const { return static_cast<unsigned char>(bytes_.at(at)); }
  std::uint64_t u16(std::size_t at) const { return byte(at) | byte(at + 1) << 8; }
  std::uint64_t u32(std::size_t at) const { return u16(at) | u16(at + 2) << 16; }
  std::uint64_t big_u16(std::size_t at) const { return byte(at) << 8 | byte(at + 1); }
  std::string text(std::size_t at, std::size_t size) const { return bytes_.substr(at, size); }

  void add_packet(std::size_t at) {
    const std::uint64_t ns = u32(at + 12) << 32 | u32(at + 16);
    const std::size_t size = u32(at + 20);
    if (lines_.empty()) began_ = ns;
    const std::uint64_t since = ns - began_;
    constexpr std::uint64_t second = 1'000'000'000;
    std::string line = fmt::format("{}\t{}.{:09}\t{}", interfaces_.at(u32(at + 8)), since / second, since % second,
                                   text_of_packet(at + 28, size));
    const std::size_t options = at + 28 + (size + 3) / 4 * 4;
    line += '\t';
    if (options + 4 < at + u32(at + 4)) line += text(options + 4, u16(options + 2));
    lines_.push_back(line);
  }

  std::string text_of_packet(std::size_t at, std::size_t size) const {
    const bool v4 = byte(at) >> 4 == 4;
    std::size_t protocol = byte(at + (v4 ? 9 : 6));
    std::size_t carried = at + (v4 ? 20 : 40);
    std::size_t offset = v4 ? (big_u16(at + 6) & 0x1FFF) : 0;
    if (protocol == 44) {
      protocol = byte(carried);
      offset = big_u16(carried + 2) & 0xFFF8;
      carried += 8;
    }
    const bool has_ports = offset == 0 && (protocol == 6 || protocol == 17);
    const auto port = [&](std::size_t of) { return has_ports ? std::to_string(big_u16(of)) : std::string(); };
    std::string text = fmt::format("{}\t{}", address(at + (v4 ? 12 : 8), v4), address(at + (v4 ? 16 : 24), v4));
    const bool tcp = protocol == 6;
    text += fmt::format("\t{}\t{}\t{}\t{}", tcp ? port(carried) : "", tcp ? port(carried + 2) : "",
                        tcp ? "" : port(carried), tcp ? "" : port(carried + 2));
    if (!tcp) return text + "\t\t";
    const std::size_t header = (byte(carried + 12) >> 4) * 4;
    return text + fmt::format("\t0x{:04x}\t{}", byte(carried + 13), at + size - carried - header);
  }

  std::string address(std::size_t at, bool v4) const {
    ip_address::v6_bytes bytes{};
    for (std::size_t i = 0; i < (v4 ? 4u : 16u); ++i) bytes[i] = static_cast<std::uint8_t>(byte(at + i));
    if (v4) return ip_address(ip_address::v4_bytes{bytes[0], bytes[1], bytes[2], bytes[3]}).text();
    return ip_address(bytes).text();
  }

  std::string bytes_;
  std::vector<std::string> interfaces_;
  std::uint64_t began_ = 0;
  std::vector<std::string> lines_;
};

// In one text.
inline std::string text_of_capture(const std::string& path) {
  const captured_reader read(path);
  std::string text;
  for (const std::string& each : read.lines()) text += each + '\n';
  return text;
}

}  // namespace lockstep::sim
