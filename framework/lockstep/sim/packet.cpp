#include <lockstep/sim/packet.hpp>

#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

namespace lockstep::sim {

packet::~packet() {
  if (timer::armed()) owner_->timers().disarm(*this);
  if (list_hook<packet>::linked()) list_hook<packet>::unlink();
  if (list_hook<traveller>::linked()) list_hook<traveller>::unlink();
}

void packet::begin(network& over) noexcept {
  owner_ = &over.owner();
  over.add(*this);
}

void packet::send(std::unique_ptr<packet> sent, network& over, lane* along) {
  if (along == nullptr) return sent->arrive();
  detail::touch(along->id(), along->traits().bytes_per_second != 0 ? access::write : access::read);
  if (along->cut()) return;
  loop& owner = over.owner();
  const lane_traits traits = along->traits();
  // One that is lost takes the others with it.
  for (std::size_t i = sent->fragments(traits.mtu); i != 0; --i) {
    if (along->draws(owner, mishap::loss, traits.loss)) return;
  }
  std::unique_ptr<packet> copy = along->draws(owner, mishap::duplicate, traits.duplicate) ? sent->again() : nullptr;
  if (along->draws(owner, mishap::corrupt, traits.corrupt)) {
    const std::uint64_t bits = traits.corrupt_payload ? sent->bits() : 0;
    if (bits == 0) {
      sent = std::move(copy);
    } else {
      sent->change(owner.pick(fmt::format("{} corrupt bit", along->name()), bits));
    }
  }
  if (sent != nullptr) set_out(std::move(sent), over, *along);
  if (copy != nullptr) set_out(std::move(copy), over, *along);
}

void packet::set_out(std::unique_ptr<packet> sent, network& over, lane& along) {
  if (along.instant()) return sent->arrive();
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

void packet::lane_clogged(time_point until) noexcept {
  if (!timer::armed() || timer::deadline() >= until) return;
  owner_->timers().disarm(*this);
  owner_->timers().arm(*this, until);
}

void packet::due(timer& due) noexcept {
  const std::unique_ptr<packet> arrived(&static_cast<packet&>(due));
  if (arrived->list_hook<packet>::linked()) arrived->list_hook<packet>::unlink();
  arrived->arrive();
}

}  // namespace lockstep::sim
