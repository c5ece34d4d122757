// What a TCP connection tells those who look on: the packets that its streams stand for.
#include <lockstep/sim/tcp_way.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/tcp_connection.hpp>

#include <algorithm>
#include <vector>

namespace lockstep::sim {

namespace {

unsigned flags_of(tcp_way::mark_kind kind) noexcept {
  using enum tcp_way::mark_kind;
  switch (kind) {
    case data: return traffic::push | traffic::acknowledges;
    case fin: return traffic::fin | traffic::acknowledges;
    case reset:
    case refusal: return traffic::reset | traffic::acknowledges;
    case answering_reset: return traffic::reset;
    case syn: return traffic::syn;
    case syn_ack: return traffic::syn | traffic::acknowledges;
    case handshake_ack: return traffic::acknowledges;
  }
  return 0;
}

}  // namespace

void tcp_way::tell(traffic::fate happened, mark_kind kind, std::uint64_t up_to, std::uint64_t bytes,
                   std::string_view why) const noexcept {
  const sparing_allocations of_reports;
  tcp_connection& connection = from_.connection();
  traffic packet;
  packet.happened = happened;
  packet.at = owner_.now();
  packet.sender = from_.where();
  packet.receiver = to_.where();
  packet.from = {from_.local().address().unmapped(), from_.local().port()};
  packet.to = {to_.local().address().unmapped(), to_.local().port()};
  packet.why = why;
  packet.mtu = over_->traits().mtu;
  packet.connection = connection.id();
  packet.by_client = &from_ == &connection.client();
  packet.flags = flags_of(kind);
  packet.position = up_to - bytes;
  const tcp_way& back = to_.out();
  if ((packet.flags & traffic::acknowledges) != 0) {
    packet.acknowledged = back.arrived_;
    packet.end_acknowledged = back.fin_arrived_;
  }
  const std::uint64_t end_of_room = back.read_ + from_.receive_buffer();
  packet.room = end_of_room - std::min(back.arrived_, end_of_room);
  back.told_room_until_ = std::max(back.told_room_until_, end_of_room);
  std::vector<std::byte> payload(static_cast<std::size_t>(bytes));
  if (bytes != 0) queue_.peek(payload, static_cast<std::size_t>(packet.position - read_));
  packet.payload = payload;
  connection.of().tap()->tell(packet);
}

void tcp_way::tell_sent(mark_kind kind, std::uint64_t up_to, std::uint64_t bytes, std::string_view why) const noexcept {
  // The receiver has room again, which it has not had a reason to say yet.
  if (kind == mark_kind::data && told_room_until_ != 0 && up_to > told_room_until_) tell_acknowledgement();
  tell(traffic::fate::sent, kind, up_to, bytes, why);
}

// Over a lane on which a fault may reset the connection, the bytes are told of when it is known how many come.
void tcp_way::tell_arrived(mark_kind kind, std::uint64_t up_to) const noexcept {
  if (kind == mark_kind::data && !to_.discards() && over_->breaker() != nullptr) return;
  tell(traffic::fate::arrived, kind, up_to, kind == mark_kind::data ? up_to - arrived_ : 0);
}

void tcp_way::tell_acknowledgement() const noexcept {
  const tcp_way& back = to_.out();
  if (!back.seen()) return;
  const std::uint64_t at = back.transmitted_ + (back.fin_transmitted_ ? 1 : 0);
  back.tell(traffic::fate::sent, mark_kind::handshake_ack, at, 0, back.over_->cut() ? "partition" : "");
  if (!back.over_->cut()) back.tell(traffic::fate::arrived, mark_kind::handshake_ack, at, 0);
}

void tcp_way::tell_of_marks(traffic::fate happened, std::string_view why) const noexcept {
  std::uint64_t begins = arrived_;
  for (std::size_t i = next_mark_; i < marks_.size(); ++i) {
    const mark& each = marks_[i];
    const std::uint64_t bytes = each.kind == mark_kind::data ? each.up_to - begins : 0;
    begins = std::max(begins, each.up_to);
    tell(happened, each.kind, each.up_to, bytes, why);
  }
}

void tcp_way::pretend(mark_kind kind) noexcept {
  if (!seen()) return;
  tell(traffic::fate::sent, kind, transmitted_, 0);
  tell(traffic::fate::arrived, kind, transmitted_, 0);
}

}  // namespace lockstep::sim
