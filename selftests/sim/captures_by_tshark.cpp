// Captures as tshark reads them: it finds nothing wrong, and the same packets as this test's own reader. Where there is
// no tshark, that reader alone counts them.
#include "captured.hpp"
#include "watched_network.hpp"

#include <lockstep/sim/capture.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

// What a command prints.
std::string output_of(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, size);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return text;
}

bool has_tshark() { return std::system("command -v tshark > /dev/null 2>&1") == 0; }

// The fields that captured_reader prints, and behind them, what tshark has found: nothing.
std::string read_by_tshark(const std::string& path) {
  std::string command = "tshark -r " + path + " -2 -T fields -E occurrence=f -o ip.check_checksum:TRUE" +
                        " -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.desegment_tcp_streams:FALSE" +
                        " -o ip.defragment:FALSE -o ipv6.defragment:FALSE";
  for (const char* field : {"frame.interface_name",
                            "frame.time_relative",
                            "ip.src",
                            "ip.dst",
                            "ipv6.src",
                            "ipv6.dst",
                            "tcp.srcport",
                            "tcp.dstport",
                            "udp.srcport",
                            "udp.dstport",
                            "tcp.flags",
                            "tcp.len",
                            "frame.comment",
                            "_ws.malformed",
                            "ip.checksum.status",
                            "tcp.checksum.status",
                            "udp.checksum.status",
                            "icmp.checksum.status",
                            "icmpv6.checksum.status",
                            "tcp.analysis.lost_segment",
                            "tcp.analysis.ack_lost_segment",
                            "tcp.analysis.out_of_order"}) {
    command += std::string(" -e ") + field;
  }
  return output_of(command + " 2> /dev/null");
}

std::vector<std::string> parts_of(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) parts.push_back(part);
  return parts;
}

void expect_sound(const std::string& path, std::uint64_t packets) {
  const std::vector<std::string> own = captured_reader(path).lines();
  EXPECT_EQ(own.size(), packets);
  if (!has_tshark()) {
    std::puts("there is no tshark, which would say more");
    return;
  }
  const std::vector<std::string> theirs = parts_of(read_by_tshark(path), '\n');
  ASSERT_EQ(own.size(), theirs.size());
  constexpr std::size_t ports = 6;
  constexpr std::size_t found = 13;
  for (std::size_t i = 0; i < own.size(); ++i) {
    std::vector<std::string> fields = parts_of(theirs[i], '\t');
    fields.resize(found + 9);
    EXPECT_EQ(fields[found], "") << "malformed: " << own[i];
    for (std::size_t sum = found + 1; sum <= found + 5; ++sum) {
      const bool part_of_udp = sum == found + 3 && (fields[sum] == "2" || fields[sum] == "3");  // a fragment, or quoted
      EXPECT_TRUE(fields[sum].empty() || fields[sum] == "1" || part_of_udp) << "checksum " << sum << ": " << own[i];
    }
    for (std::size_t at = found + 6; at < fields.size(); ++at) EXPECT_EQ(fields[at], "") << own[i];
    const bool of_icmp = !fields[found + 4].empty() || !fields[found + 5].empty();
    std::string line = fields[0] + '\t' + fields[1] + '\t' + fields[2] + fields[4] + '\t' + fields[3] + fields[5];
    for (std::size_t at = ports; at < found; ++at) line += '\t' + (of_icmp && at < ports + 4 ? "" : fields[at]);
    EXPECT_EQ(line, own[i]);
  }
}

TEST(CapturesByTsharkTest, AreSound) {
  const captured_file all("CapturesByTshark.all");
  const captured_file one("CapturesByTshark.one");
  std::uint64_t of_all = 0;
  std::uint64_t of_one = 0;
  run_on_hosts([&]() -> task<void> {
    const capture everything(all.path);
    const capture at_client(one.path, "client");
    co_await all_that_is_sent();
    of_all = everything.packets();
    of_one = at_client.packets();
  });
  expect_sound(all.path, of_all);
  expect_sound(one.path, of_one);
}

}  // namespace
}  // namespace lockstep::sim
