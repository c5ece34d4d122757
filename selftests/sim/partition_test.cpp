#include <lockstep/sim/partition.hpp>

#include "two_hosts.hpp"

#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

using testing::HasSubstr;

lane& lane_from_to(const char* from, const char* to) {
  network& of = lockstep::world().network();
  return *of.lane_between(of.at(from), of.at(to));
}

TEST(PartitionTest, CutsBothWaysWhileItLives) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    {
      const auto cut = partition("web", "client").may_not_fire();
      EXPECT_TRUE(lane_from_to("client", "web").cut());
      EXPECT_TRUE(lane_from_to("web", "client").cut());
    }
    EXPECT_FALSE(lane_from_to("client", "web").cut());
    EXPECT_FALSE(lane_from_to("web", "client").cut());
    co_return;
  });
}

TEST(PartitionTest, NestsAndIsHealedWithTheLast) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    partition outer = partition("client", "web").may_not_fire();
    {
      const partition inner = partition::one_way("client", "web").may_not_fire();
      outer.heal();
      EXPECT_TRUE(lane_from_to("client", "web").cut());
      EXPECT_FALSE(lane_from_to("web", "client").cut());
    }
    EXPECT_FALSE(lane_from_to("client", "web").cut());
    co_return;
  });
}

TEST(PartitionTest, SetsGroupsOfHostsApart) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().host("db");
    const auto cut = partition({"client"}, {"web", "db"}).may_not_fire();
    EXPECT_TRUE(lane_from_to("db", "client").cut());
    EXPECT_FALSE(lane_from_to("db", "web").cut());
    co_return;
  });
}

TEST(PartitionTest, KnowsItsHosts) {
  class world of;
  const auto wrong = []() -> task<void> {
    const partition cut("client", "wbe");
    co_return;
  };
  EXPECT_THROW(of.run(wrong()), misuse);
  EXPECT_THAT(of.verdicts().front().message, HasSubstr("there is no host \"wbe\": there are \"client\""));
}

}  // namespace
}  // namespace lockstep::sim
