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
// A query goes over sockets of the host to where the server is; without serve_on() it takes no time, and is no packet.
// In which order a server gives several addresses of one family is a pick, of which it begins with; the plain run takes
// the zone's. What is to go wrong with a name and never does is a verdict when it is over, as of any fault.
// Source: getaddrinfo(3), resolv.conf(5), hosts(5); what glibc 2.36 did with such a server.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/net/name_query.hpp>
#include <lockstep/sim/zone.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace lockstep::sim {

class host;
class name_lookup;
class name_server;
class network;

// What goes wrong with the server's answers about a name.
struct name_fault {
  name_failure failure = name_failure::none;
  duration delay{};        // the answer comes so much later
  int family = AF_UNSPEC;  // of the questions that it is about: AF_INET, AF_INET6, AF_UNSPEC for both
  // How many questions of each family it is about, at least 1; a call of getaddrinfo() may ask more than one.
  std::uint64_t count = std::numeric_limits<std::uint64_t>::max();
  bool may_not_fire = false;  // that nobody meets with it is no verdict
};

class name_service {
 public:
  explicit name_service(network& of);
  name_service(const name_service&) = delete;
  name_service& operator=(const name_service&) = delete;
  ~name_service();

  // -- what there is: misuse for what is no name, and for a negative time to live ---------------------------------

  // One more address of a name, in the zone.
  void add(std::string_view name, const ip_address& address, duration ttl = {}, source where = source::current());
  // `name` stands for `target`: a CNAME.
  void alias(std::string_view name, std::string_view target, duration ttl = {}, source where = source::current());
  // It exists no more; hosts that have it yet keep it for its time to live.
  void remove(std::string_view name);
  // A line of every host's /etc/hosts, which goes before the zone.
  void add_to_hosts(std::string_view name, const ip_address& address, source where = source::current());
  // The server is on that host, while that runs, and answers on its port 53: see name_server.hpp.
  void serve_on(host& there, source where = source::current());

  // -- faults: misuse for what is no name -------------------------------------------------------------------------

  // One at a time of each name and family: the last. One that says nothing heals. Misuse for a negative delay, and for
  // a count of 0.
  void fail(std::string_view name, const name_fault& how, source where = source::current());
  // getaddrinfo() itself fails with EAI_FAIL, EAI_MEMORY or the like, or with EAI_SYSTEM and that errno. Misuse for
  // what is no such error.
  void fail_with(std::string_view name, int error, int system_error = 0, source where = source::current());
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
  // Null for none. The host that it is on, even while that is down.
  name_server* server() const noexcept { return server_.get(); }
  host* server_host() const noexcept { return server_host_; }
  std::uint64_t next_server() noexcept { return ++servers_; }
  // The host has failed or begins again; or it goes on after a pause.
  void host_ends(host& which, bool power_cut) noexcept;
  void host_begins(host& which);
  void host_resumes(host& which);
  // No query is under way any more, and nobody serves.
  void stop() noexcept;
  // The run ends: what was to go wrong is judged.
  void judge() noexcept;

  // -- for look-ups -----------------------------------------------------------------------------------------------

  // Null if it has ended.
  name_lookup* find(std::uint64_t number) noexcept;
  std::unique_ptr<name_lookup> take_out(std::uint64_t number);
  // That the host knows yet; null for none.
  const name_answer* find_kept(const host& by, const std::string& name, int family) const;
  void keep(const host& by, const std::string& name, int family, const name_answer& given);
  // Without a server, at once or as late as a fault has it.
  void answer_directly(name_lookup& to, const std::string& name, int family);

 private:
  class late_answer;
  // What goes wrong with a name, of both families or one, or in getaddrinfo() itself.
  struct injected {
    std::string name;
    source where;
    name_fault how{};
    int error = 0;  // of getaddrinfo()
    int system_error = 0;
    std::uint64_t fired = 0;
  };
  struct standing {
    std::shared_ptr<injected> what;
    std::uint64_t left = 0;
  };
  struct faults_of_name {
    std::array<standing, 2> of_family;
    std::shared_ptr<injected> local;
  };
  using cache_key = std::tuple<std::uint32_t, std::string, int>;  // of a host, a name and a family
  struct kept {
    name_answer answer;
    time_point until;
  };

  void check_name(std::string_view name, source where) const;
  void check_ttl(duration ttl, source where) const;
  // It is judged, unless it stands somewhere else still.
  void end(std::shared_ptr<injected> fault) noexcept;
  void judge(const injected& fault, bool run_has_ended) const noexcept;
  std::vector<ip_address> from_hosts_file(std::string_view name, int family) const;

  network& network_;
  host* server_host_ = nullptr;
  std::unique_ptr<name_server> server_;
  zone zone_;
  std::map<std::string, std::vector<ip_address>, std::less<>> hosts_file_;
  std::map<std::string, faults_of_name, std::less<>> faults_;
  std::map<cache_key, kept> cache_;
  std::map<std::uint64_t, std::unique_ptr<name_lookup>> lookups_;
  std::uint64_t next_number_ = 0;
  std::uint64_t servers_ = 0;
};

}  // namespace lockstep::sim
