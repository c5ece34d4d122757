// A network whose packets are compared: connections, datagrams, losses, a partition and a fault.
#pragma once

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/partition.hpp>
#include <lockstep/sim/traffic.hpp>
#include <lockstep/sim/wire.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace portable {

using namespace lockstep;
using namespace std::chrono_literals;

// What is compared.
inline std::uint64_t packets_checksum = 0;
inline void note_packet(std::uint64_t value) { packets_checksum = roll(packets_checksum, value); }

inline duration random_pause(std::string_view what) { return random_duration(what, 1ms, 50ms); }

// What is sent and comes, byte by byte as it goes over the wire, with its time.
class packets_of_run final : public sim::traffic_listener {
 public:
  packets_of_run() { world().network().add(*this); }
  ~packets_of_run() { world().network().remove(*this); }

  void saw(const sim::traffic& packet) noexcept override {
    note_packet(static_cast<std::uint64_t>(packet.at.time_since_epoch().count()));
    note_packet(static_cast<std::uint64_t>(packet.happened));
    for (const sim::wire_bytes& each : format_.packets_of(packet)) {
      for (const std::byte byte : each) note_packet(std::to_integer<std::uint64_t>(byte));
    }
  }

 private:
  sim::wire_format format_;
};

inline task<void> answer_each(std::size_t visitors) {
  tcp_listener listener = tcp_listener::bind("10.0.0.2:80");
  for (std::size_t i = 0; i < visitors; ++i) {
    tcp_stream visitor = co_await listener.accept();
    std::array<char, 64> question;
    const std::size_t size = co_await visitor.read_some(question);
    const std::string answer(size * 1'000, 'a');
    co_await visitor.write(answer);
  }
}

inline task<void> ask_web(std::uint64_t who) {
  const std::string question(static_cast<std::size_t>(who), 'q');
  for (bool answered = false; !answered;) {
    try {
      tcp_stream web = co_await connect_tcp("10.0.0.2:80");
      co_await web.write(question);
      std::array<char, 4096> answer;
      std::size_t got = 0;
      for (std::size_t part = 1; part != 0; got += part) part = co_await web.read_some(answer);
      note_packet(got);
      answered = true;
    } catch (const std::system_error& failed) {
      note_packet(static_cast<std::uint64_t>(failed.code().value()));
    }
  }
}

inline task<void> send_datagrams() {
  udp_socket from = udp_socket::bind("10.0.0.1:0");
  for (std::size_t i = 1; i <= 3; ++i) {
    const std::string datagram(i * 900, 'd');
    co_await from.send_to(datagram, "10.0.0.2:53");
    co_await sleep_for(random_pause("datagram"));
  }
}

inline task<void> packets() {
  packets_checksum = 0;
  const packets_of_run seen;
  sim::host& web = world().host("web", "10.0.0.2");
  world().link("client", "web").latency(1ms, 9ms).loss(4).duplicate(3);
  const fault refusing = on(op::connect).to("10.0.0.2:80").nth(2).fail(ECONNREFUSED);
  auto server = web.spawn(answer_each(3), "server");
  co_await sleep_for(1ms);
  std::vector<join_handle<void>> all;
  for (std::uint64_t who = 1; who <= 3; ++who) all.push_back(spawn(ask_web(who)));
  all.push_back(spawn(send_datagrams()));
  co_await sleep_for(20ms);
  {
    const auto cut = partition("client", "web").may_not_fire();
    co_await sleep_for(random_pause("partition"));
  }
  for (auto& each : all) co_await each.join();
  co_await server.join();
  for (const sim::fired_fault& each : world().network().faults().log()) note_packet(hash_of(each.fault));
}

}  // namespace portable
