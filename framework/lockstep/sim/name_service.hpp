// The names of a simulated network, and how its hosts find them.
//
//   net.dns().add("db.example", "10.0.0.7", 30s);
//   net.dns().fail("db.example", {.failure = name_failure::server_failure, .count = 1});
//
// The names of hosts, and localhost, are known to each host as from /etc/hosts, without asking anybody. For others it
// asks the name server as the GNU C library does: for addresses of both families at once; again after 5 s without an
// answer, at once if the server fails or refuses, over TCP if the answer was cut short; and gives up after 10 s, or
// after 15 s where one family was answered and the other was not. An answer is kept on the host for its time to live,
// and not at all if that is 0.
// A query takes a round trip to where the server is, over lanes that may lose it; without serve_on() no time. In which
// order a server gives several addresses of one family is a pick, of which it begins with; the plain run takes the
// zone's.
// Source: getaddrinfo(3), resolv.conf(5), hosts(5); what glibc 2.36 did with such a server.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/net/name_query.hpp>
#include <lockstep/sim/zone.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace lockstep::sim {

class host;
class name_server;
class network;

// What goes wrong with the server's answers about a name.
struct name_fault {
  name_failure failure = name_failure::none;
  duration delay{};        // the answer comes so much later
  int family = AF_UNSPEC;  // of the questions that it is about: AF_INET, AF_INET6, AF_UNSPEC for both
  // How many questions of each family it is about; a call of getaddrinfo() may ask more than one.
  std::uint64_t count = std::numeric_limits<std::uint64_t>::max();
};

class name_service {
 public:
  explicit name_service(network& of);
  name_service(const name_service&) = delete;
  name_service& operator=(const name_service&) = delete;
  ~name_service();

  // -- what there is ----------------------------------------------------------------------------------------------

  // One more address of a name, in the zone.
  void add(std::string_view name, const ip_address& address, duration ttl = {});
  // `name` stands for `target`: a CNAME.
  void alias(std::string_view name, std::string_view target, duration ttl = {});
  // It exists no more; hosts that have it yet keep it for its time to live.
  void remove(std::string_view name);
  // A line of every host's /etc/hosts, which goes before the zone.
  void add_to_hosts(std::string_view name, const ip_address& address);
  // The server is on that host, and answers on its port 53 as well: see name_server.hpp.
  void serve_on(host& there);

  // -- faults -----------------------------------------------------------------------------------------------------

  // One at a time of each name and family: the last.
  void fail(std::string_view name, const name_fault& how);
  // getaddrinfo() itself fails with EAI_FAIL, EAI_MEMORY or the like, or with EAI_SYSTEM and that errno.
  void fail_with(std::string_view name, int error, int system_error = 0);
  // All goes well again.
  void heal(std::string_view name);

  // -- for hosts and servers --------------------------------------------------------------------------------------

  // As system_calls::look_up().
  int look_up(host& by, name_query& asked);
  struct served {
    name_answer answer;
    duration delay{};
  };
  // What the server answers now, over UDP or TCP, to a question for AF_INET or AF_INET6; AF_UNSPEC for what nobody has.
  served serve(std::string_view name, int family, bool over_tcp);
  // Null for none.
  name_server* server() const noexcept { return server_.get(); }
  // No query is under way any more, and nobody serves.
  void stop() noexcept;

 private:
  class lookup;
  class question;
  class reply;
  class slow_reply;
  enum class leg : std::uint8_t { udp, tcp_handshake, tcp };
  struct query {
    host* by;
    std::uint64_t number;  // of the lookup
    std::string name;
    int family;
    leg over;
  };
  using cache_key = std::tuple<std::uint32_t, std::string, int>;  // of a host, a name and a family
  struct kept {
    name_answer answer;
    time_point until;
  };

  std::vector<ip_address> from_hosts_file(std::string_view name, int family) const;
  const name_answer* find_kept(host& by, const std::string& name, int family) const;
  lookup* find(std::uint64_t number) noexcept;
  void ask(std::uint64_t number, int family, leg over);
  void ask_what_is_missing(std::uint64_t number);
  void arrive_at_server(const query& asked);
  void arrive_at_host(const query& to, const name_answer& given);
  void round_ends(std::uint64_t number);
  void finish(std::uint64_t number);

  network& network_;
  std::unique_ptr<name_server> server_;
  zone zone_;
  std::map<std::string, std::vector<ip_address>, std::less<>> hosts_file_;
  std::map<std::string, std::array<name_fault, 2>, std::less<>> faults_;  // of each family
  std::map<std::string, std::pair<int, int>, std::less<>> local_faults_;
  std::map<cache_key, kept> cache_;
  std::map<std::uint64_t, std::unique_ptr<lookup>> lookups_;
  std::uint64_t next_number_ = 0;
};

}  // namespace lockstep::sim
