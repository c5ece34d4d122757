// The arm that is the kernel of this machine: plain calls, in a temporary directory.
#include "../against_linux/plain_calls.hpp"
#include "rows.hpp"

#include <grp.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace lockstep::files {
namespace {

bool is_root() {
  static const bool was = ::geteuid() == 0;
  return was;
}

bool has_ext4() {
  struct statfs is {};
  return ::statfs(std::filesystem::temp_directory_path().c_str(), &is) == 0 && is.f_type == EXT4_SUPER_MAGIC;
}

bool mount_tmpfs(const std::string& path, const std::string& how) {
  return ::mount("none", path.c_str(), "tmpfs", 0, how.c_str()) == 0;
}

// Mounts that nobody else sees, and that go with the process.
bool make_own_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// There is no way back, so a child tries first, on a directory that is everywhere.
bool can_make_own_mounts() {
  if (!is_root()) return false;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(make_own_mounts() && mount_tmpfs(std::filesystem::temp_directory_path(), "") ? 0 : 1);
  int status = -1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

bool has_own_mounts() {
  static const bool has = can_make_own_mounts() && make_own_mounts();
  return has;
}

// A row may leave directories that not even their owner may enter.
void remove_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  ::chmod(path.c_str(), S_IRWXU);
  for (const auto& each : std::filesystem::directory_iterator(path, ignored)) {
    if (each.symlink_status(ignored).type() == std::filesystem::file_type::directory) remove_folder(each.path());
  }
  std::filesystem::remove_all(path, ignored);
}

bool can_have_quotas() {
  static const bool can = [] {
    if (!has_own_mounts()) return false;
    const std::string path = std::filesystem::temp_directory_path();
    return mount_tmpfs(path, "usrquota") && ::umount2(path.c_str(), MNT_DETACH) == 0;
  }();
  return can;
}

class linux_machine final : public machine {
 public:
  linux_machine() {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_NOFILE, &descriptors_);
    ::getrlimit(RLIMIT_FSIZE, &file_size_);
    folder_ = (std::filesystem::temp_directory_path() / "lockstep.XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr) ends("no folder: " + folder_);
    constexpr mode_t for_all = 0755;
    constexpr mode_t usual = 022;
    ::chmod(folder_.c_str(), for_all);
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
    mask_ = ::umask(usual);
  }
  ~linux_machine() override {
    calls_.reset();
    become_root();
    ::umask(mask_);
    ::setrlimit(RLIMIT_NOFILE, &descriptors_);
    ::setrlimit(RLIMIT_FSIZE, &file_size_);
    std::filesystem::current_path(before_);
    if (!disk_.empty()) ::umount2(disk_.c_str(), MNT_DETACH);
    remove_folder(folder_);
  }

  system_calls& calls() override { return *calls_; }
  const std::string& folder() const override { return folder_; }
  void no_more_descriptors(bool none) override {
    rlimit now = descriptors_;
    if (none) {
      const int next = ::dup(STDIN_FILENO);
      ::close(next);
      now.rlim_cur = static_cast<rlim_t>(next);
    }
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  void no_more_files(bool none) override {
    if (none) ends("the limit is that of the machine");
  }
  void limit_file_size(std::int64_t bytes) override {
    rlimit now = file_size_;
    now.rlim_cur = static_cast<rlim_t>(bytes);
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  // Linux has a clock for it that goes on every few milliseconds.
  void pass_time() override {
    const std::string probe = folder_ + ".probe";
    const int fd = ::open(probe.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) ends("no probe of the time");
    const timespec begin = touched(fd);
    for (timespec now = begin; now.tv_sec == begin.tv_sec && now.tv_nsec == begin.tv_nsec; now = touched(fd)) {
      ::poll(nullptr, 0, 1);
    }
    ::close(fd);
    ::unlink(probe.c_str());
  }
  void become(user who) override {
    if (!is_root() && who == user::somebody) return;
    if (!is_root()) ends("only root can be somebody else");
    become_root();
    if (who == user::root) return;
    if (::setgroups(0, nullptr) != 0 || ::setresgid(id_of_somebody, id_of_somebody, 0) != 0 ||
        ::setresuid(id_of_somebody, id_of_somebody, 0) != 0) {
      ends("cannot be somebody else");
    }
  }
  void mount_small_disk(const std::string& path, std::int64_t bytes, std::int64_t inodes, std::int64_t quota) override {
    if (!has_own_mounts()) ends("no file system may be mounted");
    make_folder(path);
    disk_ = absolute(path);
    std::string how = "mode=755,size=" + std::to_string(bytes) + ",nr_inodes=" + std::to_string(inodes);
    if (quota != 0) how += ",usrquota,usrquota_block_hardlimit=" + std::to_string(quota);
    if (!mount_tmpfs(disk_, how)) ends("no file system of " + how);
  }

 private:
  static timespec touched(int fd) {
    struct stat is {};
    ::futimens(fd, nullptr);
    ::fstat(fd, &is);
    return is.st_mtim;
  }
  static void become_root() {
    if (!is_root()) return;
    if (::setresuid(0, 0, 0) != 0 || ::setresgid(0, 0, 0) != 0) std::abort();
  }

  std::shared_ptr<against_linux::plain_calls> calls_ = std::make_shared<against_linux::plain_calls>();
  std::string folder_;
  std::string disk_;
  std::filesystem::path before_;
  mode_t mask_ = 0;
  rlimit descriptors_{};
  rlimit file_size_{};
};

}  // namespace

bool linux_has(needs what) {
  switch (what) {
    case needs::nothing: return true;
    case needs::ext4: return has_ext4();
    case needs::root: return is_root();
    case needs::small_disk: return has_own_mounts();
    case needs::whole_machine: return false;
    case needs::quota: return can_have_quotas();
  }
  return false;
}

std::unique_ptr<machine> new_linux_machine() { return std::make_unique<linux_machine>(); }

std::string run_on_linux(void (*body)(machine&)) {
  linux_machine on;
  return against_linux::transcript_of(body, on);
}

}  // namespace lockstep::files
