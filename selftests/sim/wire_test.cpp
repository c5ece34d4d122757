#include <lockstep/sim/wire.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;

constexpr std::size_t v4_header = 20;
constexpr std::size_t v6_header = 40;

std::uint64_t number_at(const wire_bytes& of, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | std::to_integer<std::uint64_t>(of.at(at + i));
  return value;
}

// The ones' complement sum of RFC 1071: 0xFFFF where the checksum is right.
std::uint64_t sum_of(const wire_bytes& of, std::size_t from, std::size_t end, std::uint64_t before = 0) {
  std::uint64_t sum = before;
  for (std::size_t i = from; i < end; ++i) {
    const auto byte = std::to_integer<std::uint64_t>(of[i]);
    sum += (i - from) % 2 == 0 ? byte << 8 : byte;
  }
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return sum;
}

bool carried_sum_is_right(const wire_bytes& of, std::uint64_t protocol) {
  const bool v4 = number_at(of, 0, 1) == 0x45;
  const std::size_t header = v4 ? v4_header : v6_header;
  const std::uint64_t addresses = v4 ? sum_of(of, 12, 20) : sum_of(of, 8, 40);
  return sum_of(of, header, of.size(), addresses + protocol + of.size() - header) == 0xFFFF;
}

std::vector<std::byte> bytes_of(std::size_t count) {
  std::vector<std::byte> made(count);
  for (std::size_t i = 0; i < count; ++i) made[i] = static_cast<std::byte>(i * 7);
  return made;
}

traffic between(const endpoint& from, const endpoint& to, transport carried) {
  traffic made;
  made.carried = carried;
  made.from = from;
  made.to = to;
  made.mtu = 1'500;
  made.connection = 77;
  made.by_client = true;
  return made;
}

