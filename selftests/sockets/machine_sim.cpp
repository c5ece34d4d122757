// The arm that is the simulated kernel: hosts "a" and "b" in a world of their own, on virtual time.
#include "rows.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/partition.hpp>
#include <lockstep/sim/world.hpp>

#include <optional>
#include <string>

namespace lockstep::sockets {
namespace {

class simulated_machine final : public machine {
 public:
  simulated_machine() {
    world_.start();
    world_.host("b", "10.0.0.2");
    at("a").set_privileged(false);
  }
  ~simulated_machine() override {
    cable_.reset();
    for (const auto& each : world_.network().hosts()) each->close_all();
    world_.finish();
  }

  system_calls& calls(const std::string& host) override { return at(host); }

  // No task runs, so only time makes things happen.
  bool wait_until(const std::function<bool()>& holds) override {
    while (!holds()) {
      if (!world_.loop().advance_to_next_deadline()) return false;
    }
    return true;
  }

  std::string folder() override { ends("no names yet"); }
  void make_file(const std::string&) override { ends("no names yet"); }
  void unlink(const std::string&) override { ends("no names yet"); }
  bool exists(const std::string&) override { ends("no names yet"); }
  void no_more_descriptors(bool none) override {
    sim::descriptor_table& table = at("a").descriptors();
    table.set_limit(none ? 3 + table.count() : 1024);
  }
  void limit_ports(int first, int last) override {
    at("a").ports().set_ephemeral(static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last));
  }
  std::string prefix() override { return "lockstep."; }
  address host_address(const std::string& host, std::uint16_t port) override {
    return v4(host == "nobody" ? "10.0.0.99" : at(host).address().text(), port);
  }
  std::string host_name(const std::string& address) override {
    return address == "10.0.0.2" ? "b" : address == "10.0.0.99" ? "nobody" : address;
  }
  void cut() override { cable_.emplace("client", "b"); }
  void mend() override { cable_.reset(); }

 private:
  sim::host& at(const std::string& host) {
    if (host == "a") return world_.network().first_host();
    sim::host* const found = world_.network().find(host);
    if (found == nullptr) ends("there is no host " + host);
    return *found;
  }

  sim::world world_;
  std::optional<partition> cable_;
};

}  // namespace

bool lockstep_has(needs) { return true; }

std::string run_on_lockstep(void (*body)(machine&)) {
  simulated_machine on;
  return transcript_of(body, on);
}

}  // namespace lockstep::sockets
