#include <lockstep/net/tcp.hpp>

#include "in_both_worlds.hpp"

#include <cerrno>
#include <chrono>
#include <optional>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::StartsWith;

// -- connections ------------------------------------------------------------------------------------------------------

task<void> echo(tcp_stream peer) {
  std::array<std::byte, 64> buffer;
  while (const std::size_t count = co_await peer.read_some(buffer)) {
    co_await peer.write(std::span(buffer).first(count));
  }
}

task<void> serve_one(tcp_listener& listener) { co_await echo(co_await listener.accept()); }

task<void> echoes() {
  tcp_listener listener = listener_on_loopback();
  auto server = spawn(serve_one(listener), "server");
  tcp_stream client = co_await connect_tcp(listener.local());
  for (const std::string text :
       {"hello", "", "a longer line that does not fit into the buffer of the server at once!"}) {
    co_await client.write(text);
    EXPECT_EQ(co_await read_bytes(client, text.size()), text);
  }
  client.shutdown_write();
  EXPECT_EQ(co_await read_piece(client), "");
  co_await server.join();
}

TEST(TcpTest, Echoes) { run_in_both_worlds(echoes); }

task<void> knows_its_ends() {
  tcp_listener listener = listener_on_loopback();
  EXPECT_EQ(listener.local().address(), ip_address::loopback_v4());
  EXPECT_NE(listener.local().port(), 0);
  tcp_stream client = co_await connect_tcp(listener.local());
  tcp_stream server = co_await listener.accept();
  EXPECT_EQ(client.remote(), listener.local());
  EXPECT_EQ(server.remote(), client.local());
  EXPECT_EQ(server.local(), client.remote());
}

TEST(TcpTest, KnowsItsEnds) { run_in_both_worlds(knows_its_ends); }

task<void> is_refused() {
  tcp_listener listener = listener_on_loopback();
  const endpoint closed = listener.local();
  listener.close();
  EXPECT_FALSE(listener.is_open());
  const result<tcp_stream> came_to = co_await as_result(connect_tcp(closed));
  EXPECT_EQ(error_of(came_to), ECONNREFUSED);
  try {
    static_cast<void>(co_await connect_tcp(closed));
  } catch (const std::system_error& refused) {
    EXPECT_THAT(refused.what(), StartsWith("connect of tcp_stream 127.0.0.1:"));
    EXPECT_THAT(refused.what(), EndsWith(" -> " + closed.text() + ": Connection refused"));
  }
}

TEST(TcpTest, IsRefusedWhereNobodyListens) { run_in_both_worlds(is_refused); }

task<void> connects_from() {
  tcp_listener listener = listener_on_loopback();
  connect_options how;
  how.from = "127.0.0.2:0";
  tcp_stream client = co_await connect_tcp(listener.local(), how);
  EXPECT_EQ(client.local().address(), ip_address("127.0.0.2"));
  how.from = "192.0.2.1:0";  // an address for examples
  EXPECT_EQ(error_of(co_await as_result(connect_tcp(listener.local(), how))), EADDRNOTAVAIL);
  how.from = client.local();
  EXPECT_EQ(error_of(co_await as_result(connect_tcp(listener.local(), how))), EADDRINUSE);
}

TEST(TcpTest, ConnectsFromTheAddressThatIsAskedFor) { run_in_both_worlds(connects_from); }

task<void> refuses_addresses_in_use() {
  tcp_listener first = listener_on_loopback();
  const auto listen_there = [&first](bool reuse_port) {
    listen_options how;
    how.reuse_port = reuse_port;
    try {
      static_cast<void>(tcp_listener::bind(first.local(), how));
      return std::string();
    } catch (const std::system_error& refused) {
      EXPECT_EQ(refused.code().value(), EADDRINUSE);
      return std::string(refused.what());
    }
  };
  EXPECT_EQ(listen_there(false), "tcp_listener at " + first.local().text() + ": Address already in use");
  EXPECT_NE(listen_there(true), "");  // unless the first has it too
  listen_options how;
  how.reuse_port = true;
  tcp_listener sharing = tcp_listener::bind("127.0.0.1:0", how);
  EXPECT_TRUE(tcp_listener::bind(sharing.local(), how).is_open());
  co_return;
}

TEST(TcpTest, RefusesAddressesInUse) { run_in_both_worlds(refuses_addresses_in_use); }

// -- ends -------------------------------------------------------------------------------------------------------------

