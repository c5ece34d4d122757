// The arm that is the simulated kernel: the first host of a world of its own, on virtual time, in its directory /data.
#include "rows.hpp"

#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

#include <time.h>

#include <memory>
#include <string>

namespace lockstep::files {
namespace {

class simulated_machine final : public machine {
 public:
  simulated_machine() {
    world_.start();
    constexpr mode_t usual = 022;
    calls().umask(usual);
    make_folder(folder_);
    must("chdir", calls().chdir(folder_.c_str()));
  }
  ~simulated_machine() override {
    for (const auto& each : world_.network().hosts()) each->close_all();
    world_.finish();
  }

  system_calls& calls() override { return host(); }
  const std::string& folder() const override { return folder_; }
  void no_more_descriptors(bool none) override {
    sim::descriptor_table& table = host().descriptors();
    table.set_limit(none ? 3 + table.count() : 1024);
  }
  void no_more_files(bool none) override {
    sim::descriptor_table& table = host().descriptors();
    table.set_files_max(none ? table.count() : 0);
  }
  void limit_file_size(std::int64_t bytes) override {
    host().files().disk().limits().written_bytes_max = static_cast<std::uint64_t>(bytes);
  }
  void pass_time() override {
    const int fd = must("timerfd_create", calls().timerfd_create(CLOCK_MONOTONIC, 0));
    itimerspec soon{};
    soon.it_value.tv_nsec = 1'000'000;
    must("timerfd_settime", calls().timerfd_settime(fd, 0, &soon, nullptr));
    world_.loop().advance_to_next_deadline();
    must("close", calls().close(fd));
  }
  void become(user who) override {
    sim::credentials& is = host().files().who();
    is.user = is.group = who == user::root ? 0 : id_of_somebody;
  }
  void mount_small_disk(const std::string& path, std::int64_t bytes, std::int64_t inodes, std::int64_t quota) override {
    make_folder(path);
    sim::file_system* made = nullptr;
    must("mount", host().files().mount(absolute(path), made));
    made->limits().pages_max = static_cast<std::uint64_t>(bytes) / sim::page_bytes;
    made->limits().inodes_max = static_cast<std::uint64_t>(inodes);
    if (quota != 0) made->set_quota(id_of_somebody, static_cast<std::uint64_t>(quota) / sim::page_bytes);
  }

 private:
  sim::host& host() { return world_.network().first_host(); }

  sim::world world_;
  const std::string folder_ = "/data";
};

}  // namespace

bool lockstep_has(needs) { return true; }

std::unique_ptr<machine> new_simulated_machine() { return std::make_unique<simulated_machine>(); }

std::string run_on_lockstep(void (*body)(machine&)) {
  simulated_machine on;
  return against_linux::transcript_of(body, on);
}

}  // namespace lockstep::files
