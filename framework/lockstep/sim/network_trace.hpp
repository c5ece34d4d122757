// What the hosts of a network have called and sent, line by line, as strace and tcpdump show it side by side.
//
//   const network_trace seen;
//   co_await visit("10.0.0.2:80");
//   std::cout << seen.text();
//
//       0 ns  client  connect(3, 10.0.0.2:80) = EINPROGRESS
//       0 ns  client  > web     tcp 10.0.0.1:32768 -> 10.0.0.2:80  S
//      30 ms  web     < client  tcp 10.0.0.1:32768 -> 10.0.0.2:80  S
//
// A line is of one host: a call with its result; ">" a packet that it sends, ">>" sends again, "<" gets; "x" one of its
// own that is lost. What a call sends at once stands below it. Of bytes, their places in the stream are shown.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/sim/traffic.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

namespace sim {
class network;
}

class network_trace final : private sim::traffic_listener {
 public:
  static constexpr std::size_t lines_max = 4'096;  // of more, the last ones

  // Begins with what comes now, in this thread's world or in that one. Must die before it.
  explicit network_trace(source where = source::current());
  explicit network_trace(sim::network& of);
  network_trace(const network_trace&) = delete;
  network_trace& operator=(const network_trace&) = delete;
  ~network_trace();

  // In the order of times; of all hosts, or of one.
  std::string text(std::string_view host = {}) const;

 private:
  struct line {
    time_point at;
    std::string host;
    std::string text;  // empty while the call goes on
  };

  void saw(const sim::traffic& packet) noexcept override;
  void call_begins() noexcept override;
  void call_ended(const sim::system_call& made) noexcept override;
  void add(line made);

  sim::network& of_;
  std::deque<line> lines_;
  std::uint64_t dropped_ = 0;         // lines that were before these
  std::vector<std::uint64_t> calls_;  // that go on: the numbers of their lines
};

namespace detail {

// "5 bytes "visit"", the beginning of what is longer; what cannot be printed is a dot.
std::string text_of_payload(std::span<const std::byte> payload);
// That of a packet; what is to or from a name server in words.
std::string text_of_payload(const sim::traffic& packet);

}  // namespace detail

}  // namespace lockstep
