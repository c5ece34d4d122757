#include <lockstep/net/unix.hpp>

#include "in_both_worlds.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <sstream>

namespace lockstep {
namespace {

using testing::MatchesRegex;

task<std::string> read_text(unix_stream& from) {
  std::array<char, 64> buffer;
  const std::size_t count = co_await from.read_some(buffer);
  co_return std::string(buffer.data(), count);
}

// What a call that is made at once fails with; 0 if it does not.
template <class F>
int error_of_call(F call) {
  try {
    static_cast<void>(call());
    return 0;
  } catch (const std::system_error& failed) {
    return failed.code().value();
  }
}

// -- addresses --------------------------------------------------------------------------------------------------------

TEST(UnixAddressTest, IsAPathOrAnAbstractNameOrNothing) {
  const unix_address path = "/run/cache";
  EXPECT_FALSE(path.is_abstract());
  EXPECT_EQ(path.name(), "/run/cache");
  EXPECT_EQ(path.text(), "/run/cache");
  const unix_address abstract = unix_address::abstract("cache");
  EXPECT_TRUE(abstract.is_abstract());
  EXPECT_EQ(abstract.name(), "cache");
  EXPECT_EQ(abstract.text(), "@cache");
  EXPECT_TRUE(unix_address().is_unnamed());
  EXPECT_EQ(unix_address().text(), "");
  EXPECT_NE(unix_address("cache"), abstract);
  std::ostringstream out;
  out << abstract;
  EXPECT_EQ(out.str(), "@cache");
}

TEST(UnixAddressTest, IsReadAsItWasWritten) {
  const std::string longest(107, 'x');
  for (const unix_address& each :
       {unix_address(), unix_address("/a"), unix_address(longest), unix_address::abstract("a"),
        unix_address::abstract(longest), unix_address::abstract(std::string_view("a\0b", 3))}) {
    sockaddr_storage stored{};
    const socklen_t size = each.to(stored);
    EXPECT_EQ(unix_address::from(stored, size), each);
  }
  sockaddr_storage of_ip{};
  const socklen_t size = endpoint("127.0.0.1:80").to(of_ip);
  EXPECT_EQ(unix_address::from(of_ip, size), unix_address());
}

TEST(UnixAddressTest, RefusesWhatIsNoPath) {
  EXPECT_THROW(unix_address(""), std::invalid_argument);
  EXPECT_THROW(unix_address(std::string(108, 'x')), std::invalid_argument);
  EXPECT_THROW(unix_address(std::string_view("a\0b", 3)), std::invalid_argument);
  EXPECT_THROW(unix_address::abstract(std::string(108, 'x')), std::invalid_argument);
}

// -- streams ----------------------------------------------------------------------------------------------------------

task<void> connects() {
  unix_listener listener = unix_listener::bind(unix_address());
  EXPECT_TRUE(listener.local().is_abstract());
  unix_stream client = connect_unix(listener.local());
  unix_stream server = co_await listener.accept();
  EXPECT_TRUE(client.local().is_unnamed());
  EXPECT_EQ(client.remote(), listener.local());
  EXPECT_TRUE(server.remote().is_unnamed());
  EXPECT_EQ(server.local(), listener.local());
  co_await client.write("hello");
  EXPECT_EQ(co_await read_text(server), "hello");
  client.close();
  EXPECT_EQ(co_await read_text(server), "");
  EXPECT_EQ(error_of(co_await as_result(server.write("x"))), EPIPE);
}

TEST(UnixStreamTest, Connects) { run_in_both_worlds(connects); }

task<void> waits_for_a_connection() {
  unix_listener listener = unix_listener::bind(unix_address());
  const auto accept_one = [](unix_listener& at) -> task<std::string> {
    unix_stream peer = co_await at.accept();
    co_return co_await read_text(peer);
  };
  auto server = spawn(accept_one(listener), "server");
  co_await settle();
  unix_stream client = connect_unix(listener.local());
  co_await client.write("hello");
  EXPECT_EQ(co_await server.join(), "hello");
}

TEST(UnixStreamTest, IsAccepted) { run_in_both_worlds(waits_for_a_connection); }

task<void> makes_pairs() {
  auto [one, other] = unix_stream::pair();
  EXPECT_TRUE(one.local().is_unnamed());
  EXPECT_TRUE(one.remote().is_unnamed());
  co_await one.write("hello");
  other.close();  // without reading it
  EXPECT_EQ(co_await error_of_task(read_text(one)), ECONNRESET);
  EXPECT_EQ(co_await read_text(one), "");
}

TEST(UnixStreamTest, ComesInPairs) { run_in_both_worlds(makes_pairs); }

task<void> fails_to_connect() {
  EXPECT_EQ(error_of_call([] { return connect_unix("/nonexistent/socket"); }), ENOENT);
  EXPECT_EQ(error_of_call([] { return unix_listener::bind("/nonexistent/socket"); }), ENOENT);
  unix_listener listener = unix_listener::bind(unix_address(), 0);
  const unix_address at = listener.local();
  EXPECT_EQ(error_of_call([&] { return unix_listener::bind(at); }), EADDRINUSE);
  const unix_stream first = connect_unix(at);
  EXPECT_EQ(error_of_call([&] { return connect_unix(at); }), EAGAIN);
  const unix_stream accepted = co_await listener.accept();
  EXPECT_EQ(error_of_call([&] { return connect_unix(at); }), 0);
  listener.close();
  try {
    static_cast<void>(connect_unix(at));
    ADD_FAILURE();
  } catch (const std::system_error& refused) {
    EXPECT_EQ(refused.code().value(), ECONNREFUSED);
    EXPECT_THAT(refused.what(), MatchesRegex("connect of unix_stream to @[0-9a-f]+: Connection refused"));
  }
}

TEST(UnixStreamTest, SaysWhyItDoesNotConnect) { run_in_both_worlds(fails_to_connect); }

int error_of_datagrams_to(const unix_address& at) {
  unix_datagram socket = unix_datagram::unnamed();
  return error_of_call([&] {
    socket.connect(at);
    return 0;
  });
}

// Binds there, and leaves the path.
task<void> binds_to(std::string path) {
  {
    unix_listener listener = unix_listener::bind(path);
    EXPECT_EQ(listener.local(), unix_address(path));
    unix_stream client = connect_unix(path);
    EXPECT_EQ(client.remote().text(), path);
    unix_stream server = co_await listener.accept();
    EXPECT_EQ(server.local().text(), path);
    EXPECT_EQ(error_of_datagrams_to(path), EPROTOTYPE);
  }
  EXPECT_EQ(error_of_call([&] { return connect_unix(path); }), ECONNREFUSED);
  EXPECT_EQ(error_of_call([&] { return unix_listener::bind(path); }), EADDRINUSE);
}

TEST(UnixListenerTest, LeavesItsPathOnTheMachine) {
  const std::string path = testing::TempDir() + "lockstep_unix_test_" + std::to_string(getpid());
  real::world world;
  world.run(binds_to(path));
  EXPECT_TRUE(world.verdicts().empty());
  EXPECT_EQ(unlink(path.c_str()), 0);
}

TEST(UnixListenerTest, LeavesItsPathInASimulation) {
  sim::world simulation;
  const auto main = [&]() -> task<void> {
    co_await binds_to("/socket");
    EXPECT_EQ(simulation.network().first_host().unlinkat(AT_FDCWD, "/socket", 0), 0);
    EXPECT_TRUE(unix_listener::bind("/socket").is_open());
  };
  simulation.run(main());
  EXPECT_TRUE(simulation.verdicts().empty());
}

task<void> a_unix_socket_says_what_it_waits_for() {
  unix_listener listener = unix_listener::bind(unix_address());
  EXPECT_EQ(listener.accept().describe(), "accept at unix_listener " + listener.local().text());
  auto [one, other] = unix_stream::pair();
  std::array<char, 1> buffer;
  EXPECT_EQ(one.read_some(buffer).describe(), "read from unix_stream");
  EXPECT_EQ(one.receive_descriptor().describe(), "read from unix_stream");
  co_return;
}

TEST(UnixStreamTest, SaysWhatItWaitsFor) { run_in_both_worlds(a_unix_socket_says_what_it_waits_for); }

// -- descriptors ------------------------------------------------------------------------------------------------------

task<void> passes_a_connection() {
  auto [one, other] = unix_stream::pair();
  auto [client, server] = co_await connected_pair();
  co_await one.send_descriptor(server.native_handle());
  std::optional<passed_descriptor> passed = co_await other.receive_descriptor();
  EXPECT_TRUE(passed.has_value());
  EXPECT_NE(passed->native_handle(), server.native_handle());
  tcp_stream adopted = tcp_stream::adopt(passed->release());
  EXPECT_EQ(passed->native_handle(), -1);
  EXPECT_EQ(adopted.remote(), client.local());
  server.close();  // the connection stays, with its other descriptor
  co_await adopted.write("hello");
  EXPECT_EQ(co_await read_bytes(client, 5), "hello");
  co_await one.write("x");
  EXPECT_EQ(error_of(co_await as_result(other.receive_descriptor())), EBADMSG);
  EXPECT_EQ(error_of(co_await as_result(one.send_descriptor(-1))), EBADF);
  one.close();
  EXPECT_FALSE((co_await other.receive_descriptor()).has_value());
  EXPECT_EQ(error_of_call([] { return tcp_stream::adopt(-1); }), EBADF);
}

TEST(UnixStreamTest, PassesADescriptor) { run_in_both_worlds(passes_a_connection); }

task<void> loses_no_descriptor() {
  auto [one, other] = unix_stream::pair();
  const auto receive_one = [](unix_stream& from) -> task<bool> {
    co_return (co_await from.receive_descriptor()).has_value();
  };
  for (int turns = 0; turns < 4; ++turns) {
    auto receiver = spawn(receive_one(other), "receiver");
    co_await settle();
    co_await one.send_descriptor(one.native_handle());
    for (int i = 0; i < turns; ++i) co_await yield();
    receiver.cancel();
    const result<bool> came_to = co_await as_result(receiver.join());
    if (came_to) {
      EXPECT_TRUE(came_to.value());
    } else {
      EXPECT_TRUE(co_await receive_one(other));
    }
  }
}

TEST(UnixStreamTest, LosesNoDescriptorByCancellation) {
  run_in_both_worlds(loses_no_descriptor);
  run_in_random_orders(loses_no_descriptor);
}

// -- datagrams --------------------------------------------------------------------------------------------------------

task<void> keeps_messages_apart() {
  unix_datagram server = unix_datagram::bind(unix_address());
  unix_datagram client = unix_datagram::bind(unix_address());
  EXPECT_TRUE(client.try_send_to("one", server.local()));
  client.connect(server.local());
  co_await client.send("");
  co_await client.send("longer");
  std::array<char, 4> small;
  const received_unix_datagram got = co_await server.receive_from(small);
  EXPECT_EQ(std::string(small.data(), got.size), "one");
  EXPECT_EQ(got.from, client.local());
  EXPECT_FALSE(got.truncated);
  EXPECT_EQ(co_await server.receive(small), 0U);
  const received_unix_datagram cut = co_await server.receive_from(small);
  EXPECT_EQ(cut.size, 4U);
  EXPECT_TRUE(cut.truncated);
  EXPECT_TRUE(server.try_send_to("answer", got.from));
}

TEST(UnixDatagramTest, KeepsDatagramsApart) { run_in_both_worlds(keeps_messages_apart); }

task<void> waits_for_room() {
  unix_datagram other = unix_datagram::bind(unix_address());
  unix_datagram one = unix_datagram::unnamed();
  one.connect(other.local());
  const auto send_many = [](unix_datagram& by) -> task<int> {
    int sent = 0;
    for (; sent < 64; ++sent) co_await by.send("x");
    co_return sent;
  };
  auto sender = spawn(send_many(one), "sender");
  co_await settle();
  EXPECT_FALSE(sender.done());
  std::array<char, 8> buffer;
  for (int i = 0; i < 64; ++i) EXPECT_EQ(co_await other.receive(buffer), 1U);
  EXPECT_EQ(co_await sender.join(), 64);
}

task<void> makes_pairs_of_datagrams() {
  auto [one, other] = unix_datagram::pair();
  std::array<char, 8> buffer;
  co_await one.send("there");
  EXPECT_TRUE((co_await other.receive_from(buffer)).from.is_unnamed());
  co_await other.send("back");
  EXPECT_EQ(co_await one.receive(buffer), 4U);
}

TEST(UnixDatagramTest, ComesInPairs) { run_in_both_worlds(makes_pairs_of_datagrams); }

TEST(UnixDatagramTest, WaitsWhileItsPeerHasEnough) {
  run_in_both_worlds(waits_for_room);
  run_in_random_orders(waits_for_room);
}

task<void> fails_to_send() {
  unix_datagram client = unix_datagram::unnamed();
  EXPECT_EQ(error_of(co_await as_result(client.send("whom?"))), ENOTCONN);
  unix_datagram server = unix_datagram::bind(unix_address());
  const unix_address at = server.local();
  int sent = 0;
  while (client.try_send_to("x", at)) ++sent;
  EXPECT_EQ(sent, 11);
  client.connect(at);
  server.close();
  EXPECT_EQ(error_of(co_await as_result(client.send("x"))), ECONNREFUSED);
  EXPECT_EQ(error_of_call([&] { return client.try_send_to("x", at); }), ECONNREFUSED);
  EXPECT_EQ(error_of_call([&] { return client.try_send_to("x", "/nonexistent"); }), ENOENT);
}

TEST(UnixDatagramTest, SaysWhyItDoesNotSend) { run_in_both_worlds(fails_to_send); }

}  // namespace
}  // namespace lockstep
