// Bytes between two tasks over lockstep's simulated network, through what its users use; recording, hash and every
// detector on.

#include "in_a_world.hpp"
#include "memory.hpp"
#include "messages.hpp"
#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/net/tcp.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

using lockstep::endpoint;
using lockstep::spawn;
using lockstep::task;
using lockstep::tcp_listener;
using lockstep::tcp_stream;
using namespace std::chrono_literals;

// -- the two sides ----------------------------------------------------------------------------------------------------

task<void> client(tcp_stream& peer, std::uint64_t times) {
  std::array<std::byte, message_bytes> sent{};
  std::array<std::byte, message_bytes> got{};
  for (std::uint64_t i = 0; i < times; ++i) {
    sent[0] = static_cast<std::byte>(i);
    co_await peer.write(sent);
    co_await peer.read_exactly(got);
    require(got[0] == sent[0], "an answer is not what was asked");
    ++done;
  }
}

task<void> server(tcp_stream& peer, std::uint64_t times) {
  std::array<std::byte, buffer_bytes> buffer;
  for (std::uint64_t left = times * message_bytes; left != 0;) {
    const std::size_t count = co_await peer.read_some(buffer);
    left -= count;
    co_await peer.write(std::span(buffer).first(count));
  }
}

task<void> sender(tcp_stream& peer, std::span<const std::byte> all, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await peer.write(all);
}

task<void> receiver(tcp_stream& peer, std::span<std::byte> all, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    for (std::span<std::byte> left = all; !left.empty();) {
      const std::size_t got = co_await peer.read_some(left.first(std::min(left.size(), piece_bytes)));
      left = left.subspan(got);
    }
    ++done;
  }
}

// -- two hosts --------------------------------------------------------------------------------------------------------

struct connection {
  tcp_stream near;
  tcp_stream far;
};

lockstep::sim::host& add_web() { return lockstep::world().host("web"); }

// From the first host to that one.
task<connection> connect_to(lockstep::sim::host& there) {
  constexpr std::uint16_t port = 80;
  const auto listener = [&there] {
    const auto on_it = there.enter();
    return std::make_unique<tcp_listener>(tcp_listener::bind(endpoint(there.address(), port)));
  }();
  tcp_stream near = co_await lockstep::connect_tcp(endpoint(there.address(), port));
  tcp_stream far = co_await listener->accept();
  co_return connection{std::move(near), std::move(far)};
}

task<measurement> echo_over(connection& between, lockstep::sim::host& web, std::uint64_t operations) {
  const stopwatch watch;
  auto serving = web.spawn(server(between.far, operations));
  auto asking = spawn(client(between.near, operations));
  co_await asking.join();
  co_await serving.join();
  const measurement result = watch.read(operations);
  require(done == operations, "answers are missing");
  co_return result;
}

task<measurement> echo_between(lockstep::sim::host& web, std::uint64_t operations) {
  connection between = co_await connect_to(web);
  co_return co_await echo_over(between, web, operations);
}

task<measurement> echoing(std::uint64_t operations) { co_return co_await echo_between(add_web(), operations); }

task<measurement> sending_much(std::uint64_t operations) {
  lockstep::sim::host& web = add_web();
  connection between = co_await connect_to(web);
  const std::vector<std::byte> from(bulk_bytes, std::byte{1});
  std::vector<std::byte> into(bulk_bytes);
  auto sending = web.spawn(sender(between.far, from, operations));
  auto receiving = spawn(receiver(between.near, into, operations));
  const stopwatch watch;
  co_await sending.join();
  co_await receiving.join();
  const measurement result = watch.read(operations);
  require(done == operations && from == into, "bytes are missing");
  co_return result;
}

