// The arm that is the kernel of this machine: plain calls, on loopback.
#include "../against_linux/plain_calls.hpp"
#include "own_network.hpp"
#include "rows.hpp"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace lockstep::sockets {
namespace {

constexpr int wait_max_milliseconds = 60'000;

class linux_machine final : public machine {
 public:
  linux_machine() {
    has_own_network();
    std::signal(SIGPIPE, SIG_IGN);
    ::getrlimit(RLIMIT_NOFILE, &descriptors_);
  }
  ~linux_machine() override {
    no_more_descriptors(false);
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  system_calls& calls(const std::string& host) override {
    if (host != "a") ends("there is no host " + host);
    return *calls_;
  }

  // What shows no readiness is looked at each millisecond. Hardly a row needs one; a machine that has no time for it in
  // a minute fails.
  bool wait_until(const std::function<bool()>& holds) override {
    for (int i = 0; i < wait_max_milliseconds; ++i) {
      if (holds()) return true;
      ::poll(nullptr, 0, 1);
    }
    return false;
  }
  bool wait_ready(int fd, unsigned events, const std::function<bool()>& holds) override {
    pollfd waited = {fd, static_cast<short>(events), 0};
    ::poll(&waited, 1, wait_max_milliseconds);
    return holds() || wait_until(holds);  // POLLHUP, which nobody asked for, may come before
  }

  std::string folder() override {
    if (folder_.empty()) {
      std::string made = (std::filesystem::temp_directory_path() / "lockstep.XXXXXX").string();
      if (::mkdtemp(made.data()) == nullptr) ends("no folder: " + made);
      folder_ = made;
    }
    return folder_;
  }
  void make_file(const std::string& name) override { std::ofstream(folder() + "/" + name) << "text"; }
  void unlink(const std::string& name) override {
    if (!std::filesystem::remove(folder() + "/" + name)) ends("nothing to unlink: " + name);
  }
  bool exists(const std::string& name) override { return std::filesystem::exists(folder() + "/" + name); }
  void no_more_descriptors(bool none) override {
    rlimit now = descriptors_;
    if (none) {
      const int next = ::dup(STDIN_FILENO);
      ::close(next);
      now.rlim_cur = static_cast<rlim_t>(next);
    }
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  void set(const std::string& setting, const std::string& value) override { changes_.set(setting, value); }
  void set_loopback(bool is_up, int mtu) override { changes_.set_loopback(is_up, mtu); }
  void add_route(const address& to, no_route kind) override { network_changes::add_route(to, kind); }
  std::string prefix() override { return "lockstep." + std::to_string(::getpid()) + "."; }

 private:
  std::shared_ptr<against_linux::plain_calls> calls_ = std::make_shared<against_linux::plain_calls>();
  std::string folder_;
  rlimit descriptors_{};
  network_changes changes_;
};

}  // namespace

bool linux_has(needs what) { return what == needs::loopback || (what == needs::own_network && has_own_network()); }

std::unique_ptr<machine> new_linux_machine() { return std::make_unique<linux_machine>(); }

// In a network of its own where there can be one: the port that a row is given is then none that lingers from another.
std::string run_on_linux(void (*body)(machine&)) {
  renew_own_network();
  linux_machine on;
  return against_linux::transcript_of(body, on);
}

}  // namespace lockstep::sockets
