#include "own_network.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <fstream>

namespace lockstep::sockets {
namespace {

constexpr int mtu_of_loopback = 65'536;

bool change_loopback(bool is_up, int mtu) {
  const int some = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_mtu = mtu;
  const bool has_mtu = ::ioctl(some, SIOCSIFMTU, &request) == 0;
  request.ifr_flags = static_cast<short>(is_up ? IFF_UP : 0);
  const bool has_flags = ::ioctl(some, SIOCSIFFLAGS, &request) == 0;
  ::close(some);
  return has_mtu && has_flags;
}

bool make_own_network() {
  if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  return change_loopback(true, mtu_of_loopback);
}

// There is no way back from a network that cannot be used, so a child tries first.
bool can_make_own_network() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(make_own_network() ? 0 : 1);
  int status = -1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

void must_have_own_network() {
  if (!has_own_network()) throw row_ended("the network is not this process's own");
}

std::string path_of(const std::string& setting) { return "/proc/sys/" + setting; }

unsigned char type_of(no_route kind) {
  if (kind == no_route::unreachable) return RTN_UNREACHABLE;
  return kind == no_route::prohibited ? RTN_PROHIBIT : RTN_BLACKHOLE;
}

}  // namespace

bool has_own_network() {
  static const bool has = can_make_own_network() && make_own_network();
  return has;
}

bool renew_own_network() { return has_own_network() && make_own_network(); }

network_changes::~network_changes() {
  for (const auto& [name, value] : before_) std::ofstream(path_of(name)) << value;
  if (loopback_changed_) change_loopback(true, mtu_of_loopback);
}

void network_changes::set(const std::string& name, const std::string& value) {
  must_have_own_network();
  std::string now;
  std::ifstream file(path_of(name));
  std::getline(file, now);
  before_.emplace(name, now);
  if (!(std::ofstream(path_of(name)) << value << std::flush)) throw row_ended("cannot be set: " + name);
}

void network_changes::set_loopback(bool is_up, int mtu) {
  must_have_own_network();
  loopback_changed_ = true;
  if (!change_loopback(is_up, mtu)) throw row_ended("loopback cannot be changed");
}

void network_changes::add_route(const address& to, no_route kind) {
  must_have_own_network();
  struct {
    nlmsghdr head;
    rtmsg route;
    rtattr attribute;
    in_addr network;
  } request{};
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = RTM_NEWROUTE;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
  request.route.rtm_family = AF_INET;
  request.route.rtm_dst_len = 24;
  request.route.rtm_table = RT_TABLE_MAIN;
  request.route.rtm_protocol = RTPROT_STATIC;
  request.route.rtm_type = type_of(kind);
  request.attribute.rta_type = RTA_DST;
  request.attribute.rta_len = RTA_LENGTH(sizeof request.network);
  request.network = reinterpret_cast<const sockaddr_in*>(&to.bytes)->sin_addr;
  struct {
    nlmsghdr head;
    nlmsgerr error;
  } answer{};
  const int netlink = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  const bool is_done = ::send(netlink, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request) &&
                       ::recv(netlink, &answer, sizeof answer, MSG_TRUNC) > 0 && answer.error.error == 0;
  ::close(netlink);
  if (!is_done) throw row_ended("no route can be made: " + result_text(answer.error.error));
}

}  // namespace lockstep::sockets
