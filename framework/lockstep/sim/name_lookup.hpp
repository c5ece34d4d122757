// A call of getaddrinfo() that is under way on a host: it asks the name server as the GNU C library does.
//
// The questions go over a UDP socket of the host, or over TCP where the answer is too long. A network without a server
// is asked directly, in no time, by its name service.
// Source: resolv.conf(5); what glibc 2.36 did with such a server.
#pragma once

#include <lockstep/net/name_query.hpp>
#include <lockstep/sim/dns_message.hpp>
#include <lockstep/sim/own_socket.hpp>
#include <lockstep/sim/zone.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace lockstep::sim {

class host;
class name_service;

class name_lookup final : private timer {
 public:
  name_lookup(name_service& of, host& by, std::uint64_t number, std::string name, name_query& asked);
  ~name_lookup();

  // Asks for what the host does not know yet. It may end at once, and is destroyed then.
  void begin();

  host& by() const noexcept { return by_; }
  std::uint64_t number() const noexcept { return number_; }
  bool is_wanted() noexcept { return !waiting_.empty(); }
  // Its host goes on after a pause. Likewise.
  void resume();
  // The answer about the addresses of a family, from the name service. Likewise.
  void come(int family, const name_answer& given, bool over_tcp);

 private:
  class datagrams;
  class stream;

  static void due(timer& due) noexcept;
  bool wants(int family) const noexcept { return family_ == AF_UNSPEC || family_ == family; }
  // Whether it has no answer about that family yet, which it wants.
  bool lacks(int family) const noexcept;
  identity next_socket() noexcept;
  void stop_timer() noexcept;
  // These may end it, too.
  void begin_round();
  void ask_directly();
  void ask_over_tcp(int family);
  void read(std::span<const std::byte> message, bool over_tcp);
  void round_ends();
  void nobody_is_there();
  endpoint server() const;
  void finish();

  name_service& of_;
  host& by_;
  std::uint64_t number_;
  std::string name_;
  int family_;
  unsigned rounds_ = 0;
  std::uint64_t sockets_ = 0;  // that it has had
  bool is_overdue_ = false;    // the round has ended while its host was paused
  std::array<std::optional<name_answer>, 2> answers_;
  std::unique_ptr<datagrams> datagrams_;
  std::array<std::unique_ptr<stream>, 2> streams_;  // of each family
  intrusive_list<name_query, name_query> waiting_;  // one at most
};

}  // namespace lockstep::sim
