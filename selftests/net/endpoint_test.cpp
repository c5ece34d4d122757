#include <lockstep/net/endpoint.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

std::string refusal_of_address(std::string_view text) {
  try {
    return "taken as " + ip_address::parse(text).text();
  } catch (const std::invalid_argument& why) {
    return why.what();
  }
}

std::string refusal_of(std::string_view text) {
  try {
    return "taken as " + endpoint::parse(text).text();
  } catch (const std::invalid_argument& why) {
    return why.what();
  }
}

TEST(IpAddressTest, IsReadAndWritten) {
  for (const char* text : {"0.0.0.0", "10.0.0.2", "255.255.255.255", "::", "::1", "2001:db8::8:800:200c:417a",
                           "fe80::1%2", "::ffff:10.0.0.2"}) {
    EXPECT_EQ(ip_address::parse(text).text(), text);
  }
  EXPECT_EQ(ip_address("2001:DB8:0:0:0:0:0:1").text(), "2001:db8::1");
  EXPECT_EQ(ip_address("10.0.0.2"), ip_address::v4(0x0a000002));
  EXPECT_EQ(ip_address("10.0.0.2").number(), 0x0a000002U);
  EXPECT_EQ(ip_address("::1"), ip_address::loopback_v6());
  EXPECT_EQ(ip_address("fe80::1%2").scope(), 2U);
  EXPECT_EQ(ip_address(), ip_address::any_v4());
}

TEST(IpAddressTest, RefusesOtherTextsAndNamesTheFix) {
  const std::string hint = R"( is no IP address; write one such as "10.0.0.2" or "::1", and resolve a name first)";
  for (const std::string text : {"", "localhost", "10.0.0", "10.0.0.256", "10.0.0.02", " 10.0.0.2", "10.0.0.2 ",
                                 ":::", "1::2::3", "10.0.0.2%1", "::1]"}) {
    EXPECT_EQ(refusal_of_address(text), '"' + text + '"' + hint);
  }
  EXPECT_EQ(refusal_of_address(std::string_view("10.0.0.2\0", 9)).find("taken"), std::string::npos);
  EXPECT_EQ(refusal_of_address(std::string(200, '1')).find("taken"), std::string::npos);
  EXPECT_EQ(refusal_of_address("fe80::1%eth0"),
            R"(the scope of "fe80::1%eth0" is no number; write the number of the interface, such as "fe80::1%2")");
}

TEST(IpAddressTest, KnowsItsKind) {
  EXPECT_TRUE(ip_address("127.8.0.1").is_loopback());
  EXPECT_TRUE(ip_address("::1").is_loopback());
  EXPECT_TRUE(ip_address("::ffff:127.0.0.1").is_loopback());
  EXPECT_FALSE(ip_address("128.0.0.1").is_loopback());
  EXPECT_FALSE(ip_address("::2").is_loopback());
  EXPECT_TRUE(ip_address("0.0.0.0").is_any());
  EXPECT_TRUE(ip_address("::").is_any());
  EXPECT_FALSE(ip_address("::1").is_any());
  EXPECT_TRUE(ip_address("fe80::1").is_link_local());
  EXPECT_TRUE(ip_address("169.254.1.1").is_link_local());
  EXPECT_FALSE(ip_address("fec0::1").is_link_local());
  EXPECT_TRUE(ip_address("224.0.0.1").is_multicast());
  EXPECT_TRUE(ip_address("ff02::1").is_multicast());
  EXPECT_FALSE(ip_address("223.0.0.1").is_multicast());
  EXPECT_TRUE(ip_address("::").is_v6());
  EXPECT_TRUE(ip_address("0.0.0.0").is_v4());
  EXPECT_NE(ip_address::any_v4(), ip_address::any_v6());
}

TEST(IpAddressTest, MapsIntoIpv6AndBack) {
  EXPECT_EQ(ip_address("10.0.0.2").mapped(), ip_address("::ffff:10.0.0.2"));
  EXPECT_EQ(ip_address("::ffff:10.0.0.2").unmapped(), ip_address("10.0.0.2"));
  EXPECT_EQ(ip_address("::1").unmapped(), ip_address("::1"));
  EXPECT_EQ(ip_address("::1").mapped(), ip_address("::1"));
  EXPECT_FALSE(ip_address("1::ffff:10.0.0.2").is_v4_mapped());
}

