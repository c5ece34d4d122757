#include <lockstep/sim/network_trace.hpp>

#include <lockstep/sim/dns_message.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace lockstep {

namespace {

std::string text_of_packet(const sim::traffic& packet) {
  using sim::transport;
  const char* const carried = packet.carried == transport::tcp   ? "tcp"
                              : packet.carried == transport::udp ? "udp"
                                                                 : "icmp";
  std::string text = fmt::format("{} {} -> {}", carried, packet.from.text(), packet.to.text());
  if (packet.carried == transport::icmp) return text + "  port unreachable";
  if (packet.carried == transport::udp) return fmt::format("{}  {}", text, detail::text_of_payload(packet));
  text += "  " + packet.flags_text();
  if (!packet.payload.empty()) {
    text += fmt::format(" {}:{}", packet.position, packet.position + packet.payload.size());
  }
  if ((packet.flags & sim::traffic::acknowledges) != 0) text += fmt::format(", ack {}", packet.acknowledged);
  if (packet.end_acknowledged) text += " and the end";
  if (!packet.payload.empty()) text += ", " + detail::text_of_payload(packet.payload);
  return text;
}

}  // namespace

std::string detail::text_of_payload(std::span<const std::byte> payload) {
  constexpr std::size_t shown_max = 32;
  std::string text = fmt::format("{} byte{}", payload.size(), payload.size() == 1 ? "" : "s");
  if (payload.empty()) return text;
  text += " \"";
  for (const std::byte each : payload.first(std::min(payload.size(), shown_max))) {
    const auto c = std::to_integer<unsigned char>(each);
    text += c >= ' ' && c <= '~' ? static_cast<char>(c) : '.';
  }
  return text + (payload.size() > shown_max ? "…\"" : "\"");
}

std::string detail::text_of_payload(const sim::traffic& packet) {
  const bool is_dns = packet.from.port() == sim::dns_port || packet.to.port() == sim::dns_port;
  const std::string in_words =
      is_dns && packet.carried == sim::transport::udp ? sim::text_of_dns(packet.payload) : std::string();
  return in_words.empty() ? text_of_payload(packet.payload) : in_words;
}

network_trace::network_trace(source where) : network_trace(world(where).network()) {}

network_trace::network_trace(sim::network& of) : of_(of) { of_.add(static_cast<sim::traffic_listener&>(*this)); }

network_trace::~network_trace() {
  if (linked()) of_.remove(*this);
}

void network_trace::add(line made) {
  lines_.push_back(std::move(made));
  if (lines_.size() <= lines_max) return;
  lines_.pop_front();
  ++dropped_;
}

void network_trace::saw(const sim::traffic& packet) noexcept {
  using fate = sim::traffic::fate;
  if (packet.sender == nullptr || packet.receiver == nullptr) return;
  const bool arrived = packet.happened == fate::arrived;
  const sim::host& on = arrived ? *packet.receiver : *packet.sender;
  const sim::host& other = arrived ? *packet.sender : *packet.receiver;
  const char* sign = "x";
  if (packet.happened == fate::sent) sign = ">";
  if (packet.happened == fate::sent_again) sign = ">>";
  if (arrived) sign = "<";
  try {
    const std::string why = packet.why.empty() ? "" : fmt::format(", lost: {}", packet.why);
    add({packet.at, on.name(), fmt::format("{} {}  {}{}", sign, other.name(), text_of_packet(packet), why)});
  } catch (const std::bad_alloc&) {
  }
}

// Its line stands before those of what comes of it.
void network_trace::call_begins() noexcept {
  try {
    add({of_.owner().now(), "", ""});
    calls_.push_back(dropped_ + lines_.size() - 1);
  } catch (const std::bad_alloc&) {
  }
}

void network_trace::call_ended(const sim::system_call& made) noexcept {
  if (calls_.empty()) return;
  const std::uint64_t at = calls_.back();
  calls_.pop_back();
  if (at < dropped_) return;
  try {
    const int error = made.result < 0 ? static_cast<int>(-made.result) : 0;
    line& shown = lines_[static_cast<std::size_t>(at - dropped_)];
    shown.host = made.by->name();
    shown.text = error == 0 ? fmt::format("{} = {}", made.text, made.result)
                            : fmt::format("{} = {}", made.text, strerrorname_np(error));
  } catch (const std::bad_alloc&) {
  }
}

std::string network_trace::text(std::string_view host) const {
  detail::touch(everything, access::write);
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (!lines_[i].text.empty() && (host.empty() || lines_[i].host == host)) shown.push_back(i);
  }
  std::size_t time_width = 0;
  std::size_t host_width = 0;
  for (const std::size_t i : shown) {
    time_width = std::max(time_width, to_text(lines_[i].at.time_since_epoch()).size());
    host_width = std::max(host_width, lines_[i].host.size());
  }
  std::string all = dropped_ == 0 ? "" : fmt::format("... {} earlier lines ...\n", dropped_);
  for (const std::size_t i : shown) {
    const line& each = lines_[i];
    all += fmt::format("{:>{}}  {:<{}}  {}\n", to_text(each.at.time_since_epoch()), time_width, each.host, host_width,
                       each.text);
  }
  return all;
}

}  // namespace lockstep