// A message takes a millisecond; on the faulty link up to three, one in twenty is lost, and there is a rule that looks
// at every call.
task<measurement> over_a_link(bool faulty, std::uint64_t operations) {
  lockstep::sim::host& web = add_web();
  lockstep::sim::link& link = lockstep::world().link("client", "web");
  if (!faulty) {
    link.latency(1ms);
    co_return co_await echo_between(web, operations);
  }
  link.latency(1ms, 3ms).loss(20);
  const auto standing =
      lockstep::on(lockstep::op::read).nth(std::numeric_limits<int>::max()).may_not_fire().fail(ECONNRESET);
  co_return co_await echo_between(web, operations);
}

// -- many hosts -------------------------------------------------------------------------------------------------------

// So many hosts, each with one connection to another.
struct crowd {
  std::vector<lockstep::sim::host*> hosts;
  lockstep::sim::host* hub;
  std::vector<connection> connections;
  measurement building;  // for each host
};

task<crowd> connect_many(std::uint64_t hosts) {
  constexpr std::uint16_t port = 80;
  crowd made;
  const stopwatch building;
  const double before = heap_bytes();
  made.hosts.reserve(hosts);
  for (std::uint64_t i = 0; i < hosts; ++i) made.hosts.push_back(&lockstep::world().host("host-" + std::to_string(i)));
  made.hub = &add_web();
  made.hub->descriptors().set_limit(2 * hosts + 16);
  made.connections.reserve(hosts);
  const double built = heap_bytes();
  auto listener = [&made] {
    const auto on_it = made.hub->enter();
    return std::make_unique<tcp_listener>(tcp_listener::bind(endpoint(made.hub->address(), port)));
  }();
  for (lockstep::sim::host* const each : made.hosts) {
    const auto on_it = each->enter();
    tcp_stream near = co_await lockstep::connect_tcp(endpoint(made.hub->address(), port));
    tcp_stream far = co_await listener->accept();
    made.connections.push_back({std::move(near), std::move(far)});
  }
  const auto count = static_cast<double>(hosts);
  made.building.bytes_per_task = (heap_bytes() - built) / count;
  made.building.bytes_per_host = (built - before) / count;
  made.building.building_ns = building.read(hosts).cpu_ns / count;
  co_return made;
}

// All of them send at once.
task<measurement> among(std::uint64_t hosts, std::uint64_t operations) {
  const std::uint64_t times = operations / hosts > 0 ? operations / hosts : 1;
  crowd all = co_await connect_many(hosts);
  std::vector<lockstep::join_handle<void>> children;
  for (std::size_t i = 0; i < hosts; ++i) {
    children.push_back(all.hub->spawn(server(all.connections[i].far, times)));
    children.push_back(all.hosts[i]->spawn(client(all.connections[i].near, times)));
  }
  const stopwatch watch;
  for (auto& child : children) co_await child.join();
  measurement result = watch.read(hosts * times);
  require(done == hosts * times, "answers are missing");
  result.bytes_per_task = all.building.bytes_per_task;
  result.bytes_per_host = all.building.bytes_per_host;
  result.building_ns = all.building.building_ns;
  co_return result;
}

// One of them sends, and the others are idle.
task<measurement> beside_idle(std::uint64_t hosts, std::uint64_t operations) {
  crowd all = co_await connect_many(hosts);
  const auto on_it = all.hosts.back()->enter();
  co_return co_await echo_over(all.connections.back(), *all.hub, operations);
}

constexpr std::array workloads{
    workload{"W5_echo64", 1'000'000, run<echoing>},        workload{"W5_bulk", 2'000, run<sending_much>},
    workload{"W5_hosts10", 500'000, run<among, 10>},       workload{"W5_hosts100", 500'000, run<among, 100>},
    workload{"W5_hosts1e3", 500'000, run<among, 1'000>},   workload{"W5_hosts1e4", 500'000, run<among, 10'000>},
    workload{"W5_idle10", 500'000, run<beside_idle, 10>},  workload{"W5_idle1e4", 500'000, run<beside_idle, 10'000>},
    workload{"W5_link", 300'000, run<over_a_link, false>}, workload{"W5_faulty", 300'000, run<over_a_link, true>},
};

}  // namespace

variant lockstep_network_variant() { return {"lockstep", workloads}; }

}  // namespace bench
