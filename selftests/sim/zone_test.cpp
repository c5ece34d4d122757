#include <lockstep/sim/zone.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(ZoneTest, KnowsAddressesInTheOrderInWhichTheyCame) {
  zone known;
  known.add("db.example", "10.0.0.8", 30s);
  known.add("db.example", "10.0.0.7", 20s);
  known.add("db.example", "fd00::7", 10s);
  const name_answer four = known.look_up("DB.Example.", AF_INET);
  EXPECT_EQ(four.failure, name_failure::none);
  EXPECT_THAT(four.addresses, ElementsAre(ip_address("10.0.0.8"), ip_address("10.0.0.7")));
  EXPECT_EQ(four.ttl, 20s);
  const name_answer six = known.look_up("db.example", AF_INET6);
  EXPECT_THAT(six.addresses, ElementsAre(ip_address("fd00::7")));
  EXPECT_EQ(six.ttl, 10s);
}

TEST(ZoneTest, TellsANameWithoutSuchAddressesFromNone) {
  zone known;
  known.add("db.example", "10.0.0.8", 30s);
  EXPECT_EQ(known.look_up("db.example", AF_INET6).failure, name_failure::no_data);
  EXPECT_EQ(known.look_up("example", AF_INET).failure, name_failure::no_such_name);
  known.remove("db.example");
  EXPECT_EQ(known.look_up("db.example", AF_INET).failure, name_failure::no_such_name);
}

TEST(ZoneTest, FollowsAliases) {
  zone known;
  known.alias("www.example", "edge.example", 5s);
  known.alias("edge.example", "host.example", 60s);
  known.add("host.example", "10.0.0.7", 30s);
  const name_answer found = known.look_up("www.example", AF_INET);
  EXPECT_THAT(found.addresses, ElementsAre(ip_address("10.0.0.7")));
  ASSERT_EQ(found.aliases.size(), 2u);
  EXPECT_EQ(found.aliases[1].name, "edge.example");
  EXPECT_EQ(found.aliases[1].target, "host.example");
  EXPECT_EQ(found.ttl, 5s);

  known.remove("host.example");
  EXPECT_EQ(known.look_up("www.example", AF_INET).failure, name_failure::no_such_name);
  known.alias("edge.example", "www.example", 60s);
  EXPECT_EQ(known.look_up("www.example", AF_INET).failure, name_failure::server_failure);
}

TEST(ZoneTest, KnowsWhatIsAName) {
  for (const char* each : {"a", "a.b.", "a-b._c", "7"}) EXPECT_TRUE(is_name(each)) << each;
  for (const char* each : {"", ".", "a..b", ".a", "a b", "a:80"}) EXPECT_FALSE(is_name(each)) << each;
  EXPECT_TRUE(is_name(std::string(63, 'x')));
  EXPECT_FALSE(is_name(std::string(64, 'x')));
  std::string longest = std::string(61, 'x');
  for (int i = 0; i < 3; ++i) longest += '.' + std::string(63, 'x');
  EXPECT_TRUE(is_name(longest));
  EXPECT_FALSE(is_name("xx" + longest));
}

}  // namespace
}  // namespace lockstep::sim
