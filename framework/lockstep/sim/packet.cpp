#include <lockstep/sim/packet.hpp>

#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

namespace lockstep::sim {

packet::~packet() {
  if (timer::armed()) over_->owner().timers().disarm(*this);
  if (list_hook<packet>::linked()) list_hook<packet>::unlink();
  if (list_hook<traveller>::linked()) list_hook<traveller>::unlink();
}

void packet::begin(network& over) noexcept {
  over_ = &over;
  over.add(*this);
}

void packet::send(std::unique_ptr<packet> sent, network& over, lane* along) {
  if (along == nullptr) return sent->come(over);
  detail::touch(along->id(), along->traits().bytes_per_second != 0 ? access::write : access::read);
  if (along->cut()) {
    along->stop_packet();
    return sent->tell(over, traffic::fate::sent, "partition");
  }
  loop& owner = over.owner();
  if (along->queue_is_full(owner.now(), sent->bytes())) return sent->tell(over, traffic::fate::sent, "queue is full");
  const lane_traits traits = along->traits();
  // One that is lost takes the others with it.
  for (std::size_t i = sent->fragments(traits.mtu); i != 0; --i) {
    if (along->draws(owner, mishap::loss, traits.loss)) return sent->tell(over, traffic::fate::sent, "link loss");
  }
  std::unique_ptr<packet> copy = along->draws(owner, mishap::duplicate, traits.duplicate) ? sent->again() : nullptr;
  const bool corrupts = along->draws(owner, mishap::corrupt, traits.corrupt);
  const std::uint64_t bits = corrupts && traits.corrupt_payload ? sent->bits() : 0;
  sent->tell(over, traffic::fate::sent, corrupts && bits == 0 ? "corrupted" : "");
  if (bits != 0) {
    sent->change(owner.pick(fmt::format("{} corrupt bit", along->name()), bits));
  } else if (corrupts) {
    sent = std::move(copy);
  }
  if (sent != nullptr) set_out(std::move(sent), over, *along);
  if (copy != nullptr) set_out(std::move(copy), over, *along);
}

void packet::set_out(std::unique_ptr<packet> sent, network& over, lane& along) {
  if (along.instant()) return sent->come(over);
  const duration after = along.latency_of(over.owner(), sent->bytes());
  along.join(*sent);
  send_later(std::move(sent), over, after);
}

void packet::send_later(std::unique_ptr<packet> sent, network& over, duration after) {
  packet& made = *sent.release();
  detail::touch(made.destination(), access::write);
  made.begin(over);
  over.owner().timers().arm(made, saturating_add(over.owner().now(), after));
}

std::size_t packet::lane_clogged(time_point until) noexcept {
  if (!timer::armed() || timer::deadline() >= until) return 0;
  over_->owner().timers().disarm(*this);
  over_->owner().timers().arm(*this, until);
  return 1;
}

void packet::due(timer& due) noexcept {
  const std::unique_ptr<packet> arrived(&static_cast<packet&>(due));
  if (arrived->list_hook<packet>::linked()) arrived->list_hook<packet>::unlink();
  arrived->come(*arrived->over_);
}

void packet::come(network& over) noexcept {
  tell(over, traffic::fate::arrived);
  arrive();
}

std::size_t packet::lane_cut() noexcept {
  tell(*over_, traffic::fate::lost, "partition");
  delete this;
  return 1;
}

void packet::tell(network& over, traffic::fate happened, std::string_view why) const noexcept {
  traffic_tap* const tap = over.tap();
  if (tap == nullptr) [[likely]]
    return;
  traffic shown;
  shown.happened = happened;
  shown.at = over.owner().now();
  shown.why = why;
  if (describe(shown)) tap->tell(shown);
}

}  // namespace lockstep::sim
