#include <lockstep/sim/clog.hpp>

#include "talking_hosts.hpp"
#include "udp_calls.hpp"

#include <lockstep/explore/strategy.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ClogTest, HoldsWhatIsUnderWayAndWhatIsSent) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    lockstep::world().link("client", "web").latency(10ms);
    tcp_stream client = co_await connect_tcp(web_80);
    const time_point began = now();
    co_await client.write("one");
    clog("web", 2s);
    EXPECT_EQ(co_await read_from(client), "one");
    EXPECT_EQ(now() - began, 2010ms);  // held there; the way back is free again
    co_await client.write("two");
    EXPECT_EQ(co_await read_from(client), "two");
    EXPECT_EQ(now() - began, 2030ms);
  });
}

TEST(ClogTest, LosesNoDatagram) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(10ms);
    const file receiver{&hosts.web, hosts.web.socket(AF_INET, SOCK_DGRAM, 0)};
    const file sender{&hosts.client, hosts.client.socket(AF_INET, SOCK_DGRAM, 0)};
    EXPECT_EQ(receiver.bind("10.0.0.2:53"), "0");
    EXPECT_EQ(sender.connect("10.0.0.2:53"), "0");
    sender.send("before");
    clog("client", 1s);
    sender.send("within");
    co_await sleep_until(time_point{1s});
    EXPECT_EQ(receiver.recv(), "before");
    EXPECT_EQ(receiver.recv(), "EAGAIN");
    co_await sleep_until(time_point{1010ms});
    EXPECT_EQ(receiver.recv(), "within");
    receiver.close();
    sender.close();
  });
}

TEST(ClogTest, ABlackHoleSwallowsAHost) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    {
      const black_hole lost("web");
      EXPECT_EQ(co_await connect_to(web_80), "ETIMEDOUT");
      EXPECT_EQ(now(), time_point{131s});
    }
    EXPECT_EQ(co_await connect_to(web_80), "ok");
  });
}

TEST(ClogTest, ABlackHoleSwallowsAPort) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    const black_hole lost("web:81");
    EXPECT_EQ(co_await connect_to(web_80), "ok");
    EXPECT_EQ(co_await connect_to("10.0.0.2:81"), "ETIMEDOUT");
  });
}

TEST(ClogTest, ABlackHoleOfAPortHeals) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    const auto heals = []() -> task<void> {
      const black_hole lost("web:80");
      co_await sleep_for(5s);
    };
    auto healing = spawn(heals());
    co_await yield();
    EXPECT_EQ(co_await connect_to(web_80), "ok");
    EXPECT_EQ(now(), time_point{7s});
    co_await healing.join();
  });
}

TEST(ClogTest, KnowsItsHosts) {
  class world of;
  const auto wrong = []() -> task<void> {
    clog("wbe", 1s);
    co_return;
  };
  EXPECT_THROW(of.run(wrong()), misuse);
  EXPECT_THAT(of.verdicts().front().message, HasSubstr("there is no host \"wbe\""));
}

TEST(ClogTest, LastsForATime) {
  const auto misuse_of = [](auto wrong) -> std::string {
    class world of;
    EXPECT_THROW(of.run([&]() -> task<void> {
      lockstep::world().host("web");
      co_await wrong();
    }),
                 misuse);
    return of.verdicts().empty() ? "" : of.verdicts().front().message;
  };
  EXPECT_EQ(misuse_of([]() -> task<void> {
              clog("web", -1s);
              co_return;
            }),
            "a clog lasts for a time, unlike -1 s");
  EXPECT_EQ(misuse_of([] { return swizzle({"web"}, 0s); }), "a swizzle lasts for a time, unlike 0 ns");
  EXPECT_THAT(misuse_of([] { return swizzle({"web", "wbe"}, 1s); }), HasSubstr("there is no host \"wbe\""));
}

// It need not meet with anything, nor last.
TEST(ClogTest, ASwizzleIsNoVerdict) {
  named_choices some({{"swizzle a", {1}},
                      {"swizzle a for", {5}},
                      {"swizzle b", {1}},
                      {"swizzle c", {1}},
                      {"swizzle c from", {7}},
                      {"swizzle c for", {9}}});
  class world of;
  world_options how;
  how.choices = &some;
  of.run(
      []() -> task<void> {
        const std::vector<std::string> names = {"a", "b", "c"};
        for (const std::string& each : names) lockstep::world().host(each);
        co_await swizzle(names, 10s);
        EXPECT_EQ(now(), time_point{10s});
      },
      how);
  EXPECT_THAT(of.verdicts(), testing::IsEmpty());
}

// When each of three hosts answers, as text.
std::string answers_with(oracle* choices) {
  class world of;
  world_options how;
  how.choices = choices;
  how.order = ordering::fifo;
  std::string answers;
  of.run(
      [&]() -> task<void> {
        const auto ask = [&answers](std::string name, endpoint at) -> task<void> {
          for (int i = 0; i < 10; ++i) {
            const time_point asked = now();
            EXPECT_EQ(co_await connect_to(at), "ECONNREFUSED");
            if (now() != asked) answers += name;
            co_await sleep_until(asked + 1s);
          }
        };
        std::vector<std::string> names = {"a", "b", "c"};
        std::vector<join_handle<void>> asking;
        for (const std::string& each : names) {
          const endpoint at(lockstep::world().host(each).address(), 80);
          asking.push_back(spawn(ask(each, at)));
        }
        co_await swizzle(names, 10s);
        EXPECT_GE(now(), time_point{10s});
        for (auto& each : asking) co_await each.join();
      },
      how);
  return answers;
}

TEST(ClogTest, SwizzleClogsSomeOfTheHosts) {
  EXPECT_EQ(answers_with(nullptr), "");
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto choices = make_oracle(schedule::random, seed);
    seen.insert(answers_with(choices.get()));
  }
  EXPECT_GT(seen.size(), 3u);
}

}  // namespace
}  // namespace lockstep::sim
