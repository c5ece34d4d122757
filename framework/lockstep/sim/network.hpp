// A network of hosts, simulated: who has which address, and what lies between.
//
// A simulation has one (`sim::world::network()`), which is new in each run. It begins with one host, "client" at
// 10.0.0.1, on which the test's own tasks run.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/byte_queue.hpp>
#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/lane_disturbance.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/sim/network_notes.hpp>
#include <lockstep/sim/packet.hpp>
#include <lockstep/sim/page.hpp>
#include <lockstep/sim/tcp_connection.hpp>
#include <lockstep/sim/traffic.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::sim {

class host;
class name_service;

class network final : private detail::run_listener {
 public:
  explicit network(loop& of);
  network(const network&) = delete;
  network& operator=(const network&) = delete;
  ~network();

  loop& owner() const noexcept { return owner_; }
  byte_memory& memory() noexcept { return memory_; }
  const std::shared_ptr<page_store>& pages() const noexcept { return pages_; }

  // A new host with these addresses; the next of 10.0.0.0/8, if none is given. Misuse if the name or an address is
  // taken, and for a name that is empty or has one of : / @ [ ] in it, with which the targets of faults are written.
  host& add_host(std::string name, std::vector<ip_address> addresses = {}, source where = source::current());
  // Misuse if there is none of that name.
  host& at(std::string_view name, source where = source::current());
  host* find(std::string_view name) noexcept;
  // Null if nobody has it.
  host* host_of(const ip_address& address) noexcept;
  // The tasks that are on no other host run on this one.
  host& first_host() noexcept { return *hosts_.front(); }
  const std::vector<std::shared_ptr<host>>& hosts() const noexcept { return hosts_; }

  // What lies between two hosts, which must not be the same.
  sim::link& between(host& one, host& other, source where = source::current());
  sim::link& link(std::string_view one, std::string_view other, source where = source::current()) {
    return between(at(one, where), at(other, where), where);
  }
  // The lane from one to the other, or of one to itself.
  lane* lane_between(host& from, host& to);
  // What every link is that is made from now on, both ways; without latency at first.
  void set_default_traits(const lane_traits& traits) {
    detail::touch(hosts_id, access::write);
    default_traits_ = std::make_shared<const lane_traits>(traits);
  }
  // Those of what a host sends to itself, at first.
  const std::shared_ptr<const lane_traits>& loopback_traits() const noexcept { return loopback_traits_; }

  // All links that a host has by now; those that nobody has used or asked for are made later.
  template <class F>
  void for_links_of(const host& who, const F& each);

  // What names there are.
  name_service& dns();
  // Null if nobody has asked for it yet.
  name_service* names() noexcept { return dns_.get(); }

  // -- faults -----------------------------------------------------------------------------------------------------

  // A rule that stands until the run ends: network.add(on(op::accept).forever().fail(EMFILE)).
  void add(fault standing);
  fault_list& faults() noexcept { return faults_; }
  void add(lane_disturbance& made) noexcept { disturbances_.push_back(made); }
  intrusive_list<lane_disturbance, lane_disturbance>& disturbances() noexcept { return disturbances_; }
  // One that stands until then.
  lane_disturbance& keep(std::unique_ptr<lane_disturbance> standing);
  // That host is there for nobody, or is again.
  void isolate(host& who, bool apart);

  // -- looking on -------------------------------------------------------------------------------------------------

  // It is told of all that is sent from now on, until it is taken off, which it must be before it dies, or the network
  // has died.
  void add(traffic_listener& who) noexcept;
  void remove(traffic_listener& who) noexcept;
  // Null while nobody listens.
  traffic_tap* tap() noexcept { return tap_.empty() ? nullptr : &tap_; }

  void add(tcp_connection& made) noexcept { connections_.push_back(made); }
  intrusive_list<tcp_connection, tcp_connection>& connections() noexcept { return connections_; }
  // Its packets are its own.
  void add(packet& sent) noexcept { packets_.push_back(sent); }

 private:
  static std::shared_ptr<const lane_traits> traits_of_loopback();
  void set_tap_of_lanes() noexcept;
  void close_all() noexcept;
  void drop_packets() noexcept;
  void tasks_have_gone() noexcept override;
  void run_ends(bool well) noexcept override;
  void report_leaks() noexcept;

  loop& owner_;
  byte_memory memory_;
  std::shared_ptr<page_store> pages_ = page_store::make();
  std::vector<std::shared_ptr<host>> hosts_;
  std::map<std::string, host*, std::less<>> by_name_;
  std::map<ip_address, host*> by_address_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, sim::link> links_;
  // Which hosts there are, and what new links are like, is known to an observer of the run by that.
  static constexpr identity hosts_id = domain_identity("lockstep: hosts");

  std::shared_ptr<const lane_traits> default_traits_ = std::make_shared<const lane_traits>();
  std::shared_ptr<const lane_traits> loopback_traits_ = traits_of_loopback();
  intrusive_list<tcp_connection, tcp_connection> connections_;
  std::unique_ptr<name_service> dns_;
  fault_list faults_{owner_, *this};
  intrusive_list<lane_disturbance, lane_disturbance> disturbances_;
  std::vector<std::unique_ptr<lane_disturbance>> standing_disturbances_;
  traffic_tap tap_;
  network_notes notes_{owner_};  // listens if the run is recorded
  intrusive_list<packet, packet> packets_;
  std::uint32_t next_address_ = 0x0A000001;
};

template <class F>
void network::for_links_of(const host& who, const F& each) {
  for (auto& [ends, way] : links_) {
    if (hosts_[ends.first].get() == &who || hosts_[ends.second].get() == &who) each(way);
  }
}

}  // namespace lockstep::sim
