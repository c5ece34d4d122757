#include <lockstep/sim/link.hpp>

#include "two_hosts.hpp"

#include <lockstep/explore/choices.hpp>

#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Answers each question for a value with the highest.
class longest final : public oracle {
 public:
  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    asked += asked.empty() ? point.name : "";
    return options - 1;
  }
  std::string asked;
};

task<void> measure(duration& shortest) {
  two_hosts hosts;
  link& between = lockstep::world().link("client", "web").latency(5ms, 80ms);
  shortest = between.there.latency_of(lockstep::world().network().owner(), 0);
  co_return;
}

TEST(LinkTest, TakesTheShortestInThePlainRun) {
  duration taken{};
  run_on_hosts([&taken] { return measure(taken); });
  EXPECT_EQ(taken, 5ms);
}

TEST(LinkTest, AsksTheOracleInTheNameOfTheLane) {
  duration taken{};
  longest choices;
  class world of;
  of.run(measure(taken), {.choices = &choices});
  EXPECT_EQ(taken, 80ms);
  EXPECT_EQ(choices.asked, "client -> web");
}

TEST(LinkTest, SendsOnePacketAfterTheOther) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    link& between = lockstep::world().link("client", "web").bandwidth(1000).latency(1s);
    loop& owner = lockstep::world().network().owner();
    EXPECT_EQ(between.there.latency_of(owner, 500), 1500ms);
    EXPECT_EQ(between.there.latency_of(owner, 500), 2s);
    EXPECT_EQ(between.back.latency_of(owner, 500), 1500ms);
    co_await sleep_for(1s);
    EXPECT_EQ(between.there.latency_of(owner, 500), 1500ms);
  });
}

TEST(LinkTest, RefusesWhatIsNoLatency) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    link& between = lockstep::world().link("client", "web");
    between.latency(3ms);
    co_return;
  });
  class world of;
  const auto wrong = []() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(5ms, 1ms);
    co_return;
  };
  EXPECT_THROW(of.run(wrong()), misuse);
  ASSERT_EQ(of.verdicts().size(), 1);
  EXPECT_THAT(of.verdicts().front().message, HasSubstr("a latency of 5 ms to 1 ms"));
}

}  // namespace
}  // namespace lockstep::sim
