// Something that travels by itself, as a datagram does: each has its own latency, so one may overtake another; it may
// be lost or come twice; and it is lost if its lane is cut.
//
// A packet belongs to its network until it has arrived.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/sim/traffic.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace lockstep::sim {

class network;

class packet : public list_hook<packet>, private traveller, private timer {
 public:
  packet(const packet&) = delete;
  packet& operator=(const packet&) = delete;
  virtual ~packet();

  // Sends it along that lane, as the lane's traits say; null for within one host, where it arrives before the call
  // returns.
  static void send(std::unique_ptr<packet> sent, network& over, lane* along);
  // It arrives after so long, whatever happens on the lanes.
  static void send_later(std::unique_ptr<packet> sent, network& over, duration after);

  // What it arrives at, as observers know it: those that come at one time do so in the order in which they were sent.
  virtual identity destination() const noexcept = 0;
  // What goes over the wire, in pieces of at most `mtu` bytes.
  virtual std::size_t bytes() const noexcept = 0;
  virtual std::size_t fragments(std::uint32_t /*mtu*/) const noexcept { return 1; }

 protected:
  packet() noexcept : timer(&due, cause::event) { list_hook<packet>::mark_unlinked(); }

  virtual void arrive() noexcept = 0;
  // For those who look on; false for what has no form on a wire.
  virtual bool describe(traffic& /*as*/) const noexcept { return false; }
  void tell(network& over, traffic::fate happened, std::string_view why = {}) const noexcept;
  // Another one like it; null for what does not come twice.
  virtual std::unique_ptr<packet> again() const { return nullptr; }
  // How many bits it carries, and changes one of them.
  virtual std::uint64_t bits() const noexcept { return 0; }
  virtual void change(std::uint64_t /*bit*/) noexcept {}

 private:
  static void set_out(std::unique_ptr<packet> sent, network& over, lane& along);
  static void due(timer& due) noexcept;
  void begin(network& over) noexcept;
  void come(network& over) noexcept;
  std::size_t lane_cut() noexcept override;
  void lane_healed() noexcept override {}
  std::size_t frozen() const noexcept override { return 0; }
  std::size_t lane_clogged(time_point until) noexcept override;

  network* over_ = nullptr;
};

}  // namespace lockstep::sim