task<void> half_closes() {
  auto [client, server] = co_await connected_pair();
  co_await client.write("last words");
  client.shutdown_write();
  EXPECT_EQ(error_of(co_await as_result(client.write_some("more"))), EPIPE);
  EXPECT_EQ(co_await read_bytes(server, 10), "last words");
  EXPECT_EQ(co_await read_piece(server), "");
  co_await server.write("answer");
  EXPECT_EQ(co_await read_bytes(client, 6), "answer");
  server.close();
  EXPECT_EQ(co_await read_piece(client), "");
}

TEST(TcpTest, ClosesOneDirection) { run_in_both_worlds(half_closes); }

task<void> tells_of_a_reset_once() {
  auto [client, server] = co_await connected_pair();
  co_await client.write("seen");
  client.reset();
  EXPECT_FALSE(client.is_open());
  EXPECT_EQ(co_await read_piece(server), "seen");
  EXPECT_EQ(co_await error_of_task(read_piece(server)), ECONNRESET);
  EXPECT_EQ(co_await read_piece(server), "");
  EXPECT_EQ(error_of(co_await as_result(server.write("lost"))), EPIPE);
  const endpoint peer = server.remote();
  EXPECT_EQ(peer.address(), ip_address::loopback_v4());
}

TEST(TcpTest, TellsOfAResetOnce) { run_in_both_worlds(tells_of_a_reset_once); }

task<void> is_reset_while_it_waits() {
  auto [client, server] = co_await connected_pair();
  auto reader = spawn(error_of_task(read_piece(server)), "reader");
  co_await settle();
  client.reset();
  EXPECT_EQ(co_await reader.join(), ECONNRESET);
}

TEST(TcpTest, IsResetWhileItWaits) { run_in_both_worlds(is_reset_while_it_waits); }

task<void> accepts_who_has_gone() {
  tcp_listener listener = listener_on_loopback();
  {
    tcp_stream client = co_await connect_tcp(listener.local());
    co_await client.write("bye");
  }
  tcp_stream server = co_await listener.accept();
  EXPECT_EQ(co_await read_piece(server), "bye");
  EXPECT_EQ(co_await read_piece(server), "");
  (co_await connect_tcp(listener.local())).reset();
  tcp_stream reset = co_await listener.accept();
  EXPECT_EQ(co_await error_of_task(read_piece(reset)), ECONNRESET);
}

TEST(TcpTest, AcceptsWhoHasGone) { run_in_both_worlds(accepts_who_has_gone); }

task<void> tells_who_waits_of_a_close() {
  auto [client, server] = co_await connected_pair();
  tcp_listener listener = listener_on_loopback();
  const auto accept_one = [](tcp_listener& at) -> task<void> { static_cast<void>(co_await at.accept()); };
  auto reader = spawn(error_of_task(read_piece(server)), "reader");
  auto other = spawn(error_of_task(read_piece(server)), "other");
  auto accepter = spawn(error_of_task(accept_one(listener)), "accepter");
  co_await settle();
  server.close();
  server.close();
  listener.close();
  EXPECT_EQ(co_await reader.join(), ECANCELED);
  EXPECT_EQ(co_await other.join(), ECANCELED);
  EXPECT_EQ(co_await accepter.join(), ECANCELED);
  EXPECT_EQ(co_await error_of_task(read_piece(server)), EBADF);
  EXPECT_EQ(error_of(co_await as_result(server.write("x"))), EBADF);
  EXPECT_EQ(error_of(co_await as_result(listener.accept())), EBADF);
  EXPECT_THROW(server.local(), std::system_error);
  EXPECT_THROW(server.shutdown_write(), std::system_error);
}

TEST(TcpTest, TellsWhoWaitsOfAClose) { run_in_both_worlds(tells_who_waits_of_a_close); }

// -- reading and writing ----------------------------------------------------------------------------------------------

task<void> reads_exactly() {
  auto [client, server] = co_await connected_pair();
  auto reader = spawn(read_bytes(server, 6), "reader");
  co_await settle();
  co_await client.write("abc");
  EXPECT_FALSE(reader.done());
  co_await client.write("defgh");
  EXPECT_EQ(co_await reader.join(), "abcdef");
  client.shutdown_write();
  try {
    co_await read_bytes(server, 3);
    ADD_FAILURE();
  } catch (const incomplete_read& ended) {
    EXPECT_EQ(ended.bytes_read(), 2U);
    EXPECT_STREQ(ended.what(), "the stream ended after 2 of 3 bytes");
  }
  std::array<std::byte, 1> none;
  EXPECT_EQ(co_await server.read_some(std::span(none).first(0)), 0U);
}

