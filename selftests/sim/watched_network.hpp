// A run on two hosts whose packets are worth a look: connections that end in every way, losses, datagrams of all kinds.
#pragma once

#include "talking_hosts.hpp"
#include "udp_calls.hpp"

#include <chrono>
#include <string>

namespace lockstep::sim {

// A visit from host to host over a link of 30 ms, with an answer of so many bytes.
inline task<void> visit_web(std::size_t answer_bytes = 5) {
  using namespace std::chrono_literals;
  host& web = lockstep::world().host("web", "10.0.0.2");
  lockstep::world().link("client", "web").latency(30ms);
  const auto serve = [answer_bytes]() -> task<void> {
    tcp_listener listener = tcp_listener::bind("10.0.0.2:80");
    tcp_stream visitor = co_await listener.accept();
    static_cast<void>(co_await read_from(visitor));
    co_await visitor.write(std::string(answer_bytes, 'x'));
  };
  auto server = web.spawn(co_invoke(serve), "server");
  {
    tcp_stream connection = co_await connect_tcp("10.0.0.2:80");
    co_await connection.write("visit");
    std::size_t got = 0;
    while (got < answer_bytes) {
      const std::string part = co_await read_from(connection);
      got += part.size();
    }
  }
  co_await server.join();
  co_await sleep_for(1s);
}

// Everything else that a capture has to get right, one after the other.
inline task<void> all_that_is_sent() {
  using namespace std::chrono_literals;
  two_hosts hosts;
  host& web = hosts.web;
  host& v6 = lockstep::world().host("six", std::vector<ip_address>{"fd00::2", "10.0.0.6"});
  host& other = lockstep::world().host("seven", "fd00::7");
  class link& way = lockstep::world().link("client", "web");
  way.latency(10ms);
  // Through a small window, in segments of the MTU.
  const file listener = listening(web, "10.0.0.2:80");
  listener.set(SOL_SOCKET, SO_RCVBUF, 2'000);
  const file sender = tcp(hosts.client);
  sender.connect("10.0.0.2:80");
  co_await sleep_for(1s);
  file receiver = listener.accept();
  sender.send(std::string(9'000, 'a'));
  co_await sleep_for(1s);
  while (receiver.recv(3'000).size() > 10) co_await sleep_for(1s);
  // A partition with bytes in flight, and bytes that are sent meanwhile.
  sender.send("in flight");
  co_await sleep_for(1ms);
  {
    const partition cut("client", "web");
    sender.send("meanwhile");
    co_await sleep_for(5s);
  }
  co_await sleep_for(1s);
  // An end and the other, then again with a reset, then nobody there.
  hosts.client.shutdown(sender.fd, SHUT_WR);
  co_await sleep_for(1s);
  while (receiver.recv().size() > 3) {
  }
  receiver.close();
  co_await sleep_for(1s);
  sender.close();
  const file hasty = tcp(hosts.client);
  hasty.connect("10.0.0.2:80");
  co_await sleep_for(1s);
  receiver = listener.accept();
  hasty.send("unread");
  co_await sleep_for(1s);
  receiver.close();
  co_await sleep_for(1s);
  hasty.close();
  listener.close();
  const file refused = tcp(hosts.client);
  refused.connect("10.0.0.2:81");
  co_await sleep_for(1s);
  refused.close();
  // Datagrams: one that comes, one to nobody, one in fragments; of IPv6 the same.
  const int from = open_udp(hosts.client);
  const int to = open_udp(web, "10.0.0.2:5000");
  send_to(hosts.client, from, "hello", "10.0.0.2:5000");
  send_to(hosts.client, from, "nobody", "10.0.0.2:5001");
  send_to(hosts.client, from, std::string(4'000, 'f'), "10.0.0.2:5000");
  co_await sleep_for(1s);
  const file six = listening(v6, "[fd00::2]:80");
  const file seven = tcp(other, AF_INET6);
  seven.connect("[fd00::2]:80");
  const file accepted = six.accept();
  seven.send("over IPv6");
  accepted.recv();
  seven.close();
  accepted.close();
  six.close();
  const int from_v6 = open_udp(other, AF_INET6);
  const int to_v6 = open_udp(v6, "[fd00::2]:5000");
  send_to(other, from_v6, "hello", "[fd00::2]:5000");
  send_to(other, from_v6, "nobody", "[fd00::2]:5001");
  send_to(other, from_v6, std::string(4'000, 'f'), "[fd00::2]:5000");
  // Within a host.
  const file local = listening(web, "127.0.0.1:90");
  const file near = tcp(web);
  near.connect("127.0.0.1:90");
  const file taken = local.accept();
  near.send("near");
  taken.recv();
  for (const file& each : {near, taken, local}) each.close();
  hosts.client.close(from);
  web.close(to);
  other.close(from_v6);
  v6.close(to_v6);
  co_await sleep_for(1s);
}

}  // namespace lockstep::sim
