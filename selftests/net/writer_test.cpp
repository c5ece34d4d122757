#include <lockstep/net/writer.hpp>

#include "in_both_worlds.hpp"

#include <lockstep/net/reader.hpp>
#include <lockstep/net/unix.hpp>

#include <cerrno>
#include <optional>

namespace lockstep {
namespace {

using testing::MatchesRegex;
using testing::StartsWith;

// More than the system holds of a connection, if it is of slow_pair().
std::string much() { return std::string(1 << 20, 'x'); }

task<connection> slow_pair() {
  connection both = co_await connected_pair();
  both.client.send_buffer_bytes(8'192);
  co_return both;
}

task<void> drain(writer& of) { co_await of.drain(); }
task<void> flush(writer& of) { co_await of.flush(); }

// -- writing ----------------------------------------------------------------------------------------------------------

task<void> sends_at_once() {
  auto [client, server] = co_await connected_pair();
  writer to(client);
  to.write("hello, ");
  to.write("");
  to.write("world");
  EXPECT_EQ(to.buffered_bytes(), 0U);
  EXPECT_EQ(co_await read_bytes(server, 12), "hello, world");
  auto [one, other] = unix_stream::pair();
  writer to_one(one);
  to_one.write("hello");
  std::array<char, 8> got;
  EXPECT_EQ(co_await other.read_some(got), 5U);
}

TEST(WriterTest, SendsAtOnce) { run_in_both_worlds(sends_at_once); }

// Nobody waits for the writer.
task<void> sends_the_rest_by_itself() {
  auto [client, server] = co_await slow_pair();
  writer to(client);
  const std::string text = much();
  to.write(text);
  EXPECT_NE(to.buffered_bytes(), 0U);
  to.write("end");
  EXPECT_EQ(co_await read_bytes(server, text.size()), text);
  EXPECT_EQ(co_await read_bytes(server, 3), "end");
  EXPECT_EQ(to.buffered_bytes(), 0U);
}

TEST(WriterTest, SendsTheRestByItself) { run_in_both_worlds(sends_the_rest_by_itself); }

task<void> ends_the_stream() {
  auto [client, server] = co_await slow_pair();
  writer to(client);
  const std::string text = much();
  to.write(text);
  to.write_end();
  to.write_end();
  reader from(server);
  EXPECT_EQ((co_await from.read_all()).size(), text.size());
  co_await server.write("still there");
  EXPECT_EQ(co_await read_bytes(client, 11), "still there");
}

TEST(WriterTest, EndsTheStreamBehindWhatWasWritten) { run_in_both_worlds(ends_the_stream); }

task<void> closes() {
  auto [client, server] = co_await slow_pair();
  writer to(client);
  const std::string text = much();
  to.write(text);
  const auto close = [](writer& of) -> task<void> { co_await of.close(); };
  auto closer = spawn(close(to), "closer");
  co_await settle();
  EXPECT_TRUE(client.is_open());
  reader from(server);
  EXPECT_EQ((co_await from.read_all()).size(), text.size());
  co_await closer.join();
  EXPECT_FALSE(client.is_open());
}

TEST(WriterTest, ClosesWhenAllIsSent) { run_in_both_worlds(closes); }

// -- waiting ----------------------------------------------------------------------------------------------------------

task<void> waits_above_the_high_water() {
  auto [client, server] = co_await connected_pair();
  client.send_buffer_bytes(4096);
  writer to(client, {.high_water = 1000, .low_water = 100});
  co_await to.drain();
  std::size_t written = 0;
  const std::string kilobyte(1000, 'x');
  while (to.buffered_bytes() == 0) {
    to.write(kilobyte);
    written += kilobyte.size();
  }
  const std::string up_to_the_mark(1000 - to.buffered_bytes(), 'x');
  to.write(up_to_the_mark);
  EXPECT_EQ(to.buffered_bytes(), 1000U);
  co_await to.drain();  // not above it
  to.write("y");
  auto drainer = spawn(drain(to), "drainer");
  auto flusher = spawn(flush(to), "flusher");
  co_await settle();
  EXPECT_FALSE(drainer.done());
  EXPECT_FALSE(flusher.done());
  co_await read_bytes(server, written + up_to_the_mark.size() + 1);
  co_await drainer.join();
  co_await flusher.join();
  EXPECT_EQ(to.buffered_bytes(), 0U);
}

TEST(WriterTest, DrainsAboveTheHighWaterMark) { run_in_both_worlds(waits_above_the_high_water); }

// Between the marks, who waits goes on waiting.
task<void> drains_to_the_low_water() {
  auto [client, server] = co_await connected_pair();
  client.send_buffer_bytes(4096);
  writer to(client, {.high_water = 100'000, .low_water = 1000});
  std::size_t left = 400'000;
  to.write(std::string(left, 'x'));
  auto drainer = spawn(drain(to), "drainer");
  for (; to.buffered_bytes() > 50'000; left -= 1000) {
    co_await read_bytes(server, 1000);
    co_await settle();
  }
  EXPECT_GT(to.buffered_bytes(), 1000U);
  EXPECT_FALSE(drainer.done());
  co_await read_bytes(server, left);
  co_await drainer.join();
}

TEST(WriterTest, DrainsDownToTheLowWaterMark) { run_in_random_orders(drains_to_the_low_water, 3); }

task<void> loses_nothing_by_cancellation() {
  auto [client, server] = co_await slow_pair();
  writer to(client);
  const std::string text = much();
  to.write(text);
  auto drainer = spawn(drain(to), "drainer");
  auto flusher = spawn(flush(to), "flusher");
  const auto close = [](writer& of) -> task<void> { co_await of.close(); };
  auto closer = spawn(close(to), "closer");
  co_await settle();
  drainer.cancel();
  flusher.cancel();
  closer.cancel();
  EXPECT_TRUE((co_await as_result(drainer.join())).was_cancelled());
  EXPECT_TRUE((co_await as_result(flusher.join())).was_cancelled());
  EXPECT_TRUE((co_await as_result(closer.join())).was_cancelled());
  EXPECT_TRUE(client.is_open());
  to.write("end");
  EXPECT_EQ((co_await read_bytes(server, text.size() + 3)), text + "end");
  co_await to.close();
}

TEST(WriterTest, LosesNothingByCancellation) {
  run_in_both_worlds(loses_nothing_by_cancellation);
  run_in_random_orders(loses_nothing_by_cancellation);
}

// -- errors -----------------------------------------------------------------------------------------------------------

task<void> tells_of_an_error() {
  auto [client, server] = co_await slow_pair();
  writer to(client);
  to.write(much());
  auto drainer = spawn(error_of_task(drain(to)), "drainer");
  auto flusher = spawn(error_of_task(flush(to)), "flusher");
  co_await settle();
  server.reset();
  EXPECT_EQ(co_await drainer.join(), ECONNRESET);
  EXPECT_EQ(co_await flusher.join(), ECONNRESET);
  const std::size_t left = to.buffered_bytes();
  EXPECT_NE(left, 0U);
  to.write("dropped");
  EXPECT_EQ(to.buffered_bytes(), left);
  EXPECT_EQ(error_of(co_await as_result(to.drain())), ECONNRESET);
  try {
    co_await to.close();
    ADD_FAILURE();
  } catch (const std::system_error& failed) {
    EXPECT_EQ(failed.code().value(), ECONNRESET);
    EXPECT_THAT(failed.what(), StartsWith("write to tcp_stream 127.0.0.1:"));
  }
  EXPECT_FALSE(client.is_open());
}

TEST(WriterTest, TellsOfAnErrorEachTime) { run_in_both_worlds(tells_of_an_error); }

task<void> tells_of_what_write_met() {
  auto [client, server] = co_await connected_pair();
  client.shutdown_write();
  writer to(client);
  to.write("nowhere");
  EXPECT_EQ(error_of(co_await as_result(to.flush())), EPIPE);
}

TEST(WriterTest, TellsOfTheErrorThatAWriteMet) { run_in_both_worlds(tells_of_what_write_met); }

task<void> is_closed_under_it() {
  auto [client, server] = co_await slow_pair();
  writer to(client);
  to.write(much());
  auto flusher = spawn(error_of_task(flush(to)), "flusher");
  co_await settle();
  client.close();
  EXPECT_EQ(co_await flusher.join(), ECANCELED);
  EXPECT_EQ(error_of(co_await as_result(to.drain())), ECANCELED);
  writer other(client);
  other.write("x");
  EXPECT_EQ(error_of(co_await as_result(other.drain())), EBADF);
}

TEST(WriterTest, FailsWhenItsStreamIsClosed) { run_in_both_worlds(is_closed_under_it); }

// -- reports and misuse -----------------------------------------------------------------------------------------------

task<void> a_writer_says_what_it_waits_for() {
  auto [client, server] = co_await connected_pair();
  writer to(client);
  const std::string ends = client.local().text() + " -> " + server.local().text();
  EXPECT_EQ(to.drain().describe(), "drain of tcp_stream " + ends);
  EXPECT_EQ(to.flush().describe(), "flush of tcp_stream " + ends);
}

TEST(WriterTest, SaysWhatItWaitsFor) { run_in_both_worlds(a_writer_says_what_it_waits_for); }

std::string verdict_on(task<void> (*body)()) {
  sim::world simulation;
  try {
    simulation.run(body());
  } catch (const misuse&) {
  }
  return simulation.verdicts().empty() ? "" : simulation.verdicts().front().message;
}

TEST(WriterTest, IsMisusedByWhatIsWrittenBehindTheEnd) {
  const auto body = []() -> task<void> {
    auto [client, server] = co_await connected_pair();
    writer to(client);
    to.write_end();
    to.write("more");
  };
  EXPECT_THAT(verdict_on(body), StartsWith("a writer was written to after its write_end()"));
}

TEST(WriterTest, IsMisusedByMarksThatAreUpsideDown) {
  const auto body = []() -> task<void> {
    auto [client, server] = co_await connected_pair();
    writer to(client, {.high_water = 1, .low_water = 2});
  };
  EXPECT_THAT(verdict_on(body), StartsWith("a writer with a low_water of 2 above its high_water of 1"));
}

TEST(WriterTest, IsMisusedWhenItDiesWhileATaskWaits) {
  const auto body = []() -> task<void> {
    auto [client, server] = co_await slow_pair();
    std::optional<writer> owned(std::in_place, client);
    owned->write(much());
    auto flusher = spawn(flush(*owned), "flusher");
    co_await settle();
    owned.reset();  // and it never goes on
  };
  EXPECT_THAT(verdict_on(body), MatchesRegex("the writer #[0-9]+ died while task \"flusher\" waits for it"));
}

}  // namespace
}  // namespace lockstep
