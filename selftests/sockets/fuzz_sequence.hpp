// A random sequence of system calls, for the differential fuzz of sockets. Of an operation, `subject` is whose call it
// is, or the kind of what is made, `object` another descriptor or an address, `detail` sizes, flags and numbers.
#pragma once

#include "../against_linux/fuzz.hpp"

#include <cstdint>
#include <vector>

namespace lockstep::sockets {

enum class operation_kind : std::uint8_t {
  socket,
  socketpair,
  pipe,
  eventfd,
  epoll,
  bind,
  listen,
  connect,
  accept,
  send,
  send_to,
  recv,
  recv_from,
  write,
  read,
  shutdown,
  close,
  dup,
  dup3,
  set,
  get,
  error,
  local_name,
  peer_name,
  fcntl,
  add,
  modify,
  remove,
  events,
  count
};

using operation = against_linux::fuzz_operation<operation_kind>;
using sequence = std::vector<operation>;

// That of the seed: 5 to 40 operations.
sequence sequence_of(std::uint64_t seed);

// What `subject` of operation_kind::socket stands for.
struct socket_type {
  int domain;
  int type;
  const char* text;
};
const socket_type& socket_type_of(std::uint32_t subject) noexcept;

}  // namespace lockstep::sockets
