// A network that only this process has, with nothing but loopback: tests at the same time take no ports from it, and
// its settings may be changed. Linux gives one to root, and in most distributions to everybody.
#pragma once

#include "machine.hpp"

#include <map>
#include <string>

namespace lockstep::sockets {

// The first call makes it.
bool has_own_network();
// Another one, in which no port is in use and no connection lingers. False where there can be none.
bool renew_own_network();

// Changes to it, each undone at the end. All throw row_ended where the network is not the process's own.
class network_changes {
 public:
  ~network_changes();
  // One of sysctl's: "net/ipv4/ip_local_port_range".
  void set(const std::string& name, const std::string& value);
  void set_loopback(bool is_up, int mtu);
  // To a network of 24 bits. It stays.
  static void add_route(const address& to, no_route kind);

 private:
  std::map<std::string, std::string> before_;
  bool loopback_changed_ = false;
};

}  // namespace lockstep::sockets
