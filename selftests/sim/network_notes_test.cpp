#include <lockstep/sim/network_notes.hpp>

#include "watched_network.hpp"

#include <lockstep/explore/determinism.hpp>
#include <lockstep/sim/fault.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

recorded_run recorded(const std::function<task<void>()>& body, bool keeps = true) {
  class world of;
  world_options how;
  how.keep_trace = keeps;
  of.run(body, how);
  return copy_of(of.loop().history());
}

std::vector<std::string> events_of(const recorded_run& run) {
  std::vector<std::string> texts;
  for (const trace_event& each : run.events) texts.push_back((each.grave ? "! " : "") + each.text);
  return texts;
}

task<void> visit() { return visit_web(); }

TEST(NetworkNotesTest, TellOfMessagesAndHosts) {
  const recorded_run run = recorded(visit);
  EXPECT_THAT(events_of(run),
              ElementsAre("client:32768 -> web:80  5 bytes \"visit\"", "web:80 -> client:32768  5 bytes \"xxxxx\"",
                          "web:80 -> client:32768  end", "client:32768 -> web:80  end"));
  EXPECT_THAT(run.hosts, ElementsAre(Pair(0, "client"), Pair(1, "web")));
  // Each comes after time has moved, and before the step that reads it.
  const std::size_t first = run.events[0].record;
  EXPECT_EQ(run.records[first - 1].operation(), operation_kind::time_moved);
  EXPECT_TRUE(run.records[first].is_step());
}

TEST(NetworkNotesTest, AreNoneOfARunThatIsNotKept) {
  class world of;
  of.run([]() -> task<void> {
    EXPECT_EQ(lockstep::world().network().tap(), nullptr);
    co_return;
  });
  EXPECT_THAT(recorded(visit, false).events, IsEmpty());
  EXPECT_EQ(recorded(visit, false).hashes.back(), recorded(visit).hashes.back());
}

TEST(NetworkNotesTest, TellOfLossesResetsAndFaults) {
  const auto body = []() -> task<void> {
    const echo_host echo;
    const fault fails = on(op::connect).to("10.0.0.2:80").fail(ECONNREFUSED);
    EXPECT_EQ(co_await connect_to("10.0.0.2:80"), "ECONNREFUSED");
    tcp_stream peer = co_await connect_tcp("10.0.0.2:80");
    lockstep::world().link("client", "web").latency(10ms);
    co_await peer.write("lost at first");
    {
      const partition cut("client", "web");
      co_await sleep_for(1s);
    }
    co_await sleep_for(1s);
    peer.reset();
    co_await sleep_for(1s);
  };
  EXPECT_THAT(events_of(recorded(body)),
              ElementsAre("! fault: connect to 10.0.0.2:80 (ECONNREFUSED)", "! web:80 -> client:32768  reset",
                          "! client:32769 -> web:80  13 bytes \"lost at first\", lost: partition",
                          "client:32769 -> web:80  13 bytes \"lost at first\"",
                          "web:80 -> client:32769  13 bytes \"lost at first\"", "! client:32769 -> web:80  reset"));
}

TEST(NetworkNotesTest, TakePiecesTogetherThatNobodyHasReadYet) {
  const auto body = []() -> task<void> {
    const two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file one = tcp(hosts.client);
    one.connect("10.0.0.2:80");
    const file other = listener.accept();
    lockstep::world().link("client", "web").bandwidth(1'000'000);
    one.send(std::string(3'500, 'a'));
    co_await sleep_for(1s);
    one.send("b");
    co_await sleep_for(1s);
    for (const file& each : {other, one, listener}) each.close();
  };
  EXPECT_THAT(events_of(recorded(body)),
              ElementsAre("client:32768 -> web:80  3500 bytes in pieces", "client:32768 -> web:80  1 byte \"b\""));
}

}  // namespace
}  // namespace lockstep::sim
