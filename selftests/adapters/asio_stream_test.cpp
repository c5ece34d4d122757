#include <lockstep/adapters/asio_stream.hpp>

#include "../net/in_both_worlds.hpp"
#include "../runtime/judged_run.hpp"

#include <lockstep/adapters/asio.hpp>
#include <lockstep/net/unix.hpp>
#include <lockstep/testing/testing.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <tuple>

namespace lockstep {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;
using outcome = std::tuple<error_code, std::size_t>;
constexpr auto as_outcome = asio::as_tuple(use_task);

struct pair_of_streams {
  asio_stream<tcp_stream> near;
  asio_stream<tcp_stream> far;
};

task<pair_of_streams> joined() {
  connection made = co_await connected_pair();
  co_return pair_of_streams{asio_stream(std::move(made.client)), asio_stream(std::move(made.server))};
}

task<void> carries_bytes() {
  auto [near, far] = co_await joined();
  EXPECT_EQ(near.get_executor(), loop_executor());
  const std::string sent = "hello";
  const std::size_t written = co_await asio::async_write(near, asio::buffer(sent), use_task);
  EXPECT_EQ(written, 5U);
  std::string received(5, '?');
  const std::size_t read = co_await asio::async_read(far, asio::buffer(received), use_task);
  EXPECT_EQ(read, 5U);
  EXPECT_EQ(received, sent);
}

TEST(AsioStreamTest, CarriesBytes) {
  run_in_both_worlds(carries_bytes);
  run_in_random_orders(carries_bytes);
}

task<void> tells_errors() {
  auto [near, far] = co_await joined();
  std::array<char, 8> bytes{};
  far.stream().shutdown_write();
  const outcome ended = co_await near.async_read_some(asio::buffer(bytes), as_outcome);
  EXPECT_EQ(ended, outcome(asio::error::eof, 0));
}

task<void> tells_of_a_reset() {
  auto [near, far] = co_await joined();
  std::array<char, 8> bytes{};
  far.stream().reset();
  const outcome reset = co_await near.async_read_some(asio::buffer(bytes), as_outcome);
  EXPECT_EQ(reset, outcome(asio::error::connection_reset, 0));
  const outcome broken = co_await near.async_write_some(asio::buffer(bytes), as_outcome);
  EXPECT_EQ(broken, outcome(asio::error::broken_pipe, 0));
  near.close();
  EXPECT_FALSE(near.is_open());
  const outcome closed = co_await near.async_read_some(asio::buffer(bytes), as_outcome);
  EXPECT_EQ(closed, outcome(asio::error::bad_descriptor, 0));
}

TEST(AsioStreamTest, TellsTheErrorsOfTheSystem) {
  run_in_both_worlds(tells_errors);
  run_in_both_worlds(tells_of_a_reset);
}

task<void> takes_no_bytes() {
  auto [near, far] = co_await joined();
  const outcome read = co_await near.async_read_some(asio::mutable_buffer(), as_outcome);
  EXPECT_EQ(read, outcome(error_code(), 0));
  const outcome written = co_await near.async_write_some(asio::const_buffer(), as_outcome);
  EXPECT_EQ(written, outcome(error_code(), 0));
}

TEST(AsioStreamTest, NoBytesAreTransferredAtOnce) { run_in_both_worlds(takes_no_bytes); }

task<void> gathers_buffers() {
  auto [near, far] = co_await joined();
  const std::string large(100'000, 'x');
  const std::array<asio::const_buffer, 5> pieces{asio::buffer("he", 2), asio::const_buffer(), asio::buffer("l", 1),
                                                 asio::buffer("lo", 2), asio::buffer(large)};
  const std::size_t written = co_await near.async_write_some(pieces, use_task);
  EXPECT_EQ(written, 65'536U);
  std::array<char, 3> start{};
  char fourth = '?';
  const std::array<asio::mutable_buffer, 3> into{asio::mutable_buffer(), asio::buffer(start), asio::buffer(&fourth, 1)};
  const std::size_t read = co_await asio::async_read(far, into, use_task);
  EXPECT_EQ(read, 4U);
  EXPECT_EQ(std::string(start.begin(), start.end()) + fourth, "hell");
}

TEST(AsioStreamTest, BuffersAreSentTogether) { run_in_both_worlds(gathers_buffers); }

// The handler is never called within the call that begins the operation.
CO_TEST(AsioStreamTest, AHandlerIsCalledLater) {
  auto [near, far] = co_await joined();
  std::optional<outcome> came;
  near.async_write_some(asio::buffer("x", 1), [&](error_code error, std::size_t count) { came.emplace(error, count); });
  EXPECT_FALSE(came);
  co_await settle();
  EXPECT_EQ(came, outcome(error_code(), 1));
}

CO_TEST(AsioStreamTest, AHandlerIsCalledByItsExecutor) {
  auto [near, far] = co_await joined();
  asio::io_context other;
  bool called = false;
  near.async_write_some(asio::buffer("x", 1),
                        asio::bind_executor(other, [&](error_code, std::size_t) { called = true; }));
  EXPECT_EQ(other.poll(), 0U);
  co_await settle();
  EXPECT_FALSE(called);
  EXPECT_FALSE(other.stopped()) << "it has work";
  EXPECT_EQ(other.poll(), 1U);
  EXPECT_TRUE(called);
}

asio::awaitable<void> echo(tcp_stream accepted) {
  asio_stream peer(std::move(accepted));
  std::array<char, 64> bytes{};
  for (;;) {
    const auto [error, count] = co_await peer.async_read_some(asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    co_await asio::async_write(peer, asio::buffer(bytes, count), asio::use_awaitable);
  }
}

task<void> talks_to_a_coroutine() {
  auto [client, server] = co_await connected_pair();
  asio::co_spawn(loop_executor(), echo(std::move(server)), asio::detached);
  for (int i = 0; i < 3; ++i) {
    co_await client.write("hello");
    EXPECT_EQ(co_await read_bytes(client, 5), "hello");
  }
  client.shutdown_write();
  EXPECT_EQ(co_await read_piece(client), "");
}

TEST(AsioStreamTest, CoroutinesOfAsiosUseIt) {
  run_in_both_worlds(talks_to_a_coroutine);
  run_in_random_orders(talks_to_a_coroutine);
}

// -- other streams ----------------------------------------------------------------------------------------------------

task<void> is_made_of_others() {
  auto [one, other] = unix_stream::pair();
  asio_stream<unix_stream&> referring(one);
  asio_stream owning(std::move(other));
  co_await asio::async_write(referring, asio::buffer("hello", 5), use_task);
  std::string received(5, '?');
  asio_stream moved = std::move(owning);
  co_await asio::async_read(moved, asio::buffer(received), use_task);
  EXPECT_EQ(received, "hello");
}

TEST(AsioStreamTest, IsMadeOfAnyStreamOrAReference) { run_in_both_worlds(is_made_of_others); }

CO_TEST(AsioStreamTest, MayTakeTheTokenByDefault) {
  auto [client, server] = co_await connected_pair();
  use_task_t::as_default_on_t<asio_stream<tcp_stream>> near(asio_stream(std::move(client)));
  co_await near.async_write_some(asio::buffer("x", 1));
  EXPECT_EQ(co_await read_piece(server), "x");
}

// -- time and cancellation --------------------------------------------------------------------------------------------

task<std::string> read_one(asio_stream<tcp_stream>& from) {
  char byte = '?';
  co_await from.async_read_some(asio::buffer(&byte, 1), use_task);
  co_return std::string(1, byte);
}

CO_TEST(AsioStreamTest, VirtualTimeGoesOnMeanwhile) {
  auto [near, far] = co_await joined();
  EXPECT_THROW(co_await with_timeout(1h, read_one(near)), timed_out);
  EXPECT_EQ(now().time_since_epoch(), 1h);
  co_await asio::async_write(far, asio::buffer("x", 1), use_task);
  EXPECT_EQ(co_await read_one(near), "x");
}

// Whether the byte has come before the cancellation or not. A task that returns when it was asked to stop is cancelled,
// so it says itself what it has got.
task<void> loses_no_byte() {
  auto [near, far] = co_await joined();
  std::string came;
  const auto reads = [](asio_stream<tcp_stream>& from, std::string& into) -> task<void> {
    into += co_await read_one(from);
  };
  const auto writes = [](asio_stream<tcp_stream>& to) -> task<void> {
    co_await to.async_write_some(asio::buffer("x", 1), use_task);
  };
  auto reader = spawn(reads(near, came));
  auto writer = spawn(writes(far));
  co_await yield();
  reader.cancel();
  co_await writer.join();
  try {
    co_await reader.join();
  } catch (const cancelled&) {  // if it had not ended before
  }
  if (came.empty()) came = co_await read_one(near);
  EXPECT_EQ(came, "x");
}

TEST(AsioStreamTest, ACancellationLosesNoByte) {
  run_in_both_worlds(loses_no_byte);
  run_in_random_orders(loses_no_byte, 100);
}

task<void> is_cancelled_by_its_slot() {
  auto [near, far] = co_await joined();
  asio::cancellation_signal stop;
  std::array<char, 1> byte{};
  std::optional<outcome> came;
  near.async_read_some(
      asio::buffer(byte),
      asio::bind_cancellation_slot(stop.slot(), [&](error_code error, std::size_t n) { came.emplace(error, n); }));
  co_await yield();
  stop.emit(asio::cancellation_type::total);
  EXPECT_FALSE(came) << "called later";
  co_await settle();
  EXPECT_EQ(came, outcome(asio::error::operation_aborted, 0));
  stop.emit(asio::cancellation_type::terminal);  // nobody is there
}

TEST(AsioStreamTest, TheSlotCancels) { run_in_both_worlds(is_cancelled_by_its_slot); }

// `Ends` one of two streams.
template <class Ends>
task<void> is_aborted_by(Ends end) {
  auto both = std::make_unique<pair_of_streams>(co_await joined());
  std::optional<outcome> came;
  std::array<char, 1> byte{};
  both->near.async_read_some(asio::buffer(byte), [&](error_code error, std::size_t n) { came.emplace(error, n); });
  co_await yield();
  end(both->near);
  co_await settle();
  EXPECT_EQ(came, outcome(asio::error::operation_aborted, 0));
}

task<void> is_closed_meanwhile() {
  co_await is_aborted_by([](asio_stream<tcp_stream>& stream) { stream.close(); });
  co_await is_aborted_by(
      [](asio_stream<tcp_stream>& stream) { const asio_stream<tcp_stream> dying(std::move(stream)); });
}

TEST(AsioStreamTest, WhatWaitsIsAbortedWhenItIsClosed) {
  run_in_both_worlds(is_closed_meanwhile);
  run_in_random_orders(is_closed_meanwhile);
}

TEST(AsioStreamTest, WhatWaitsAtTheEndOfTheRunIsDropped) {
  const auto owned = std::make_shared<int>();
  const auto main = [&]() -> task<void> {
    auto both = std::make_shared<pair_of_streams>(co_await joined());
    const auto byte = std::make_shared<char>();
    both->near.async_read_some(asio::buffer(byte.get(), 1),
                               [owned, both, byte](error_code, std::size_t) { ADD_FAILURE() << "called"; });
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(owned.use_count(), 1);
}

// A daemon that waits is cancelled at the end, as one that waits for a stream of ours.
TEST(AsioStreamTest, ADaemonEndsWithTheRun) {
  bool ended = false;
  const auto main = [&]() -> task<void> {
    auto [near, far] = co_await joined();
    const auto serves = [](asio_stream<tcp_stream> from, bool& done) -> task<void> {
      try {
        co_await read_one(from);
      } catch (const cancelled&) {
        done = true;
        throw;
      }
    };
    spawn_daemon(serves(std::move(near), ended));
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace lockstep
