// The arm that is the simulated kernel: hosts "a" and "b" in a world of their own, on virtual time.
#include "rows.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/partition.hpp>
#include <lockstep/sim/world.hpp>

#include <cerrno>
#include <memory>
#include <optional>
#include <sstream>
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

  std::string folder() override { return "/tmp"; }
  void make_file(const std::string& name) override {
    const int made = at("a").openat(AT_FDCWD, path_of(name).c_str(), O_WRONLY | O_CREAT, S_IRUSR | S_IWUSR);
    if (at("a").close(made) != 0) ends("no file: " + name);
  }
  void unlink(const std::string& name) override {
    if (at("a").unlinkat(AT_FDCWD, path_of(name).c_str(), 0) != 0) ends("nothing to unlink: " + name);
  }
  bool exists(const std::string& name) override {
    struct stat found {};
    return at("a").fstatat(AT_FDCWD, path_of(name).c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
  }
  void no_more_descriptors(bool none) override {
    sim::descriptor_table& table = at("a").descriptors();
    table.set_limit(none ? 3 + table.count() : 1024);
  }
  void set(const std::string& setting, const std::string& value) override {
    std::istringstream given(value);
    int first = 0;
    int last = 0;
    given >> first >> last;
    if (setting == "net/ipv4/ip_local_port_range") {
      at("a").ports().set_ephemeral(static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last));
    } else if (setting == "net/core/somaxconn") {
      at("a").set_somaxconn(first);
    } else {
      ends("there is no setting " + setting);
    }
  }
  void set_loopback(bool is_up, int mtu) override {
    sim::lane_traits traits = at("a").loopback().traits();
    traits.mtu = static_cast<std::uint32_t>(mtu);
    at("a").loopback().set_traits(traits);
    if (!is_up) at("a").loopback().add_cut();
  }
  void add_route(const address& to, no_route kind) override {
    const int error = kind == no_route::unreachable ? EHOSTUNREACH : kind == no_route::prohibited ? EACCES : EINVAL;
    at("a").refuse_route(endpoint::from(to.get(), to.size)->address(), 24, error);
  }
  std::string prefix() override { return "lockstep."; }
  address find_host(const std::string& host) override {
    return v4(host == "nobody" ? "10.0.0.99" : at(host).address().text());
  }
  void cut() override { cable_.emplace("client", "b"); }
  void mend() override { cable_.reset(); }

 private:
  static std::string path_of(const std::string& name) { return "/tmp/" + name; }
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

std::unique_ptr<machine> new_simulated_machine() { return std::make_unique<simulated_machine>(); }

std::string run_on_lockstep(void (*body)(machine&)) {
  simulated_machine on;
  return against_linux::transcript_of(body, on);
}

}  // namespace lockstep::sockets
