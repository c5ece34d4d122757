#include "fuzz_sequence.hpp"

#include <sys/socket.h>

#include <iterator>

namespace lockstep::sockets {
namespace {

constexpr socket_type types[] = {
    {AF_INET, SOCK_STREAM, "AF_INET, SOCK_STREAM"},   {AF_UNIX, SOCK_STREAM, "AF_UNIX, SOCK_STREAM"},
    {AF_INET, SOCK_DGRAM, "AF_INET, SOCK_DGRAM"},     {AF_UNIX, SOCK_DGRAM, "AF_UNIX, SOCK_DGRAM"},
    {AF_INET6, SOCK_STREAM, "AF_INET6, SOCK_STREAM"}, {AF_UNIX, SOCK_SEQPACKET, "AF_UNIX, SOCK_SEQPACKET"},
    {AF_INET6, SOCK_DGRAM, "AF_INET6, SOCK_DGRAM"},
};

using enum operation_kind;
constexpr against_linux::fuzz_weight<operation_kind> weights[] = {
    {socket, 12},   {socketpair, 3}, {pipe, 2},   {eventfd, 1},  {epoll, 3},      {bind, 10},
    {listen, 8},    {connect, 12},   {accept, 9}, {send, 14},    {send_to, 5},    {recv, 12},
    {recv_from, 4}, {write, 5},      {read, 4},   {shutdown, 7}, {close, 7},      {dup, 2},
    {dup3, 1},      {set, 9},        {get, 2},    {error, 3},    {local_name, 2}, {peer_name, 2},
    {fcntl, 1},     {add, 6},        {modify, 3}, {remove, 1},   {events, 6},
};

// What one sequence is about: it makes sockets of that type, or of any.
constexpr std::uint32_t any_type = std::size(types);

}  // namespace

const socket_type& socket_type_of(std::uint32_t subject) noexcept { return types[subject % std::size(types)]; }

sequence sequence_of(std::uint64_t seed) {
  constexpr std::uint32_t shortest = 5;
  constexpr std::uint32_t longest = 40;
  against_linux::fuzz_drawer from(seed, "sequence of socket calls");
  sequence made;
  const std::uint32_t size = shortest + from.below(longest - shortest + 1);
  const std::uint32_t about = from.below(any_type + 2);
  const auto add = [&](operation what) {
    constexpr std::uint32_t one_in = 6;
    const bool makes = what.kind == socket || what.kind == socketpair;
    if (makes && about < any_type && !from.in(one_in)) what.subject = about;
    made.push_back(what);
  };
  // Half of them begin with what a connection needs, as chance alone would seldom get there. Every operation of a
  // connection has numbers that lead there, and some have others, so that they go astray.
  const auto lead = [&](operation_kind kind, bool may_stray) {
    constexpr std::uint32_t one_in = 5;
    operation what = from.of(kind);
    if (!may_stray || !from.in(one_in)) what = {kind, what.kind == socket ? what.subject : 0, 0, 0};
    add(what);
  };
  if (from.in(2)) {
    const bool may_stray = from.in(2);
    for (const operation_kind each : {socket, bind, listen, socket, connect, accept}) lead(each, may_stray);
    if (from.in(2)) {
      for (const operation_kind each : {socket, connect, accept}) lead(each, may_stray);
    }
  } else if (from.in(2)) {
    add(from.of(socketpair));
  }
  while (made.size() < size) add(from.any(weights));
  return made;
}

}  // namespace lockstep::sockets
