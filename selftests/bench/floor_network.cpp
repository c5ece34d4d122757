// Bytes between two tasks on the hand-written floor: two rings, and nothing that would be a network.

#include "floor/pipe.hpp"
#include "floor/scheduler.hpp"
#include "floor/task.hpp"
#include "memory.hpp"
#include "messages.hpp"
#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace bench {
namespace {

using floor::detached;
using floor::here;
using floor::pipe;

constexpr std::size_t capacity = std::size_t{64} * 1024;

std::uint64_t done = 0;

detached client(pipe& out, pipe& in, std::uint64_t times) {
  char sent[message_bytes] = {};
  char got[message_bytes];
  for (std::uint64_t i = 0; i < times; ++i) {
    sent[0] = static_cast<char>(i);
    for (std::size_t count = 0; count < message_bytes;) {
      count += co_await out.write(sent + count, message_bytes - count);
    }
    for (std::size_t count = 0; count < message_bytes;) count += co_await in.read(got + count, message_bytes - count);
    require(got[0] == static_cast<char>(i), "an answer is not what was asked");
    ++done;
  }
}

detached server(pipe& in, pipe& out, std::uint64_t times) {
  char buffer[buffer_bytes];
  for (std::uint64_t left = times * message_bytes; left != 0;) {
    const std::size_t count = co_await in.read(buffer, sizeof buffer);
    left -= count;
    for (std::size_t sent = 0; sent < count;) sent += co_await out.write(buffer + sent, count - sent);
  }
}

measurement echoing(std::uint64_t operations) {
  floor::start_afresh();
  done = 0;
  pipe there(capacity);
  pipe back(capacity);
  client(there, back, operations).spawn();
  server(there, back, operations).spawn();
  const stopwatch watch;
  here.run();
  const measurement result = watch.read(operations);
  require(done == operations, "answers are missing");
  return result;
}

detached sender(pipe& to, const std::vector<char>& all, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    for (std::size_t sent = 0; sent < all.size();) sent += co_await to.write(all.data() + sent, all.size() - sent);
  }
}

detached receiver(pipe& from, std::vector<char>& all, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    for (std::size_t got = 0; got < all.size();) {
      got += co_await from.read(all.data() + got, std::min(all.size() - got, piece_bytes));
    }
    ++done;
  }
}

measurement sending_much(std::uint64_t operations) {
  floor::start_afresh();
  done = 0;
  const std::vector<char> from(bulk_bytes, 1);
  std::vector<char> into(bulk_bytes);
  pipe between(capacity);
  sender(between, from, operations).spawn();
  receiver(between, into, operations).spawn();
  const stopwatch watch;
  here.run();
  const measurement result = watch.read(operations);
  require(done == operations && from == into, "bytes are missing");
  return result;
}

struct connection {
  pipe there{buffer_bytes};
  pipe back{buffer_bytes};
};

measurement among(std::uint64_t hosts, std::uint64_t operations) {
  floor::start_afresh();
  done = 0;
  const std::uint64_t times = operations / hosts > 0 ? operations / hosts : 1;
  const double before = heap_bytes();
  std::vector<std::unique_ptr<connection>> all(hosts);
  for (auto& each : all) each = std::make_unique<connection>();
  const double connected = heap_bytes();
  for (const auto& each : all) {
    client(each->there, each->back, times).spawn();
    server(each->there, each->back, times).spawn();
  }
  const stopwatch watch;
  here.run();
  measurement result = watch.read(hosts * times);
  require(done == hosts * times, "answers are missing");
  result.bytes_per_task = (connected - before) / static_cast<double>(hosts);
  return result;
}

constexpr std::array workloads{
    workload{"W5_echo64", 3'000'000, echoing},
    workload{"W5_bulk", 3'000, sending_much},
    workload{"W5_hosts10", 2'000'000, [](std::uint64_t n) { return among(10, n); }},
    workload{"W5_hosts100", 2'000'000, [](std::uint64_t n) { return among(100, n); }},
    workload{"W5_hosts1e3", 2'000'000, [](std::uint64_t n) { return among(1'000, n); }},
    workload{"W5_hosts1e4", 2'000'000, [](std::uint64_t n) { return among(10'000, n); }},
};

}  // namespace

variant floor_network_variant() { return {"floor", workloads}; }

}  // namespace bench
