#include <lockstep/sim/network_notes.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network_trace.hpp>

#include <fmt/format.h>

#include <new>
#include <string_view>
#include <utility>

namespace lockstep::sim {

namespace {

// Of what is worth a line where lines are few: not the acknowledgements, nor that a connection begins.
std::string_view purpose_of(const traffic& packet) noexcept {
  if (packet.carried == transport::icmp) return "port unreachable";
  if (packet.carried == transport::udp) return "datagram";
  if ((packet.flags & traffic::reset) != 0) return "reset";
  if ((packet.flags & traffic::fin) != 0) return "end";
  if ((packet.flags & traffic::syn) != 0) {
    return (packet.flags & traffic::acknowledges) != 0 ? "answer to connect" : "connect";
  }
  return packet.payload.empty() ? "acknowledgement" : "";
}

}  // namespace

void network_notes::saw(const traffic& packet) noexcept {
  using fate = traffic::fate;
  if (!owner_.takes_notes() || packet.sender == nullptr || packet.receiver == nullptr ||
      packet.sender == packet.receiver)
    return;
  const bool opens_or_acknowledges = packet.carried == transport::tcp && packet.payload.empty() &&
                                     (packet.flags & (traffic::reset | traffic::fin)) == 0;
  const bool acknowledges_alone = opens_or_acknowledges && (packet.flags & traffic::syn) == 0;
  const bool lost = packet.happened == fate::lost || (packet.happened == fate::sent && !packet.why.empty());
  if (!lost && (packet.happened != fate::arrived || opens_or_acknowledges)) return;
  if (acknowledges_alone) return;
  try {
    const std::string route = fmt::format("{}:{} -> {}:{}", packet.sender->name(), packet.from.port(),
                                          packet.receiver->name(), packet.to.port());
    const std::string_view purpose = purpose_of(packet);
    std::string text = fmt::format("{}  {}", route, purpose);
    if (packet.carried == transport::udp || purpose.empty()) {
      text += (purpose.empty() ? "" : " of ") + detail::text_of_payload(packet);
    }
    if (lost) text += fmt::format(", lost: {}", packet.why);
    const bool in_pieces = !lost && purpose.empty();
    if (in_pieces && route == last_route_) {
      const std::size_t bytes = last_bytes_ + packet.payload.size();
      const std::string together = fmt::format("{}  {} bytes in pieces", route, bytes);
      if (owner_.history().last_event_says(last_text_, together)) {
        last_text_ = together;
        last_bytes_ = bytes;
        return;
      }
    }
    last_route_ = in_pieces ? route : "";
    last_text_ = text;
    last_bytes_ = packet.payload.size();
    const bool grave = lost || (packet.flags & traffic::reset) != 0 || packet.carried == transport::icmp;
    owner_.history().happened(std::move(text), grave);
  } catch (const std::bad_alloc&) {
  }
}

void network_notes::call_ended(const system_call& made) noexcept {
  const agent* const who = lockstep::detail::here().running;
  if (who == nullptr || !owner_.takes_notes()) return;
  try {
    owner_.history().task_on_host(who->number(), made.by->name());
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace lockstep::sim
