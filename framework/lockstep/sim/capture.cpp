#include <lockstep/sim/capture.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace lockstep {

namespace {

// A block of the file, in little-endian order, padded as it asks for.
class pcapng_block {
 public:
  explicit pcapng_block(std::uint32_t type) {
    u32(type);
    u32(0);
  }
  void u16(std::uint64_t value) {
    for (int i = 0; i < 2; ++i) bytes_.push_back(static_cast<std::byte>(value >> 8 * i & 0xFF));
  }
  void u32(std::uint64_t value) {
    u16(value);
    u16(value >> 16);
  }
  template <class T>
  void data(const T& bytes) {
    for (const auto each : bytes) bytes_.push_back(static_cast<std::byte>(each));
    while (bytes_.size() % 4 != 0) bytes_.push_back(std::byte{});
  }
  void option(std::uint16_t code, std::string_view value) {
    u16(code);
    u16(value.size());
    data(value);
  }
  sim::wire_bytes take() {
    const std::size_t size = bytes_.size() + 4;
    u32(size);
    for (std::size_t i = 0; i < 4; ++i) bytes_[4 + i] = static_cast<std::byte>(size >> 8 * i & 0xFF);
    return std::move(bytes_);
  }

 private:
  sim::wire_bytes bytes_;
};

constexpr std::uint32_t section_block = 0x0A0D0D0A;
constexpr std::uint32_t interface_block = 1;
constexpr std::uint32_t packet_block = 6;
constexpr std::uint16_t end_of_options = 0;
constexpr std::uint16_t comment_option = 1;
constexpr std::uint16_t name_option = 2;
constexpr std::uint16_t resolution_option = 9;
constexpr std::uint16_t link_type_raw = 101;

sim::wire_bytes section_header() {
  pcapng_block made(section_block);
  made.u32(0x1A2B3C4D);
  made.u16(1);
  made.u16(0);
  made.u32(0xFFFFFFFF);  // its length is not said
  made.u32(0xFFFFFFFF);
  return made.take();
}

sim::wire_bytes interface_description(std::string_view name) {
  pcapng_block made(interface_block);
  made.u16(link_type_raw);
  made.u16(0);
  made.u32(0);
  made.option(name_option, name);
  made.option(resolution_option, "\x09");  // nanoseconds
  made.option(end_of_options, {});
  return made.take();
}

}  // namespace

capture::capture(const std::string& path, source where) : capture(path, world(where).network()) {}

capture::capture(const std::string& path, std::string_view host, source where)
    : capture(path, world(where).network(), &world(where).network().at(host, where)) {}

capture::capture(const std::string& path, sim::network& of, const sim::host* at) : of_(&of), at_(at) {
  file_.reset(std::fopen(path.c_str(), "wb"));
  if (file_ == nullptr) throw std::system_error(errno, std::generic_category(), path);
  write(section_header());
  of.add(static_cast<sim::traffic_listener&>(*this));
}

capture::~capture() {
  if (linked()) of_->remove(*this);
}

void capture::write(const sim::wire_bytes& block) const { std::fwrite(block.data(), 1, block.size(), file_.get()); }

// One for each pair of hosts, or one alone for the host that this is about.
std::uint32_t capture::interface_of(const sim::traffic& packet) {
  const sim::host& lower = packet.sender->number() < packet.receiver->number() ? *packet.sender : *packet.receiver;
  const sim::host& higher = &lower == packet.sender ? *packet.receiver : *packet.sender;
  const bool local = &lower == &higher;
  const std::pair<std::uint32_t, std::uint32_t> key =
      at_ == nullptr ? std::pair(lower.number(), higher.number()) : std::pair(0u, local ? 1u : 0u);
  const auto [at, is_new] = interfaces_.emplace(key, static_cast<std::uint32_t>(interfaces_.size()));
  if (is_new) {
    const std::string both = local ? lower.name() + " lo" : fmt::format("{} - {}", lower.name(), higher.name());
    write(interface_description(at_ == nullptr || local ? both : at_->name()));
  }
  return at->second;
}

// Within a host, a packet is seen as it is sent.
void capture::saw(const sim::traffic& packet) noexcept {
  using fate = sim::traffic::fate;
  if (packet.sender == nullptr || packet.receiver == nullptr || packet.happened == fate::lost) return;
  const bool sent = packet.happened != fate::arrived;
  if (at_ == nullptr || packet.sender == packet.receiver) {
    if (!sent || (at_ != nullptr && packet.sender != at_)) return;
  } else if ((sent ? packet.sender : packet.receiver) != at_) {
    return;
  }
  try {
    const std::uint32_t interface = interface_of(packet);
    const std::string comment = packet.why.empty() || !sent ? "" : fmt::format("lost: {}", packet.why);
    for (const sim::wire_bytes& each : format_.packets_of(packet)) {
      ++packets_;
      hash_ = roll(hash_, static_cast<std::uint64_t>(packet.at.time_since_epoch().count()));
      for (const std::byte byte : each) hash_ = roll_fast(hash_, std::to_integer<std::uint64_t>(byte));
      write(interface, each, comment);
    }
  } catch (const std::bad_alloc&) {
  }
}

void capture::write(std::uint32_t interface, const sim::wire_bytes& packet, const std::string& comment) const {
  const auto ns = static_cast<std::uint64_t>(of_->owner().wall_now().time_since_epoch().count());
  pcapng_block made(packet_block);
  made.u32(interface);
  made.u32(ns >> 32);
  made.u32(ns);
  made.u32(packet.size());
  made.u32(packet.size());
  made.data(packet);
  if (!comment.empty()) {
    made.option(comment_option, comment);
    made.option(end_of_options, {});
  }
  write(made.take());
}

}  // namespace lockstep