TEST(TcpTest, ReadsExactlyAsMuchAsIsAskedFor) { run_in_both_worlds(reads_exactly); }

task<void> writes_all() {
  auto [client, server] = co_await connected_pair();
  const std::string text(8 << 20, 'x');  // more than both buffers take
  const auto write_all = [](tcp_stream& to, const std::string& all) -> task<void> {
    co_await to.write(all);
    to.shutdown_write();
  };
  auto writer = spawn(write_all(client, text), "writer");
  co_await settle();
  EXPECT_FALSE(writer.done());
  EXPECT_EQ(co_await read_bytes(server, text.size()), text);
  EXPECT_EQ(co_await read_piece(server), "");
  co_await writer.join();
}

TEST(TcpTest, WritesMoreThanTheSystemTakesAtOnce) { run_in_both_worlds(writes_all); }

task<void> serves_readers_in_order() {
  auto [client, server] = co_await connected_pair();
  auto first = spawn(read_bytes(server, 1), "first");
  co_await settle();
  auto second = spawn(read_bytes(server, 1), "second");
  co_await settle();
  co_await client.write("ab");
  EXPECT_EQ(co_await second.join(), "b");
  EXPECT_EQ(co_await first.join(), "a");
}

TEST(TcpTest, ServesReadersInTheOrderInWhichTheyCame) { run_in_both_worlds(serves_readers_in_order); }

