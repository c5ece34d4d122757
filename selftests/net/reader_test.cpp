#include <lockstep/net/reader.hpp>

#include "in_both_worlds.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::StartsWith;

// Gives these, one for each call, and then the end.
class pieces {
 public:
  explicit pieces(std::deque<std::string> all) : left_(std::move(all)) {}

  task<std::size_t> read_some(std::span<std::byte> into) {
    if (left_.empty()) co_return 0;
    const std::string next = std::move(left_.front());
    left_.pop_front();
    if (into.size() < next.size()) throw std::length_error("a test's piece is too large");
    std::memcpy(into.data(), next.data(), next.size());
    co_return next.size();
  }

 private:
  std::deque<std::string> left_;
};

template <class F>
void in_a_simulation(F body) {
  sim::world simulation;
  const auto main = [&]() -> task<void> { co_await body(); };
  simulation.run(main());
  EXPECT_TRUE(simulation.verdicts().empty());
}

// -- what is asked for ------------------------------------------------------------------------------------------------

task<void> reads_over_a_connection() {
  auto [client, server] = co_await connected_pair();
  reader from(server);
  co_await client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\nbodyand more");
  client.shutdown_write();
  EXPECT_EQ(co_await from.read_until("\r\n\r\n"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(co_await from.read_exactly(4), "body");
  std::array<char, 4> some;
  EXPECT_EQ(co_await from.read_some(some), 4U);
  EXPECT_EQ(std::string(some.data(), some.size()), "and ");
  EXPECT_FALSE(from.at_end());
  EXPECT_EQ(from.buffered(), "more");
  EXPECT_EQ(co_await from.read_all(), "more");
  EXPECT_TRUE(from.at_end());
  EXPECT_EQ(co_await from.read_some(some), 0U);
  EXPECT_EQ(co_await from.read_all(), "");
  EXPECT_EQ(co_await from.read_line(), "");
  EXPECT_EQ(co_await from.read_exactly(0), "");
}

TEST(ReaderTest, ReadsWhatIsAskedFor) { run_in_both_worlds(reads_over_a_connection); }

TEST(ReaderTest, FindsADelimiterThatComesInPieces) {
  in_a_simulation([]() -> task<void> {
    pieces stream({"ab", "\r", "x\r", "\ncd", "\r\n", "\r\n"});
    reader from(stream);
    EXPECT_EQ(co_await from.read_until("\r\n"), "ab\rx\r\n");
    EXPECT_EQ(co_await from.read_until("\r\n\r\n"), "cd\r\n\r\n");
  });
}

TEST(ReaderTest, SaysWhatCameBeforeTheEnd) {
  in_a_simulation([]() -> task<void> {
    pieces stream({"abc"});
    reader from(stream);
    try {
      co_await from.read_exactly(8);
      ADD_FAILURE();
    } catch (const incomplete_read& ended) {
      EXPECT_EQ(ended.partial(), "abc");
      EXPECT_EQ(ended.bytes_read(), 3U);
      EXPECT_STREQ(ended.what(), "the stream ended after 3 of 8 bytes");
    }
    EXPECT_TRUE(from.at_end());
    pieces other({"abc"});
    reader until(other);
    try {
      co_await until.read_until("\r\n");
      ADD_FAILURE();
    } catch (const incomplete_read& ended) {
      EXPECT_EQ(ended.partial(), "abc");
      EXPECT_STREQ(ended.what(), "the stream ended after 3 bytes, without \"\\r\\n\"");
    }
    EXPECT_TRUE(until.at_end());
  });
}

TEST(ReaderTest, TakesLines) {
  in_a_simulation([]() -> task<void> {
    pieces stream({"one\ntw", "o\n\nfo", "ur"});
    reader from(stream);
    EXPECT_EQ(co_await from.read_line(), "one\n");
    std::vector<std::string> rest;
    async_generator<std::string> lines = from.lines();
    while (const std::string* line = co_await lines.next()) rest.push_back(*line);
    EXPECT_THAT(rest, ElementsAre("two\n", "\n", "four"));
    EXPECT_TRUE(from.at_end());
  });
}

TEST(ReaderTest, KeepsTheLinesThatAGeneratorHasNotGiven) {
  in_a_simulation([]() -> task<void> {
    pieces stream({"one\ntwo\n"});
    reader from(stream);
    {
      async_generator<std::string> lines = from.lines();
      EXPECT_EQ(*co_await lines.next(), "one\n");
    }
    EXPECT_EQ(co_await from.read_line(), "two\n");
  });
}

// -- limits -----------------------------------------------------------------------------------------------------------

TEST(ReaderTest, KeepsWhatIsLongerThanTheLimit) {
  in_a_simulation([]() -> task<void> {
    pieces stream({"abcdef", "gh;next;"});
    reader from(stream);
    try {
      co_await from.read_until(";", 4);
      ADD_FAILURE();
    } catch (const limit_overrun& over) {
      EXPECT_EQ(over.consumed(), 6U);  // and no delimiter yet
      EXPECT_STREQ(over.what(), "6 bytes have come, and at most 4 may");
    }
    EXPECT_EQ(from.buffered(), "abcdef");
    EXPECT_EQ(co_await from.read_until(";", 8), "abcdefgh;");  // which does not count
    EXPECT_EQ(co_await from.read_until(";", 4), "next;");
  });
}

TEST(ReaderTest, RefusesADelimiterBehindTheLimit) {
  in_a_simulation([]() -> task<void> {
    pieces stream({"abcdef\r\nrest\r\n"});
    reader from(stream);
    std::size_t consumed = 0;
    try {
      co_await from.read_until("\r\n", 5);
      ADD_FAILURE();
    } catch (const limit_overrun& over) {
      consumed = over.consumed();
    }
    EXPECT_EQ(co_await from.read_exactly(consumed), "abcdef");
    EXPECT_EQ(co_await from.read_until("\r\n", 5), "\r\n");
    EXPECT_EQ(co_await from.read_line(5), "rest\r\n");
  });
}

// Part of a delimiter may be what the limit leaves out.
TEST(ReaderTest, WaitsForTheRestOfADelimiterAtTheLimit) {
  in_a_simulation([]() -> task<void> {
    pieces stream({"abcd\r", "\n"});
    reader from(stream);
    EXPECT_EQ(co_await from.read_until("\r\n", 4), "abcd\r\n");
  });
}

TEST(ReaderTest, LimitsAll) {
  in_a_simulation([]() -> task<void> {
    pieces stream({"abc", "def"});
    reader from(stream);
    EXPECT_TRUE(holds<limit_overrun>((co_await as_result(from.read_all(5))).error()));
    EXPECT_EQ(co_await from.read_all(6), "abcdef");
    EXPECT_TRUE(holds<std::invalid_argument>((co_await as_result(from.read_until(""))).error()));
  });
}

TEST(ReaderTest, TakesMoreThanItsPieces) {
  run_in_both_worlds([]() -> task<void> {
    auto [client, server] = co_await connected_pair();
    const auto write_all = [](tcp_stream& to, std::string text) -> task<void> {
      co_await to.write(text);
      to.shutdown_write();
    };
    std::string text(1 << 20, '?');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
    auto writer = spawn(write_all(client, text), "writer");
    reader from(server);
    EXPECT_EQ(co_await from.read_exactly(1 << 19), text.substr(0, 1 << 19));
    EXPECT_EQ(co_await from.read_all(), text.substr(1 << 19));
    co_await writer.join();
  });
}

// -- cancellation and errors ------------------------------------------------------------------------------------------

task<void> loses_no_byte() {
  auto [client, server] = co_await connected_pair();
  reader from(server);
  const auto read_eight = [](reader<tcp_stream>& by) -> task<std::string> { co_return co_await by.read_exactly(8); };
  auto cancelled_one = spawn(read_eight(from), "cancelled");
  co_await client.write("abc");
  co_await settle();
  cancelled_one.cancel();
  EXPECT_TRUE((co_await as_result(cancelled_one.join())).was_cancelled());
  const auto late = [](reader<tcp_stream>& by) -> task<std::string> {
    co_return co_await with_timeout(1ms, by.read_line());
  };
  EXPECT_TRUE(holds<timed_out>((co_await as_result(late(from))).error()));
  co_await client.write("def\n");
  EXPECT_EQ(co_await from.read_line(), "abcdef\n");
}

TEST(ReaderTest, LosesNoByteByCancellation) {
  run_in_both_worlds(loses_no_byte);
  run_in_random_orders(loses_no_byte);
}

// Whether it is given something before it is cancelled is up to the schedule.
task<void> loses_no_byte_at_any_turn() {
  const auto read_line = [](reader<tcp_stream>& by) -> task<std::string> { co_return co_await by.read_line(); };
  for (int turns = 0; turns < 5; ++turns) {
    auto [client, server] = co_await connected_pair();
    reader from(server);
    auto cancelled_one = spawn(read_line(from), "cancelled");
    co_await settle();
    co_await client.write("ab");
    for (int i = 0; i < turns; ++i) co_await yield();
    cancelled_one.cancel();
    EXPECT_TRUE((co_await as_result(cancelled_one.join())).was_cancelled());
    co_await client.write("c\n");
    EXPECT_EQ(co_await from.read_line(), "abc\n");
  }
}

TEST(ReaderTest, LosesNoByteWheneverItIsCancelled) {
  run_in_both_worlds(loses_no_byte_at_any_turn);
  run_in_random_orders(loses_no_byte_at_any_turn);
}

task<void> keeps_what_came_before_an_error() {
  auto [client, server] = co_await connected_pair();
  reader from(server);
  co_await client.write("abc");
  client.reset();
  EXPECT_EQ(co_await error_of_task(from.read_exactly(8)), ECONNRESET);
  EXPECT_EQ(from.buffered(), "abc");
  EXPECT_EQ(co_await from.read_all(), "abc");
}

TEST(ReaderTest, KeepsWhatCameBeforeAnError) { run_in_both_worlds(keeps_what_came_before_an_error); }

TEST(ReaderTest, IsMisusedByTwoAtOnce) {
  sim::world simulation;
  const auto main = []() -> task<void> {
    auto [client, server] = co_await connected_pair();
    reader from(server);
    const auto read_line = [](reader<tcp_stream>& by) -> task<std::string> { co_return co_await by.read_line(); };
    auto first = spawn(read_line(from), "first");
    co_await settle();
    EXPECT_TRUE(holds<misuse>((co_await as_result(read_line(from))).error()));
    co_await client.write("for the first\n");
    EXPECT_EQ(co_await first.join(), "for the first\n");
  };
  simulation.run(main());
  ASSERT_EQ(simulation.verdicts().size(), 1U);
  EXPECT_THAT(simulation.verdicts().front().message,
              StartsWith("a reader was asked for more while a task waits for what comes"));
}

}  // namespace
}  // namespace lockstep
