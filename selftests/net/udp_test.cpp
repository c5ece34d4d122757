#include <lockstep/net/udp.hpp>

#include "in_both_worlds.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <cerrno>
#include <chrono>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::MatchesRegex;

udp_socket on_loopback() { return udp_socket::bind("127.0.0.1:0"); }

task<std::string> receive(udp_socket& at) {
  std::array<char, 64> buffer;
  const std::size_t count = co_await at.receive(buffer);
  co_return std::string(buffer.data(), count);
}

task<void> answers() {
  udp_socket server = on_loopback();
  udp_socket client = on_loopback();
  EXPECT_NE(server.local().port(), 0);
  co_await client.send_to("question", server.local());
  std::array<char, 64> buffer;
  const received_datagram got = co_await server.receive_from(buffer);
  EXPECT_EQ(std::string(buffer.data(), got.size), "question");
  EXPECT_FALSE(got.truncated);
  EXPECT_EQ(got.from, client.local());
  co_await server.send_to("answer", got.from);
  EXPECT_EQ(co_await receive(client), "answer");
}

TEST(UdpTest, AnswersTheSender) { run_in_both_worlds(answers); }

task<void> keeps_datagrams_apart() {
  udp_socket server = on_loopback();
  udp_socket client = on_loopback();
  co_await client.send_to("one", server.local());
  co_await client.send_to("", server.local());
  co_await client.send_to("longer", server.local());
  co_await client.send_to("last", server.local());
  EXPECT_EQ(co_await receive(server), "one");
  EXPECT_EQ(co_await receive(server), "");
  std::array<char, 4> small;
  const received_datagram cut = co_await server.receive_from(small);
  EXPECT_EQ(std::string(small.data(), cut.size), "long");
  EXPECT_TRUE(cut.truncated);
  EXPECT_FALSE((co_await server.receive_from(small)).truncated);
}

TEST(UdpTest, KeepsDatagramsApart) { run_in_both_worlds(keeps_datagrams_apart); }

task<void> hears_its_peer_alone() {
  udp_socket server = on_loopback();
  udp_socket client = on_loopback();
  udp_socket stranger = on_loopback();
  client.connect(server.local());
  co_await stranger.send_to("hello?", client.local());
  co_await client.send("question");
  EXPECT_EQ(co_await receive(server), "question");
  co_await server.send_to("answer", client.local());
  EXPECT_EQ(co_await receive(client), "answer");
}

TEST(UdpTest, HearsItsPeerAloneWhenItIsConnected) { run_in_both_worlds(hears_its_peer_alone); }

task<void> is_refused_once() {
  udp_socket server = on_loopback();
  udp_socket client = on_loopback();
  client.connect(server.local());
  server.close();
  co_await client.send("anybody?");
  EXPECT_EQ(co_await error_of_task(receive(client)), ECONNREFUSED);
  co_await client.send("anybody?");
  EXPECT_EQ(error_of(co_await as_result(client.send("anybody?"))), ECONNREFUSED);
  co_await client.send("anybody?");
}

TEST(UdpTest, IsToldOnceThatNobodyIsThere) { run_in_both_worlds(is_refused_once); }

