// A name server on a host: answers by DNS, on port 53 over UDP and TCP, what the network's name service knows, to hosts
// and to programs that bring a resolver of their own.
//
// It is part of the simulation and no task: it answers when a question arrives, and its sockets are no descriptors. But
// it lives and stands still with its host.
#pragma once

#include <lockstep/sim/dns_message.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/sim/own_socket.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace lockstep::sim {

class name_server {
 public:
  // Misuse if port 53 of that host is taken.
  name_server(name_service& of, host& on, source where);
  name_server(const name_server&) = delete;
  name_server& operator=(const name_server&) = delete;
  ~name_server();

  host& on() const noexcept { return on_; }
  // Its host was paused, and goes on: so does what has come meanwhile.
  void resume();

 private:
  class datagrams;
  class listener;
  class connection;
  class held_answer;
  // Whose question it is: who sent the datagram, or the number of the connection.
  struct asker {
    endpoint from;
    std::uint64_t connection = 0;  // 0 for a datagram
  };

  // What was to be said while its host stood still.
  struct held {
    std::vector<std::byte> message;
    asker to;
  };

  void asked(std::span<const std::byte> message, const asker& by);
  void answer(const std::vector<std::byte>& message, const asker& to);

  name_service& of_;
  host& on_;
  std::uint64_t number_;  // of all that there ever were
  std::unique_ptr<datagrams> datagrams_;
  std::unique_ptr<listener> listener_;
  std::map<std::uint64_t, std::unique_ptr<connection>> connections_;
  std::uint64_t next_connection_ = 1;
  std::vector<held> held_;
};

}  // namespace lockstep::sim
