#include <lockstep/sim/port_space.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{};

struct holder : port_holder {
  explicit holder(const endpoint& local, bool reuse = false) {
    claim.local = local;
    claim.reuse_address = reuse;
  }
  ~holder() {
    if (linked()) unlink();
  }
};

TEST(PortSpaceTest, GivesAPortToOneAlone) {
  port_space ports;
  holder one("10.0.0.1:80"), other("10.0.0.1:80"), elsewhere("10.0.0.2:80"), everywhere("0.0.0.0:80");
  EXPECT_EQ(ports.claim(one, start), 0);
  EXPECT_EQ(ports.claim(other, start), -EADDRINUSE);
  EXPECT_EQ(ports.claim(elsewhere, start), 0);
  EXPECT_EQ(ports.claim(everywhere, start), -EADDRINUSE);
  one.unlink();
  EXPECT_EQ(ports.claim(other, start), 0);
}

TEST(PortSpaceTest, LetsBothReuseWhatNeitherListensTo) {
  port_space ports;
  holder one("10.0.0.1:80", true), other("10.0.0.1:80", true), strict("10.0.0.1:80");
  EXPECT_EQ(ports.claim(one, start), 0);
  EXPECT_EQ(ports.claim(other, start), 0);
  EXPECT_EQ(ports.claim(strict, start), -EADDRINUSE);
  EXPECT_EQ(ports.may_listen(one, start), 0);
  one.claim.listens = true;
  EXPECT_EQ(ports.may_listen(other, start), -EADDRINUSE);
  holder late("0.0.0.0:80", true);
  EXPECT_EQ(ports.claim(late, start), -EADDRINUSE);
}

TEST(PortSpaceTest, KeepsTheFamiliesApartOnlyIfAsked) {
  port_space ports;
  holder dual("[::]:80");
  holder v4("0.0.0.0:80");
  EXPECT_EQ(ports.claim(dual, start), 0);
  EXPECT_EQ(ports.claim(v4, start), -EADDRINUSE);
  dual.claim.only_v6 = true;
  EXPECT_EQ(ports.claim(v4, start), 0);
  EXPECT_TRUE(is_for(v4.claim, "10.0.0.1"));
  EXPECT_FALSE(is_for(dual.claim, "10.0.0.1"));
  dual.claim.only_v6 = false;
  EXPECT_TRUE(is_for(dual.claim, "10.0.0.1"));
}

TEST(PortSpaceTest, ChoosesFreePortsInTheirOrder) {
  port_space ports;
  holder one("0.0.0.0:0"), two("0.0.0.0:0");
  holder taken(endpoint(ip_address::any_v4(), port_space::first_ephemeral));
  ASSERT_EQ(ports.claim(taken, start), 0);
  EXPECT_EQ(ports.claim(one, start), 0);
  EXPECT_EQ(ports.claim(two, start), 0);
  EXPECT_EQ(one.claim.local.port(), port_space::first_ephemeral + 1);
  EXPECT_EQ(two.claim.local.port(), port_space::first_ephemeral + 2);
}

TEST(PortSpaceTest, SaysWhenNoneIsFree) {
  port_space ports;
  std::vector<std::unique_ptr<holder>> all;
  for (int port = port_space::first_ephemeral; port <= port_space::last_ephemeral; ++port) {
    all.push_back(std::make_unique<holder>("0.0.0.0:0"));
    ASSERT_EQ(ports.claim(*all.back(), start), 0);
  }
  holder late("0.0.0.0:0");
  EXPECT_EQ(ports.claim(late, start), -EADDRINUSE);
  EXPECT_EQ(late.claim.local.port(), 0);
  all.erase(all.begin() + 5);
  EXPECT_EQ(ports.claim(late, start), 0);
}

TEST(PortSpaceTest, KeepsAPortForAWhile) {
  port_space ports;
  holder one("10.0.0.1:80");
  ports.keep(one.claim, start + 1min);
  EXPECT_EQ(ports.claim(one, start + 59s), -EADDRINUSE);
  EXPECT_EQ(ports.claim(one, start + 1min), 0);
}

}  // namespace
}  // namespace lockstep::sim