TEST(IpAddressTest, ComparesByValue) {
  const std::vector<ip_address> sorted{
      "0.0.0.0", "9.255.0.0", "10.0.0.2", "10.0.0.10", "::", "::1", "fe80::1", "fe80::1%1", "fe80::1%2", "fe80::2"};
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
}

TEST(EndpointTest, IsReadAndWritten) {
  for (const char* text : {"10.0.0.2:80", "0.0.0.0:0", "[::1]:65535", "[fe80::1%2]:80"}) {
    EXPECT_EQ(endpoint::parse(text).text(), text);
  }
  const endpoint web = "10.0.0.2:80";
  EXPECT_EQ(web.address(), ip_address("10.0.0.2"));
  EXPECT_EQ(web.port(), 80);
  EXPECT_EQ(web.with_port(81).text(), "10.0.0.2:81");
  EXPECT_EQ(endpoint().text(), "0.0.0.0:0");
}

TEST(EndpointTest, RefusesOtherTextsAndNamesTheFix) {
  EXPECT_EQ(refusal_of("10.0.0.2"), R"("10.0.0.2" is an address without a port; write "10.0.0.2:80")");
  EXPECT_EQ(refusal_of("::1"), R"("::1" is an address without a port; write "[::1]:80")");
  EXPECT_EQ(refusal_of("[::1]"), R"("[::1]" has no port; write "[::1]:80")");
  EXPECT_EQ(refusal_of("web"), R"("web" has no port; write "web:80")");
  EXPECT_EQ(refusal_of(":80"), R"(":80" has no address; write "0.0.0.0:80" for every address of the host)");
  EXPECT_EQ(refusal_of("[10.0.0.2]:80"), R"("[10.0.0.2]:80" has brackets around an IPv4 address; write "10.0.0.2:80")");
  EXPECT_EQ(refusal_of("fe80::1%2:80"),
            R"("fe80::1%2:80" has no brackets around its IPv6 address; write "[fe80::1%2]:80")");
  for (const std::string text : {"10.0.0.2:", "10.0.0.2:65536", "10.0.0.2:-1", "10.0.0.2:http", "10.0.0.2:80 "}) {
    EXPECT_EQ(refusal_of(text),
              '"' + text + R"(" has no port behind its last colon; write a number of 0 to 65535 there)");
  }
  EXPECT_EQ(refusal_of("web:80"),
            R"("web" is no IP address; write one such as "10.0.0.2" or "::1", and resolve a name first)");
  EXPECT_EQ(refusal_of("[::1:80").find("taken"), std::string::npos);
}

TEST(EndpointTest, ComparesByAddressThenByPort) {
  const std::vector<endpoint> sorted{"9.0.0.1:80", "10.0.0.1:9", "10.0.0.1:80", "10.0.0.2:1", "[::1]:1"};
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
  EXPECT_NE(endpoint("10.0.0.1:9"), endpoint("10.0.0.1:80"));
}

TEST(EndpointTest, GoesThroughTheSystemsForm) {
  for (const endpoint each : {"10.0.0.2:80", "[fe80::1%2]:443", "0.0.0.0:0", "[::]:1"}) {
    sockaddr_storage stored{};
    const socklen_t size = each.to(stored);
    EXPECT_EQ(size, each.address().is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    EXPECT_EQ(stored.ss_family, each.address().is_v4() ? AF_INET : AF_INET6);
    EXPECT_EQ(endpoint::from(reinterpret_cast<const sockaddr*>(&stored), size), each);
    EXPECT_EQ(endpoint::from(reinterpret_cast<const sockaddr*>(&stored), 8), std::nullopt);
  }
  sockaddr_storage other{};
  other.ss_family = AF_UNIX;
  EXPECT_EQ(endpoint::from(reinterpret_cast<const sockaddr*>(&other), sizeof other), std::nullopt);
  EXPECT_EQ(endpoint::from(nullptr, 0), std::nullopt);
}

}  // namespace
}  // namespace lockstep