task<void> fails() {
  udp_socket client = on_loopback();
  EXPECT_EQ(error_of(co_await as_result(client.send("whom?"))), EDESTADDRREQ);
  const std::string too_large(65'508, 'x');
  EXPECT_EQ(error_of(co_await as_result(client.send_to(too_large, "127.0.0.1:9"))), EMSGSIZE);
  const auto bind_to = [](const endpoint& at) {
    try {
      static_cast<void>(udp_socket::bind(at));
      return std::string();
    } catch (const std::system_error& refused) {
      return std::string(refused.what());
    }
  };
  EXPECT_EQ(bind_to(client.local()), "udp_socket at " + client.local().text() + ": Address already in use");
  EXPECT_EQ(bind_to("192.0.2.1:0"), "udp_socket at 192.0.2.1:0: Cannot assign requested address");
  try {
    client.connect("[::1]:9");
    ADD_FAILURE();
  } catch (const std::system_error& refused) {
    EXPECT_EQ(refused.code().value(), EAFNOSUPPORT);
    EXPECT_THAT(refused.what(), MatchesRegex("udp_socket 127.0.0.1:[0-9]+ to .::1.:9: Address family not supported.*"));
  }
  client.close();
  EXPECT_EQ(co_await error_of_task(receive(client)), EBADF);
  EXPECT_EQ(error_of(co_await as_result(client.send("x"))), EBADF);
  EXPECT_THROW(client.local(), std::system_error);
}

TEST(UdpTest, SaysWhatFails) { run_in_both_worlds(fails); }

task<void> has_options() {
  udp_options how;
  how.reuse_address = true;
  how.receive_buffer_bytes = 10'000;
  how.send_buffer_bytes = 20'000;
  const udp_socket one = udp_socket::bind("127.0.0.1:0", how);
  EXPECT_TRUE(udp_socket::bind(one.local(), how).is_open());
  how.only_v6 = true;
  how.reuse_port = true;
  const udp_socket of_v6 = udp_socket::bind("[::1]:0", how);
  EXPECT_TRUE(of_v6.local().address().is_v6());
  how = {};
  how.broadcast = true;
  udp_socket loud = udp_socket::bind("127.0.0.1:0", how);
  EXPECT_NE(error_of(co_await as_result(loud.send_to("x", "255.255.255.255:9"))), EACCES);
}

TEST(UdpTest, HasOptions) { run_in_both_worlds(has_options); }

// -- cancellation -----------------------------------------------------------------------------------------------------

task<void> loses_no_datagram() {
  udp_socket client = on_loopback();
  for (int turns = 0; turns < 4; ++turns) {
    udp_socket server = on_loopback();
    auto cancelled_one = spawn(receive(server), "cancelled");
    co_await settle();
    co_await client.send_to("kept", server.local());
    for (int i = 0; i < turns; ++i) co_await yield();
    cancelled_one.cancel();
    const result<std::string> came_to = co_await as_result(cancelled_one.join());
    if (came_to) {
      EXPECT_EQ(came_to.value(), "kept");
    } else {
      EXPECT_EQ(co_await receive(server), "kept");
    }
  }
}

TEST(UdpTest, LosesNoDatagramByCancellation) {
  run_in_both_worlds(loses_no_datagram);
  run_in_random_orders(loses_no_datagram);
}

task<void> a_udp_socket_says_what_it_waits_for() {
  udp_socket socket = on_loopback();
  std::array<std::byte, 8> buffer;
  EXPECT_EQ(socket.receive_from(buffer).describe(), "read from udp_socket " + socket.local().text());
  EXPECT_EQ(socket.send_to("x", "127.0.0.1:9").describe(), "write to udp_socket " + socket.local().text());
  co_return;
}

TEST(UdpTest, SaysWhatItWaitsFor) { run_in_both_worlds(a_udp_socket_says_what_it_waits_for); }

// -- between hosts ----------------------------------------------------------------------------------------------------

TEST(UdpTest, CrossesALink) {
  sim::world simulation;
  const auto main = [&]() -> task<void> {
    sim::host& server = simulation.host("server", "10.0.0.2");
    simulation.link("client", "server").latency(10ms);
    const auto echo_one = []() -> task<void> {
      udp_socket here = udp_socket::bind("0.0.0.0:53");
      std::array<std::byte, 64> buffer;
      const received_datagram got = co_await here.receive_from(buffer);
      co_await here.send_to(std::span(buffer).first(got.size), got.from);
    };
    auto echoing = server.spawn(echo_one());
    co_await settle();
    udp_socket client = udp_socket::bind();
    co_await client.send_to("ping", "10.0.0.2:53");
    EXPECT_EQ(co_await receive(client), "ping");
    EXPECT_EQ(now().time_since_epoch(), 20ms);
    co_await echoing.join();
  };
  simulation.run(main());
  EXPECT_TRUE(simulation.verdicts().empty());
}

}  // namespace
}  // namespace lockstep
