#include <lockstep/sim/unix_space.hpp>

#include <lockstep/sim/unix_socket.hpp>

#include <fmt/format.h>

#include <cerrno>

namespace lockstep::sim {

int unix_space::bind(int type, const std::string& name, unix_socket& who) {
  return abstract_.emplace(std::pair(type, name), &who).second ? 0 : -EADDRINUSE;
}

void unix_space::unbind(int type, const std::string& name) noexcept {
  const auto found = abstract_.find(std::pair(type, name));
  if (found != abstract_.end()) abstract_.erase(found);
}

unix_socket* unix_space::find(int type, const std::string& name) const noexcept {
  const auto found = abstract_.find(std::pair(type, name));
  return found == abstract_.end() ? nullptr : found->second;
}

std::string unix_space::free_name(int type) {
  constexpr std::uint32_t names = 0x100000;
  for (;;) {
    std::string name = '\0' + fmt::format("{:05x}", next_name_++ % names);
    if (find(type, name) == nullptr) return name;
  }
}

// Those that somebody else holds are reached, and what is in the hands of one that is reached.
void unix_space::collect() noexcept {
  if (in_flight_ == 0) return;
  for (unix_socket& each : sockets_) each.reach = {};
  for (unix_socket& each : sockets_) {
    each.for_each_held([](unix_socket& held) { ++held.reach.in_hands; });
  }
  for (unix_socket& each : sockets_) each.reach.reached = each.references() > each.reach.in_hands;
  for (bool more = true; more;) {
    more = false;
    for (unix_socket& each : sockets_) {
      if (!each.reach.reached || each.reach.followed) continue;
      each.reach.followed = more = true;
      each.for_each_held([](unix_socket& held) { held.reach.reached = true; });
    }
  }
  unix_message_list dropped;
  for (unix_socket& each : sockets_) {
    if (!each.reach.reached) each.give_up_messages(dropped);
  }
  while (!dropped.empty()) unix_message::drop(dropped.pop_front());
}

}  // namespace lockstep::sim
