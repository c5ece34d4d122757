#include <lockstep/sim/capture.hpp>

#include "captured.hpp"
#include "watched_network.hpp"

#include <lockstep/sim/link.hpp>

#include <chrono>
#include <string>
#include <system_error>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;

std::vector<std::string> lines_of(const sim::captured_file& file) { return sim::captured_reader(file.path).lines(); }

TEST(CaptureTest, HasEachPacketOnceAsItIsSent) {
  const sim::captured_file file("CaptureTest.all");
  sim::run_on_hosts([&]() -> task<void> {
    const capture all(file.path);
    co_await sim::visit_web();
    EXPECT_EQ(all.packets(), 11u);
  });
  EXPECT_EQ("\n" + sim::text_of_capture(file.path), R"(
client - web	0.000000000	10.0.0.1	10.0.0.2	32768	80			0x0002	0	
client - web	0.030000000	10.0.0.2	10.0.0.1	80	32768			0x0012	0	
client - web	0.060000000	10.0.0.1	10.0.0.2	32768	80			0x0010	0	
client - web	0.060000000	10.0.0.1	10.0.0.2	32768	80			0x0018	5	
client - web	0.090000000	10.0.0.2	10.0.0.1	80	32768			0x0010	0	
client - web	0.090000000	10.0.0.2	10.0.0.1	80	32768			0x0018	5	
client - web	0.090000000	10.0.0.2	10.0.0.1	80	32768			0x0011	0	
client - web	0.120000000	10.0.0.1	10.0.0.2	32768	80			0x0010	0	
client - web	0.120000000	10.0.0.1	10.0.0.2	32768	80			0x0010	0	
client - web	0.120000000	10.0.0.1	10.0.0.2	32768	80			0x0011	0	
client - web	0.150000000	10.0.0.2	10.0.0.1	80	32768			0x0010	0	
)");
}

// Of 30 ms each way, what the server sends is seen 30 ms later, and what it gets 30 ms earlier.
TEST(CaptureTest, OfAHostHasWhatItSendsAndWhatComes) {
  const sim::captured_file client("CaptureTest.client");
  const sim::captured_file web("CaptureTest.web");
  sim::run_on_hosts([&]() -> task<void> {
    lockstep::world().network().at("client");
    const capture at_client(client.path, "client");
    co_await sim::visit_web();
    EXPECT_EQ(at_client.packets(), 11u);
  });
  const std::vector<std::string> lines = lines_of(client);
  ASSERT_THAT(lines, SizeIs(11));
  EXPECT_EQ(lines[0], "client\t0.000000000\t10.0.0.1\t10.0.0.2\t32768\t80\t\t\t0x0002\t0\t");
  EXPECT_EQ(lines[1], "client\t0.060000000\t10.0.0.2\t10.0.0.1\t80\t32768\t\t\t0x0012\t0\t");
}

TEST(CaptureTest, ShowsWhatIsLostWhereItWasSent) {
  const sim::captured_file all("CaptureTest.lost");
  const sim::captured_file web("CaptureTest.lost.web");
  sim::named_choices losses({{"client -> web segment loss", {1, 1, 0}}, {"client -> web loss", {1}}});
  sim::in_network(
      [&](sim::network& net) -> task<void> {
        sim::host& there = net.add_host("web", {"10.0.0.2"});
        sim::lane_traits traits;
        traits.loss = 100;
        net.lane_between(net.first_host(), there)->set_traits(traits);
        const capture everywhere(all.path);
        const capture at_web(web.path, "web");
        const sim::file one = sim::tcp(net.first_host());
        one.connect("10.0.0.2:80");
        const int datagrams = sim::open_udp(net.first_host());
        co_await sleep_for(1500ms);
        sim::send_to(net.first_host(), datagrams, "lost", "10.0.0.2:9");
        co_await sleep_for(2s);
        one.close();
        net.first_host().close(datagrams);
      },
      &losses);
  EXPECT_THAT(lines_of(all),
              ElementsAre("client - web\t0.000000000\t10.0.0.1\t10.0.0.2\t32768\t80\t\t\t0x0002\t0\tlost: link loss",
                          "client - web\t1.000000000\t10.0.0.1\t10.0.0.2\t32768\t80\t\t\t0x0002\t0\tlost: link loss",
                          "client - web\t1.500000000\t10.0.0.1\t10.0.0.2\t\t\t32768\t9\t\t\tlost: link loss",
                          "client - web\t2.000000000\t10.0.0.1\t10.0.0.2\t32768\t80\t\t\t0x0002\t0\t",
                          "client - web\t2.000000000\t10.0.0.2\t10.0.0.1\t80\t32768\t\t\t0x0014\t0\t"));
  EXPECT_THAT(lines_of(web), ElementsAre("web\t0.000000000\t10.0.0.1\t10.0.0.2\t32768\t80\t\t\t0x0002\t0\t",
                                         "web\t0.000000000\t10.0.0.2\t10.0.0.1\t80\t32768\t\t\t0x0014\t0\t"));
}

TEST(CaptureTest, HasTheSameHashOfWhatSendsTheSame) {
  std::vector<std::uint64_t> hashes;
  for (const std::size_t bytes : {5u, 5u, 6u}) {
    const sim::captured_file file("CaptureTest.hash");
    sim::run_on_hosts([&]() -> task<void> {
      const capture all(file.path);
      co_await sim::visit_web(bytes);
      hashes.push_back(all.hash());
    });
  }
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_NE(hashes[0], hashes[2]);
}

TEST(CaptureTest, ChangesNothingInTheRun) {
  const sim::captured_file file("CaptureTest.run");
  std::vector<std::uint64_t> hashes;
  for (const bool captures : {false, true}) {
    sim::world of;
    of.run([&]() -> task<void> {
      std::optional<capture> all;
      if (captures) all.emplace(file.path);
      co_await sim::all_that_is_sent();
    });
    hashes.push_back(of.loop().history().hash());
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(CaptureTest, FailsIfThereCanBeNoFile) {
  sim::run_on_hosts([]() -> task<void> {
    EXPECT_THROW(capture("/no/such/folder/run.pcapng"), std::system_error);
    co_return;
  });
}

}  // namespace
}  // namespace lockstep
