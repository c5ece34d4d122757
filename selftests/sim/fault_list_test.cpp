#include <lockstep/sim/fault_list.hpp>

#include "talking_hosts.hpp"

#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

TEST(FaultListTest, IsEmptyWithoutFaults) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const fault_list& faults = lockstep::world().network().faults();
    EXPECT_TRUE(faults.empty());
    {
      const fault one = on(op::connect).may_not_fire().fail(EACCES);
      EXPECT_FALSE(faults.empty());
    }
    EXPECT_TRUE(faults.empty());
    co_return;
  });
}

TEST(FaultListTest, KeepsALogOfWhatHappened) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    const fault refused = on(op::connect).to("web:80").fail(EACCES);
    co_await sleep_for(1s);
    co_await connect_to("10.0.0.2:80");
    const auto& log = lockstep::world().network().faults().log();
    EXPECT_EQ(log.size(), 1u);
    EXPECT_EQ(log.front().at, time_point{1s});
    EXPECT_EQ(log.front().fault, "connect to web:80 (EACCES)");
    EXPECT_EQ(log.front().host, "client");
  });
}

TEST(FaultListTest, TheFirstThatIsDueHappens) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    const fault first = on(op::connect).fail(EACCES);
    const fault second = on(op::connect).fail(EPERM);
    EXPECT_EQ(co_await connect_to("10.0.0.2:80"), "EACCES");
    EXPECT_EQ(co_await connect_to("10.0.0.2:80"), "EPERM");
  });
}

TEST(FaultListTest, EachCountsTheCallsThatOthersHappenTo) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    const fault slow = on(op::connect).forever().slow(1s);
    const fault first = on(op::connect).fail(EACCES);
    const fault second = on(op::connect).nth(2).fail(EPERM);
    EXPECT_EQ(co_await connect_to("10.0.0.2:80"), "EACCES");
    EXPECT_EQ(co_await connect_to("10.0.0.2:80"), "EPERM");
    EXPECT_EQ(now(), time_point{}) << "what fails at once is not slow";
    EXPECT_EQ(co_await connect_to("10.0.0.2:80"), "ok");
    EXPECT_EQ(now(), time_point{1s});
    EXPECT_EQ(slow.matched(), 3u);
  });
}

}  // namespace
}  // namespace lockstep::sim
