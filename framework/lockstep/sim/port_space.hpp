// Who has which port of a host, of one protocol: sockets that are bound, connections that were accepted or closed, and
// those in TIME_WAIT.
// UDP has the same rules, where nobody listens.
// Source: socket(7), tcp(7), udp(7), ip(7); Linux's net/ipv4/inet_connection_sock.c and udp.c for who is in whose way.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/net/endpoint.hpp>
#include <lockstep/time/clock.hpp>

#include <cstdint>
#include <list>
#include <map>

namespace lockstep::sim {

struct port_claim {
  endpoint local{};
  bool only_v6 = false;
  bool reuse_address = false;
  bool reuse_port = false;
  bool listens = false;
};

// Has its port while it is in the list. It must leave that before it dies.
struct port_holder : list_hook<port_holder> {
  port_holder() noexcept { mark_unlinked(); }

  port_claim claim;
};

// By which those that share a port (SO_REUSEPORT) share its peers.
std::uint64_t hash_of_names(const endpoint& from, const endpoint& to) noexcept;

// Who of them gets what comes from there to here: one of the highest rank, where 0 is none. Of several it is the last,
// or if that shares its port, one that the names tell. Returns the end if there is nobody.
template <class All, class Rank, class Shares>
auto receiver_among(All& all, const Rank& rank, const Shares& shares, const endpoint& from, const endpoint& to) {
  auto best = all.end();
  int highest = 1;
  std::uint64_t of_them = 0;
  for (auto at = all.begin(); at != all.end(); ++at) {
    const int is = rank(*at);
    if (is < highest) continue;
    of_them = is == highest ? of_them + 1 : 1;
    highest = is;
    best = at;
  }
  if (of_them <= 1 || !shares(*best)) return best;
  best = all.begin();
  for (std::uint64_t left = hash_of_names(from, to) % of_them; rank(*best) != highest || left-- != 0;) ++best;
  return best;
}

class port_space {
 public:
  port_space() = default;
  port_space(const port_space&) = delete;
  port_space& operator=(const port_space&) = delete;
  using holder_list = intrusive_list<port_holder, port_holder>;
  struct kept final : port_holder {
    time_point until;
  };

  ~port_space();

  static constexpr std::uint16_t first_ephemeral = 32768;
  static constexpr std::uint16_t last_ephemeral = 60999;
  static constexpr std::uint16_t first_unprivileged = 1024;

  // The ports that are given out where none is asked for, both included.
  // Source: net.ipv4.ip_local_port_range.
  void set_ephemeral(std::uint16_t first, std::uint16_t last) noexcept {
    next_ephemeral_ = lowest_ = first;
    highest_ = last;
  }
  // Gives `wanted` the port that it claims, or for 0 a free one. Returns 0 or -EADDRINUSE.
  int claim(port_holder& wanted, time_point now);
  // The same without asking anybody, beside others.
  void add(port_holder& holder) { holders_[holder.claim.local.port()].push_back(holder); }
  // One like that has the port until then, whoever else leaves it.
  void keep(const port_claim& like, time_point until);
  // Whether it may begin to listen where it is: 0 or -EADDRINUSE.
  int may_listen(port_holder& holder, time_point now) noexcept;

  // Those whose time is not after `now` are free.
  void forget_kept(time_point now) noexcept;
  // In TIME_WAIT until then, or longer ago.
  const std::list<kept>& kept_ports() const noexcept { return kept_; }

  // Those of one port; null if there is none.
  holder_list* find(std::uint16_t port) noexcept {
    const auto found = holders_.find(port);
    return found == holders_.end() ? nullptr : &found->second;
  }

 private:
  bool in_the_way(port_holder& wanted, bool to_listen) noexcept;

  std::map<std::uint16_t, holder_list> holders_;
  std::list<kept> kept_;  // those whose time comes first, first
  std::uint16_t lowest_ = first_ephemeral;
  std::uint16_t highest_ = last_ephemeral;
  std::uint16_t next_ephemeral_ = first_ephemeral;
};

// Whether what comes to `to` is for who has claimed that.
bool is_for(const port_claim& claim, const ip_address& to) noexcept;

}  // namespace lockstep::sim