task<void> sets_options() {
  auto [client, server] = co_await connected_pair();
  EXPECT_FALSE(client.no_delay());
  client.no_delay(true);
  EXPECT_TRUE(client.no_delay());
  EXPECT_FALSE(client.keep_alive());
  client.keep_alive(true);
  EXPECT_TRUE(client.keep_alive());
  client.receive_buffer_bytes(10'000);
  EXPECT_EQ(client.receive_buffer_bytes(), 20'000);
  client.send_buffer_bytes(10'000);
  EXPECT_EQ(client.send_buffer_bytes(), 20'000);
  EXPECT_EQ(client.user_timeout(), 0ms);
  client.user_timeout(1500ms);
  EXPECT_EQ(client.user_timeout(), 1500ms);
  EXPECT_THROW(client.user_timeout(-1ms), std::system_error);
  tcp_listener listener = listener_on_loopback();
  connect_options how;
  how.receive_buffer_bytes = 5'000;
  how.send_buffer_bytes = 6'000;
  tcp_stream small = co_await connect_tcp(listener.local(), how);
  EXPECT_EQ(small.receive_buffer_bytes(), 10'000);
  EXPECT_EQ(small.send_buffer_bytes(), 12'000);
}

TEST(TcpTest, HasOptions) { run_in_both_worlds(sets_options); }

// -- cancellation -----------------------------------------------------------------------------------------------------

task<void> loses_no_byte_of_a_cancelled_read() {
  auto [client, server] = co_await connected_pair();
  auto reader = spawn(read_piece(server), "reader");
  co_await settle();
  reader.cancel();
  EXPECT_TRUE((co_await as_result(reader.join())).was_cancelled());
  co_await client.write("kept");
  EXPECT_EQ(co_await read_bytes(server, 4), "kept");
}

TEST(TcpTest, LosesNoByteOfACancelledRead) { run_in_both_worlds(loses_no_byte_of_a_cancelled_read); }

// Whether the reader is given them before it is cancelled is up to the schedule.
task<void> loses_no_byte_between_gift_and_cancellation() {
  for (int turns = 0; turns < 4; ++turns) {
    auto [client, server] = co_await connected_pair();
    auto reader = spawn(read_piece(server), "reader");
    co_await settle();
    auto other = spawn(read_piece(server), "other");
    co_await settle();
    co_await client.write("ab");
    for (int i = 0; i < turns; ++i) co_await yield();
    reader.cancel();
    const result<std::string> came_to = co_await as_result(reader.join());
    const auto what_other_read = [&other]() -> task<std::string> { co_return co_await other.join(); };
    if (!came_to) {
      EXPECT_EQ(co_await with_timeout(1min, what_other_read()), "ab");
      continue;
    }
    EXPECT_EQ(came_to.value(), "ab");
    client.shutdown_write();
    EXPECT_EQ(co_await what_other_read(), "");
  }
}

TEST(TcpTest, LosesNoByteBetweenGiftAndCancellation) {
  run_in_both_worlds(loses_no_byte_between_gift_and_cancellation);
}

task<void> gives_back_what_it_had_read() {
  auto [client, server] = co_await connected_pair();
  auto reader = spawn(read_bytes(server, 8), "reader");
  co_await client.write("abc");
  co_await yield();  // it takes the three
  auto other = spawn(read_bytes(server, 2), "other");
  co_await settle();
  reader.cancel();
  EXPECT_TRUE((co_await as_result(reader.join())).was_cancelled());
  EXPECT_EQ(co_await other.join(), "ab");
  co_await client.write("def");
  EXPECT_EQ(co_await read_bytes(server, 4), "cdef");
}

TEST(TcpTest, GivesBackWhatACancelledReaderHadRead) { run_in_both_worlds(gives_back_what_it_had_read); }

task<void> gives_back_what_came_before_an_error() {
  auto [client, server] = co_await connected_pair();
  co_await client.write("abc");
  client.reset();
  EXPECT_EQ(co_await error_of_task(read_bytes(server, 8)), ECONNRESET);
  EXPECT_EQ(co_await read_piece(server), "abc");
  EXPECT_EQ(co_await read_piece(server), "");
}

TEST(TcpTest, GivesBackWhatCameBeforeAnError) { run_in_both_worlds(gives_back_what_came_before_an_error); }

task<void> times_out() {
  auto [client, server] = co_await connected_pair();
  const auto read_in_time = [](tcp_stream& from) -> task<std::string> {
    co_return co_await with_timeout(1ms, read_piece(from));
  };
  std::optional<std::string> read;
  try {
    read = co_await read_in_time(server);
  } catch (const timed_out&) {
  }
  EXPECT_EQ(read, std::nullopt);
  co_await client.write("late");
  EXPECT_EQ(co_await read_bytes(server, 4), "late");
}

TEST(TcpTest, LosesNoByteByATimeout) { run_in_both_worlds(times_out); }

task<void> cancels_an_accept() {
  tcp_listener listener = listener_on_loopback();
  const auto accept_one = [](tcp_listener& at) -> task<endpoint> { co_return (co_await at.accept()).remote(); };
  auto cancelled_one = spawn(accept_one(listener), "cancelled");
  auto other = spawn(accept_one(listener), "other");
  co_await settle();
  cancelled_one.cancel();
  EXPECT_TRUE((co_await as_result(cancelled_one.join())).was_cancelled());
  tcp_stream client = co_await connect_tcp(listener.local());
  EXPECT_EQ(co_await other.join(), client.local());
}

TEST(TcpTest, LeavesTheConnectionToTheNextWhenAnAcceptIsCancelled) { run_in_both_worlds(cancels_an_accept); }

task<void> keeps_a_connection_for_the_next() {
  const auto accept_one = [](tcp_listener& at) -> task<endpoint> { co_return (co_await at.accept()).remote(); };
  const auto connect_one = [](endpoint to) -> task<tcp_stream> { co_return co_await connect_tcp(to); };
  for (int turns = 0; turns < 6; ++turns) {
    tcp_listener listener = listener_on_loopback();
    auto cancelled_one = spawn(accept_one(listener), "cancelled");
    co_await settle();
    auto connecter = spawn(connect_one(listener.local()), "connecter");
    for (int i = 0; i < turns; ++i) co_await yield();
    cancelled_one.cancel();
    const result<endpoint> accepted = co_await as_result(cancelled_one.join());
    const tcp_stream client = co_await connecter.join();
    endpoint peer;
    if (accepted) {
      peer = accepted.value();
    } else {
      peer = (co_await listener.accept()).remote();
    }
    EXPECT_EQ(peer, client.local());
  }
}

TEST(TcpTest, KeepsAConnectionForTheNextBetweenGiftAndCancellation) {
  run_in_both_worlds(keeps_a_connection_for_the_next);
}

task<void> gives_an_arm_that_loses_back() {
  auto [client, server] = co_await connected_pair();
  auto [stopper, stopped] = co_await connected_pair();
  std::array<char, 8> exactly;
  std::array<char, 8> some;
  std::array<char, 8> other;
  const auto read_or_stop = [&, &here = server, &stop = stopped]() -> task<std::size_t> {
    co_return (co_await select(here.read_exactly(exactly), stop.read_some(other), here.read_some(some))).index;
  };
  auto reader = spawn(read_or_stop(), "reader");
  co_await settle();
  co_await client.write("abc");  // for the first arm, which waits for more
  co_await yield();
  co_await stopper.write("x");
  EXPECT_EQ(co_await reader.join(), 1U);
  EXPECT_EQ(co_await read_piece(server), "abc");
}

TEST(TcpTest, GivesBackWhatAnArmHadReadThatLoses) { run_in_both_worlds(gives_an_arm_that_loses_back); }

task<void> does_not_overtake() {
  auto [client, server] = co_await connected_pair();
  auto first = spawn(read_bytes(server, 1), "first");
  co_await settle();
  co_await client.write("ab");
  EXPECT_EQ(co_await read_bytes(server, 1), "b");  // the other may not have been told yet
  EXPECT_EQ(co_await first.join(), "a");
}

TEST(TcpTest, DoesNotOvertakeAReaderThatWaits) { run_in_both_worlds(does_not_overtake); }

task<void> is_selected() {
  auto [client, server] = co_await connected_pair();
  std::array<char, 8> at_client;
  std::array<char, 8> at_server;
  const auto nobody = co_await select(server.read_some(at_server), client.read_some(at_client), sleep_for(1ms));
  EXPECT_EQ(nobody.index, 2U);
  co_await client.write("abc");
  const auto first = co_await select(client.read_some(at_client), server.read_some(at_server));
  EXPECT_EQ(first.index, 1U);
  EXPECT_EQ(std::get<1>(first.value), 3U);
  // Both arms are about one socket.
  std::array<char, 8> other;
  const auto one = co_await select(server.read_some(at_server), server.write_some("x"), server.read_exactly(other));
  EXPECT_EQ(one.index, 1U);
  EXPECT_EQ(co_await read_piece(client), "x");
}

TEST(TcpTest, IsSelected) { run_in_both_worlds(is_selected); }

// -- reports and misuse -----------------------------------------------------------------------------------------------

task<void> says_what_it_waits_for() {
  auto [client, server] = co_await connected_pair();
  std::array<std::byte, 8> buffer;
  const std::string ends = server.local().text() + " -> " + client.local().text();
  EXPECT_EQ(server.read_some(buffer).describe(), "read from tcp_stream " + ends);
  EXPECT_EQ(server.write("x").describe(), "write to tcp_stream " + ends);
  tcp_listener listener = listener_on_loopback();
  EXPECT_EQ(listener.accept().describe(), "accept at tcp_listener " + listener.local().text());
  EXPECT_THAT(connect_tcp(listener.local()).describe(), StartsWith("connect of tcp_stream "));
  server.close();
  EXPECT_EQ(server.read_some(buffer).describe(),
            "read from tcp_stream -> " + client.local().text() + ", which is closed");
}

TEST(TcpTest, SaysWhatItWaitsFor) { run_in_both_worlds(says_what_it_waits_for); }

TEST(TcpTest, IsMisusedWhenItDiesWhileATaskWaits) {
  real::world world;
  const auto main = []() -> task<void> {
    auto [client, server] = co_await connected_pair();
    std::optional<tcp_stream> owned(std::move(server));
    auto reader = spawn(read_piece(*owned), "reader");
    co_await settle();
    owned.reset();  // and the reader never goes on
  };
  world.run(main());
  ASSERT_FALSE(world.verdicts().empty());
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::misuse);
  EXPECT_THAT(world.verdicts().front().message,
              testing::MatchesRegex("the tcp_stream #[0-9]+ died while task \"reader\" waits for it"));
}

TEST(TcpTest, IsMisusedWhenItWasMovedFrom) {
  real::world world;
  const auto main = []() -> task<void> {
    tcp_listener listener = listener_on_loopback();
    const tcp_listener moved = std::move(listener);
    EXPECT_FALSE(listener.is_open());
    EXPECT_TRUE(moved.is_open());
    listener.local();
    co_return;
  };
  EXPECT_THROW(world.run(main()), misuse);
  ASSERT_EQ(world.verdicts().size(), 1U);
  EXPECT_EQ(world.verdicts().front().message, "a socket that was moved from was asked for its address");
}

}  // namespace
}  // namespace lockstep