TEST(WireTest, OfTcpHasNumbersThatGoOnFromTheFirst) {
  wire_format format;
  traffic opening = between("10.0.0.1:32768", "10.0.0.2:80", transport::tcp);
  opening.flags = traffic::syn;
  opening.room = 131'072;
  const wire_bytes syn = format.packets_of(opening).at(0);
  EXPECT_EQ(number_at(syn, 2, 2), syn.size());
  EXPECT_EQ(sum_of(syn, 0, v4_header), 0xFFFFu);
  EXPECT_TRUE(carried_sum_is_right(syn, 6));
  EXPECT_EQ(number_at(syn, 20, 2), 32768u);
  EXPECT_EQ(number_at(syn, 22, 2), 80u);
  EXPECT_EQ(number_at(syn, 28, 4), 0u);
  EXPECT_EQ(number_at(syn, 32, 2), 0x7002u);
  EXPECT_EQ(number_at(syn, 34, 2), 65'535u);
  EXPECT_EQ(number_at(syn, 40, 8), 0x020405B4'01030308u);
  const std::uint64_t first = number_at(syn, 24, 4);

  traffic answer = between("10.0.0.2:80", "10.0.0.1:32768", transport::tcp);
  answer.by_client = false;
  answer.flags = traffic::syn | traffic::acknowledges;
  const wire_bytes syn_ack = format.packets_of(answer).at(0);
  EXPECT_EQ(number_at(syn_ack, 28, 4), (first + 1) & 0xFFFFFFFF);
  EXPECT_NE(number_at(syn_ack, 24, 4), first);

  traffic data = between("10.0.0.1:32768", "10.0.0.2:80", transport::tcp);
  const std::vector<std::byte> payload = bytes_of(3'001);
  data.payload = payload;
  data.position = 10;
  data.flags = traffic::push | traffic::acknowledges;
  data.acknowledged = 4;
  data.end_acknowledged = true;
  data.room = 1'000;
  const std::vector<wire_bytes> segments = format.packets_of(data);
  ASSERT_EQ(segments.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const wire_bytes& each = segments[i];
    EXPECT_EQ(each.size(), i < 2 ? 1'500u : 121u);
    EXPECT_TRUE(carried_sum_is_right(each, 6));
    EXPECT_EQ(number_at(each, 24, 4), (first + 11 + 1'460 * i) & 0xFFFFFFFF);
    EXPECT_EQ(number_at(each, 28, 4), (number_at(syn_ack, 24, 4) + 1 + 4 + 1) & 0xFFFFFFFF);
    EXPECT_EQ(number_at(each, 32, 2), i < 2 ? 0x5010u : 0x5018u);
    EXPECT_EQ(number_at(each, 34, 2), 4u);  // of 256 bytes each
    EXPECT_EQ(each.at(40), payload[1'460 * i]);
  }
}

TEST(WireTest, OfAnotherConnectionBeginsElsewhere) {
  wire_format format;
  traffic one = between("10.0.0.1:32768", "10.0.0.2:80", transport::tcp);
  one.flags = traffic::syn;
  traffic other = one;
  other.connection = 78;
  EXPECT_NE(format.packets_of(one).at(0), format.packets_of(other).at(0));
  EXPECT_EQ(format.packets_of(one).at(0), wire_format().packets_of(one).at(0));
}

TEST(WireTest, OfIpv6HasItsHeader) {
  wire_format format;
  traffic data = between("[fd00::1]:32768", "[fd00::2]:80", transport::tcp);
  const std::vector<std::byte> payload = bytes_of(5);
  data.payload = payload;
  data.flags = traffic::acknowledges;
  const wire_bytes packet = format.packets_of(data).at(0);
  EXPECT_EQ(number_at(packet, 0, 8), 0x60000000'00190640u);
  EXPECT_EQ(packet.size(), 65u);
  EXPECT_TRUE(carried_sum_is_right(packet, 6));
}

TEST(WireTest, OfUdpIsOnePacketOrFragments) {
  wire_format format;
  traffic sent = between("10.0.0.1:5000", "10.0.0.2:53", transport::udp);
  const std::vector<std::byte> little = bytes_of(3);
  sent.payload = little;
  const wire_bytes packet = format.packets_of(sent).at(0);
  EXPECT_EQ(packet.size(), 31u);
  EXPECT_EQ(number_at(packet, 4, 4), 0x00004000u);
  EXPECT_EQ(number_at(packet, 20, 6), 0x1388'0035'000Bu);
  EXPECT_TRUE(carried_sum_is_right(packet, 17));

  const std::vector<std::byte> big = bytes_of(4'000);
  sent.payload = big;
  std::vector<wire_bytes> parts = format.packets_of(sent);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_THAT((std::vector{parts[0].size(), parts[1].size(), parts[2].size()}), ElementsAre(1'500, 1'500, 1'068));
  const std::uint64_t number = number_at(parts[0], 4, 2);
  EXPECT_NE(number, 0u);
  EXPECT_EQ(number_at(parts[1], 4, 4), number << 16 | 0x2000u | 185u);
  EXPECT_EQ(number_at(parts[2], 4, 4), number << 16 | 370u);
  EXPECT_NE(number_at(format.packets_of(sent).at(0), 4, 2), number);

  traffic six = between("[fd00::1]:5000", "[fd00::2]:53", transport::udp);
  six.payload = big;
  parts = format.packets_of(six);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(number_at(parts[0], 6, 1), 44u);
  EXPECT_EQ(number_at(parts[1], 40, 4), 17u << 24 | 1'448u | 1u);
  EXPECT_EQ(number_at(parts[2], 40, 4), 17u << 24 | 2'896u);
}

TEST(WireTest, OfIcmpQuotesTheDatagram) {
  wire_format format;
  traffic back = between("10.0.0.2:53", "10.0.0.1:5000", transport::icmp);
  back.about_bytes = 100;
  const wire_bytes four = format.packets_of(back).at(0);
  EXPECT_EQ(four.size(), 56u);
  EXPECT_EQ(number_at(four, 20, 2), 0x0303u);
  EXPECT_EQ(sum_of(four, 20, four.size()), 0xFFFFu);
  EXPECT_EQ(number_at(four, 30, 2), 128u);  // the length of what is quoted
  EXPECT_EQ(sum_of(four, 28, 48), 0xFFFFu);
  EXPECT_EQ(number_at(four, 48, 6), 0x1388'0035'006Cu);

  traffic six = between("[fd00::2]:53", "[fd00::1]:5000", transport::icmp);
  six.about_bytes = 100;
  const wire_bytes packet = format.packets_of(six).at(0);
  EXPECT_EQ(number_at(packet, 40, 2), 0x0104u);
  EXPECT_TRUE(carried_sum_is_right(packet, 58));
}

}  // namespace
}  // namespace lockstep::sim
