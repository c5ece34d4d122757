// Bytes between two coroutines over the in-memory stream that Boost.Beast tests its protocols with.

#include "messages.hpp"
#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <boost/asio.hpp>
#include <boost/beast/_experimental/test/stream.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace bench {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::detached;
using asio::use_awaitable;
using boost::beast::test::stream;

std::uint64_t done = 0;

awaitable<void> client(stream& peer, std::uint64_t times) {
  std::array<char, message_bytes> sent{};
  std::array<char, message_bytes> got{};
  for (std::uint64_t i = 0; i < times; ++i) {
    sent[0] = static_cast<char>(i);
    co_await asio::async_write(peer, asio::buffer(sent), use_awaitable);
    co_await asio::async_read(peer, asio::buffer(got), use_awaitable);
    require(got[0] == sent[0], "an answer is not what was asked");
    ++done;
  }
}

awaitable<void> server(stream& peer, std::uint64_t times) {
  std::array<char, buffer_bytes> buffer{};
  for (std::uint64_t left = times * message_bytes; left != 0;) {
    const std::size_t count = co_await peer.async_read_some(asio::buffer(buffer), use_awaitable);
    left -= count;
    co_await asio::async_write(peer, asio::buffer(buffer, count), use_awaitable);
  }
}

awaitable<void> sender(stream& peer, const std::vector<char>& all, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await asio::async_write(peer, asio::buffer(all), use_awaitable);
}

awaitable<void> receiver(stream& peer, std::vector<char>& all, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    for (std::size_t got = 0; got < all.size();) {
      const auto left = asio::buffer(all.data() + got, std::min(all.size() - got, piece_bytes));
      got += co_await peer.async_read_some(left, use_awaitable);
    }
    ++done;
  }
}

measurement echoing(std::uint64_t operations) {
  done = 0;
  asio::io_context context{1};
  stream near(context);
  stream far(context);
  near.connect(far);
  asio::co_spawn(context, client(near, operations), detached);
  asio::co_spawn(context, server(far, operations), detached);
  const stopwatch watch;
  context.run();
  const measurement result = watch.read(operations);
  require(done == operations, "answers are missing");
  return result;
}

measurement sending_much(std::uint64_t operations) {
  done = 0;
  const std::vector<char> from(bulk_bytes, 1);
  std::vector<char> into(bulk_bytes);
  asio::io_context context{1};
  stream near(context);
  stream far(context);
  near.connect(far);
  asio::co_spawn(context, sender(near, from, operations), detached);
  asio::co_spawn(context, receiver(far, into, operations), detached);
  const stopwatch watch;
  context.run();
  const measurement result = watch.read(operations);
  require(done == operations && from == into, "bytes are missing");
  return result;
}

constexpr std::array workloads{
    workload{"W5_echo64", 200'000, echoing},
    workload{"W5_bulk", 300, sending_much},
};

}  // namespace

variant asio_network_variant() { return {"asio", workloads}; }

}  // namespace bench
