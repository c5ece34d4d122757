// A random sequence of system calls, for the differential fuzz of sockets. What an operation is about it names by
// numbers that have a meaning in every sequence: fuzz_pair takes them modulo what there is. So any operation may be
// left out, and any number may become 0, and what is left is a sequence still.
#pragma once

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

struct operation {
  operation_kind kind;
  std::uint32_t subject;  // whose call it is; of those that make something, the kind of it
  std::uint32_t object;   // another descriptor, or an address
  std::uint32_t detail;   // sizes, flags, numbers
};
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
