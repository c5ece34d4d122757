#include "fuzz_sequence.hpp"

#include <lockstep/base/hash.hpp>

#include <sys/socket.h>

#include <array>
#include <iterator>

namespace lockstep::sockets {
namespace {

constexpr socket_type types[] = {
    {AF_INET, SOCK_STREAM, "AF_INET, SOCK_STREAM"},   {AF_UNIX, SOCK_STREAM, "AF_UNIX, SOCK_STREAM"},
    {AF_INET, SOCK_DGRAM, "AF_INET, SOCK_DGRAM"},     {AF_UNIX, SOCK_DGRAM, "AF_UNIX, SOCK_DGRAM"},
    {AF_INET6, SOCK_STREAM, "AF_INET6, SOCK_STREAM"}, {AF_UNIX, SOCK_SEQPACKET, "AF_UNIX, SOCK_SEQPACKET"},
    {AF_INET6, SOCK_DGRAM, "AF_INET6, SOCK_DGRAM"},
};

// How often each kind is drawn.
struct weight {
  operation_kind kind;
  std::uint32_t times;
};
using enum operation_kind;
constexpr weight weights[] = {
    {socket, 12},   {socketpair, 3}, {pipe, 2},   {eventfd, 1},  {epoll, 3},      {bind, 10},
    {listen, 8},    {connect, 12},   {accept, 9}, {send, 14},    {send_to, 5},    {recv, 12},
    {recv_from, 4}, {write, 5},      {read, 4},   {shutdown, 7}, {close, 7},      {dup, 2},
    {dup3, 1},      {set, 9},        {get, 2},    {error, 3},    {local_name, 2}, {peer_name, 2},
    {fcntl, 1},     {add, 6},        {modify, 3}, {remove, 1},   {events, 6},
};

// What one sequence is about: it makes sockets of that type, or of any.
constexpr std::uint32_t any_type = std::size(types);

class drawer {
 public:
  explicit drawer(std::uint64_t seed) : numbers_(seed, hash_of("sequence of socket calls")) {}

  std::uint32_t below(std::uint64_t options) { return static_cast<std::uint32_t>(bounded(numbers_[next_++], options)); }
  bool in(std::uint64_t options) { return below(options) == 0; }
  operation of(operation_kind kind) { return {kind, number(), number(), number()}; }
  operation any() {
    std::uint32_t all = 0;
    for (const weight& each : weights) all += each.times;
    std::uint32_t at = below(all);
    for (const weight& each : weights) {
      if (at < each.times) return of(each.kind);
      at -= each.times;
    }
    return of(events);
  }

 private:
  std::uint32_t number() { return below(std::uint64_t{1} << 20); }

  draws numbers_;
  std::uint64_t next_ = 0;
};

}  // namespace

const socket_type& socket_type_of(std::uint32_t subject) noexcept { return types[subject % std::size(types)]; }

sequence sequence_of(std::uint64_t seed) {
  constexpr std::uint32_t shortest = 5;
  constexpr std::uint32_t longest = 40;
  drawer from(seed);
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
  while (made.size() < size) add(from.any());
  return made;
}

}  // namespace lockstep::sockets
