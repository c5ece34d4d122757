#include <lockstep/net/stream.hpp>

#include "in_both_worlds.hpp"

#include <lockstep/net/unix.hpp>

namespace lockstep {
namespace {

static_assert(byte_stream<tcp_stream> && byte_stream<unix_stream>);
static_assert(!readable_stream<tcp_listener>);

template <byte_stream Stream>
task<void> half_closes(Stream one, Stream other) {
  co_await one.write("last words");
  one.shutdown_write();
  EXPECT_EQ(error_of(co_await as_result(one.write_some("more"))), EPIPE);
  std::array<char, 10> words;
  co_await other.read_exactly(words);
  EXPECT_EQ(std::string(words.data(), words.size()), "last words");
  EXPECT_EQ(co_await other.read_some(words), 0U);
  EXPECT_EQ(co_await other.write_some("answer"), 6U);
  EXPECT_EQ(co_await one.read_some(words), 6U);
  other.close();
  EXPECT_FALSE(other.is_open());
  EXPECT_THROW(other.shutdown_write(), std::system_error);
}

task<void> half_closes_either_kind() {
  auto [client, server] = co_await connected_pair();
  co_await half_closes(std::move(client), std::move(server));
  auto [one, other] = unix_stream::pair();
  co_await half_closes(std::move(one), std::move(other));
}

TEST(StreamTest, IsTheSameForConnectionsOfEitherKind) { run_in_both_worlds(half_closes_either_kind); }

}  // namespace
}  // namespace lockstep
