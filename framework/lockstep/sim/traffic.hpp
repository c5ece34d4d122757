// What goes over the lanes of a network, for those who look on: each packet as it is sent, as it comes, and why one
// that does not come is lost.
//
// A network has listeners. While there are none, a lane has nothing to tell, and a packet costs a branch on a null
// pointer. A listener only looks: it must not touch the run.
// TCP's packets are those that its streams stand for: a stretch of bytes is one of them, however long, and a capture
// makes of it as many as the MTU asks for. Acknowledgements are told of where the kernel takes note of them.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/net/endpoint.hpp>
#include <lockstep/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lockstep::sim {

class host;

enum class transport : std::uint8_t { tcp, udp, icmp };

struct traffic {
  // Sent again, because the one before it did not come; lost, what was on its way.
  enum class fate : std::uint8_t { sent, sent_again, arrived, lost };
  // As TCP's header has them.
  static constexpr unsigned fin = 1;
  static constexpr unsigned syn = 2;
  static constexpr unsigned reset = 4;
  static constexpr unsigned push = 8;
  static constexpr unsigned acknowledges = 16;

  fate happened = fate::sent;
  transport carried = transport::tcp;
  time_point at{};
  const host* sender = nullptr;
  const host* receiver = nullptr;
  endpoint from;  // IPv4 is never mapped
  endpoint to;
  std::string_view why{};  // it does not come, if that is known
  std::span<const std::byte> payload{};
  std::uint32_t mtu = 0;

  // Of TCP: positions in the streams, which count from 0.
  identity connection = 0;
  bool by_client = false;
  unsigned flags = 0;
  std::uint64_t position = 0;      // of the first byte, or where one would be
  std::uint64_t acknowledged = 0;  // of what comes the other way
  bool end_acknowledged = false;   // and its end
  std::uint64_t room = 0;          // bytes beyond that, for which the sender of this has room

  // Of ICMP, which is about a datagram that came the other way, to a port where nobody was.
  std::size_t about_bytes = 0;  // that it carried

  std::string flags_text() const;  // "SA", as tcpdump has it; "." for an acknowledgement alone
};

// A call that a host's task has made.
struct system_call {
  const host* by = nullptr;
  std::string text{};  // "send(3, 5 bytes)"
  std::int64_t result = 0;
};

class traffic_listener : public list_hook<traffic_listener> {
 public:
  // What it is given lives until it returns.
  virtual void saw(const traffic& packet) noexcept = 0;
  // Between the two is what comes of the call at once, and calls that are made meanwhile.
  virtual void call_begins() noexcept {}
  virtual void call_ended(const system_call& /*made*/) noexcept {}

 protected:
  traffic_listener() noexcept { mark_unlinked(); }
  ~traffic_listener() = default;
};

// Those of one network.
class traffic_tap {
 public:
  bool empty() const noexcept { return all_.empty(); }
  void add(traffic_listener& who) noexcept { all_.push_back(who); }
  // Nobody is told any more.
  void part() noexcept {
    while (!all_.empty()) all_.pop_front();
  }
  void tell(const traffic& packet) noexcept;
  void tell_begin() noexcept;
  void tell(const system_call& made) noexcept;

 private:
  intrusive_list<traffic_listener, traffic_listener> all_;
};

}  // namespace lockstep::sim
