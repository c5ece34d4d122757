// The way from one host to another: how long it takes, and whether there is one.
//
// A link has two lanes, one for each direction. Whatever travels is in a lane's list while it may be affected, so that
// a fault reaches bytes that are already on their way: a lane that is cut freezes them, and when it is healed they set
// out again.
// Latencies are picks of the oracle, each lane a domain of its own; the plain run takes the least.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/base/source.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/time/clock.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {
class loop;
}

namespace lockstep::sim {

class injected_fault;
class lane;
class network;

// Something that is sent along a lane, at once or again and again.
class traveller : public list_hook<traveller> {
 public:
  // The lane was cut, or is open again. How many packets were under way, and are stopped.
  virtual std::size_t lane_cut() noexcept = 0;
  virtual void lane_healed() noexcept = 0;
  // It has other traits.
  virtual void lane_changed() noexcept {}
  // How many packets wait for that, of a lane that is cut.
  virtual std::size_t frozen() const noexcept = 0;
  // What is under way does not arrive before then. How many packets come later by that.
  virtual std::size_t lane_clogged(time_point until) noexcept = 0;

 protected:
  traveller() noexcept { mark_unlinked(); }
  ~traveller() = default;
};

struct lane_traits {
  duration latency_min{};
  duration latency_max{};              // at least latency_min
  std::uint64_t bytes_per_second = 0;  // 0: as many as come
  std::uint64_t queue_bytes = 0;       // that may wait for their turn; 0: as many as come
  std::uint32_t mtu = 1500;            // bytes of a packet
  std::uint32_t segment_bytes = 0;  // of TCP's segments, which arrive one after the other in time; 0: as many as come
  // What happens to packets that travel by themselves, as those of UDP, one in so many times; 0 for never. Each is a
  // pick of the oracle in a domain of its own, "a -> b loss" and so on; the plain run takes that nothing happens.
  std::uint64_t loss = 0;  // for TCP's segments a delay: they are sent again after 200 ms, 400 ms, and so on
  std::uint64_t duplicate = 0;
  std::uint64_t corrupt = 0;     // and then is dropped by the receiver, whose checksum fails
  bool corrupt_payload = false;  // it gets through instead, with one bit of what it carries changed
};

// After so long it is known that nobody has an address: three requests of ARP, one second each, and a little.
inline constexpr duration address_limit = std::chrono::milliseconds(3'072);

// What may happen to a packet, and is drawn.
enum class mishap : std::uint8_t { loss, segment_loss, duplicate, corrupt };

// Requires that the names outlive it.
class lane {
 public:
  lane(const std::string& from, const std::string& to, std::shared_ptr<const lane_traits> traits)
      : lane(from, &to, std::move(traits)) {}
  // Of a host to itself.
  lane(const std::string& both, std::shared_ptr<const lane_traits> traits) : lane(both, nullptr, std::move(traits)) {}
  ~lane();

  // "a -> b".
  std::string name() const;
  // As observers know what is done to it, and that of its latencies.
  identity id() const noexcept { return id_; }
  const lane_traits& traits() const noexcept { return *traits_; }
  void set_traits(const lane_traits& traits);
  bool cut() const noexcept { return cuts_ != 0; }
  // Whether what is sent has arrived when the call returns.
  bool instant() const noexcept {
    return traits_->latency_max == duration::zero() && traits_->bytes_per_second == 0 && cuts_ == 0 && !was_clogged_;
  }
  // Whether that holds for TCP too, and nothing else happens to its bytes, of which nobody is told.
  bool plain() const noexcept { return plain_; }

  // Whether so many more bytes find no room among those that have not gone out yet.
  bool queue_is_full(time_point now, std::uint64_t bytes) const noexcept;
  // How long this packet takes from now on; what was sent before it keeps the wire busy until then.
  duration latency_of(loop& owner, std::uint64_t bytes);
  // Whether this time it happens, of what happens one in so many times.
  bool draws(loop& owner, mishap what, std::uint64_t one_in);
  void join(traveller& who) noexcept { travellers_.push_back(who); }
  // Nested: it is open again when every cut was healed.
  void add_cut() noexcept;
  void heal() noexcept;
  // What is under way, and what is sent meanwhile, arrives after that.
  void clog(time_point until) noexcept;
  // How many packets wait until it is open again.
  std::size_t frozen() noexcept;
  // One is sent although it is cut.
  void stop_packet() noexcept { ++stopped_; }
  // So many packets have been stopped as it was cut, and have been made late as it was clogged, until now.
  std::uint64_t stopped() const noexcept { return stopped_; }
  std::uint64_t made_late() const noexcept { return made_late_; }
  // A fault that counts the bytes that arrive over it, and resets a connection; null for none.
  injected_fault* breaker() const noexcept { return breaker_; }
  void break_by(injected_fault* fault) noexcept {
    breaker_ = fault;
    see_if_plain();
  }
  // Whether somebody is told of what goes over it.
  bool tapped() const noexcept { return tapped_; }
  void set_tapped(bool told) noexcept {
    tapped_ = told;
    see_if_plain();
  }

 private:
  struct domains;

  lane(const std::string& from, const std::string* to, std::shared_ptr<const lane_traits> traits);
  // Of what is picked; made with the first.
  const domains& picks();
  void see_if_plain() noexcept {
    plain_ = instant() && traits_->segment_bytes == 0 && traits_->loss == 0 && breaker_ == nullptr && !tapped_;
  }

  unsigned cuts_ = 0;
  bool was_clogged_ = false;
  bool plain_ = false;
  bool tapped_ = false;
  identity id_;
  const std::string& from_;
  const std::string* to_;                      // null for itself
  std::shared_ptr<const lane_traits> traits_;  // of many lanes alike
  std::unique_ptr<const domains> domains_;
  time_point busy_until_{};
  time_point clogged_until_{};
  std::uint64_t stopped_ = 0;
  std::uint64_t made_late_ = 0;
  injected_fault* breaker_ = nullptr;
  intrusive_list<traveller, traveller> travellers_;
};

// Between two hosts. `there` is the lane from the one that was made first.
//
//   world().link("client", "web").latency(5ms, 80ms).bandwidth(1'000'000);
class link {
 public:
  link(const std::string& one, const std::string& other, const std::shared_ptr<const lane_traits>& traits)
      : there(one, other, traits), back(other, one, traits) {}

  // What holds from now on, for both lanes; what is under way is not changed. Each packet takes a time in
  // shortest … longest, a pick; the plain run takes the shortest.
  link& latency(duration shortest, duration longest, source where = source::current());
  link& latency(duration exactly, source where = source::current()) { return latency(exactly, exactly, where); }
  template <class Shortest, class Longest>
    requires(coarser_duration<Shortest> || coarser_duration<Longest>)
  link& latency(Shortest shortest, Longest longest, source where = source::current()) {
    return latency(saturating_cast(shortest), saturating_cast(longest), where);
  }
  template <coarser_duration D>
  link& latency(D exactly, source where = source::current()) {
    return latency(saturating_cast(exactly), saturating_cast(exactly), where);
  }
  // So many bytes a second, one packet after another; 0 for as many as come.
  link& bandwidth(std::uint64_t bytes_per_second);
  // Where that is less than what comes, so many bytes wait for their turn; a datagram that finds no room is dropped,
  // unless nothing waits. TCP's bytes count, and none of them are dropped. 0 for as many as come.
  link& queue(std::uint64_t bytes);
  // The bytes of a packet, with its headers: what is longer goes in fragments, or is refused with EMSGSIZE if it must
  // not. 68 to 65,535, as for IPv4 (RFC 791); misuse otherwise.
  link& mtu(std::uint32_t bytes, source where = source::current());
  // TCP's bytes come in pieces of so many, each at an instant of its own, at least 1 ns after the one before: a reader
  // that has waited gets one of them. 0 for as many as come.
  link& segments(std::uint32_t bytes);
  // One in so many packets, each time a pick: see lane_traits. 0 for never.
  link& loss(std::uint64_t one_in);
  link& duplicate(std::uint64_t one_in);
  link& corrupt(std::uint64_t one_in, bool payload = false);
  // It is no probability: say one in how many.
  template <std::floating_point Probability>
  link& loss(Probability) = delete;
  template <std::floating_point Probability>
  link& duplicate(Probability) = delete;
  template <std::floating_point Probability>
  link& corrupt(Probability, bool = false) = delete;
  // A fault: the connection over which the byte of that number arrives, of all that TCP carries in either direction
  // from now on, is reset for both ends behind it. One for each link at a time; misuse otherwise.
  fault reset_after(std::uint64_t bytes, source where = source::current());

  lane there;
  lane back;

 private:
  template <class F>
  link& change(const F& how);
};

}  // namespace lockstep::sim
