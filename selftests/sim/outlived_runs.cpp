// What a test keeps beyond its run dies later without harm: nothing is left of the network that it was of.
#include "two_hosts.hpp"

#include <lockstep/net/tcp.hpp>
#include <lockstep/net/udp.hpp>
#include <lockstep/sim/capture.hpp>
#include <lockstep/sim/clog.hpp>
#include <lockstep/sim/network_trace.hpp>
#include <lockstep/sim/partition.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace lockstep::sim {
namespace {

using testing::Each;
using testing::Field;

// What `make` returns outlives the run in which it was made, and then that world, and dies beside another run.
template <class F>
void expect_to_die_well(const F& make) {
  std::optional<decltype(make())> kept;
  {
    sim::world first;
    const auto body = [&]() -> task<void> {
      lockstep::world().host("web", "10.0.0.2");
      kept.emplace(make());
      co_return;
    };
    first.run(body());
    EXPECT_THAT(first.verdicts(), Each(Field(&verdict::kind, verdict_kind::leaked_descriptor)));
  }
  sim::world second;
  const auto body = [&kept]() -> task<void> {
    lockstep::world().host("web", "10.0.0.2");
    const network_trace looks_on;
    kept.reset();
    co_return;
  };
  second.run(body());
  EXPECT_TRUE(second.verdicts().empty());
}

TEST(OutlivedRunsTest, ASocketIsClosed) {
  expect_to_die_well([] { return tcp_listener::bind("0.0.0.0:80"); });
  expect_to_die_well([] { return udp_socket::bind("0.0.0.0:80"); });
}

TEST(OutlivedRunsTest, ADisturbanceIsOver) {
  expect_to_die_well([] { return partition("client", "web").may_not_fire(); });
  expect_to_die_well([] { return partition::one_way("client", "web").may_not_fire(); });
  expect_to_die_well([] { return black_hole("web").may_not_fire(); });
  expect_to_die_well([] { return on(op::connect).to("web").may_not_fire().fail(ECONNREFUSED); });
}

// The lanes on which it was counted have gone.
TEST(OutlivedRunsTest, ADisturbanceKnowsHowOftenItFired) {
  std::optional<partition> cut;
  {
    sim::world first;
    const auto body = [&cut]() -> task<void> {
      lockstep::world().host("web", "10.0.0.2");
      lockstep::world().link("client", "web").latency(std::chrono::milliseconds(10));
      auto connecting =
          spawn(co_invoke([]() -> task<void> { const tcp_stream made = co_await connect_tcp("10.0.0.2:80"); }));
      co_await yield();
      cut.emplace("client", "web");
      connecting.cancel();
      static_cast<void>(co_await as_result(connecting.join()));
    };
    first.run(body());
    EXPECT_TRUE(first.verdicts().empty());
  }
  EXPECT_EQ(cut->fired(), 1u);
}

TEST(OutlivedRunsTest, WhoLooksOnSeesNoMore) {
  expect_to_die_well([] { return std::make_unique<network_trace>(); });
  const std::string path = (std::filesystem::temp_directory_path() / "OutlivedRunsTest.pcapng").string();
  expect_to_die_well([&path] { return std::make_unique<capture>(path); });
  std::remove(path.c_str());
}

}  // namespace
}  // namespace lockstep::sim
