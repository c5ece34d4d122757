// The arm that is the kernel of this machine: plain calls, on loopback.
#include "own_network.hpp"
#include "rows.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>

namespace lockstep::sockets {
namespace {

std::int64_t result_of(std::int64_t returned) { return returned < 0 ? -errno : returned; }
int result_of(int returned) { return returned < 0 ? -errno : returned; }

// Each call as it is. What it opens is closed at the end.
class plain_calls final : public system_calls {
 public:
  ~plain_calls() override {
    for (const int each : open_) ::close(each);
  }

  std::int64_t read(int fd, void* into, std::size_t size) override { return result_of(::read(fd, into, size)); }
  std::int64_t write(int fd, const void* from, std::size_t size) override { return result_of(::write(fd, from, size)); }
  std::int64_t readv(int fd, const iovec* into, int count) override { return result_of(::readv(fd, into, count)); }
  std::int64_t writev(int fd, const iovec* from, int count) override { return result_of(::writev(fd, from, count)); }
  int close(int fd) override {
    open_.erase(fd);
    return result_of(::close(fd));
  }
  int dup(int fd) override { return opened(::dup(fd)); }
  int dup3(int fd, int as, int flags) override { return opened(::dup3(fd, as, flags)); }
  int fcntl(int fd, int command, std::int64_t argument) override {
    const int returned = ::fcntl(fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? opened(returned) : result_of(returned);
  }
  int ioctl(int fd, unsigned long request, void* argument) override {
    return result_of(::ioctl(fd, request, argument));
  }
  int pipe2(int fds[2], int flags) override { return opened(::pipe2(fds, flags), fds); }
  int eventfd(unsigned value, int flags) override { return opened(::eventfd(value, flags)); }
  int timerfd_create(int clock, int flags) override { return opened(::timerfd_create(clock, flags)); }
  int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* before) override {
    return result_of(::timerfd_settime(fd, flags, value, before));
  }
  int timerfd_gettime(int fd, itimerspec* value) override { return result_of(::timerfd_gettime(fd, value)); }

  int poll(pollfd* fds, nfds_t count) override { return result_of(::poll(fds, count, 0)); }
  int epoll_create1(int flags) override { return opened(::epoll_create1(flags)); }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    return result_of(::epoll_ctl(epoll, operation, fd, event));
  }
  int epoll_wait(int epoll, epoll_event* events, int events_max) override {
    return result_of(::epoll_wait(epoll, events, events_max, 0));
  }
  int watch(int, unsigned, readiness_watch&) override { return -ENOSYS; }
  void unwatch(readiness_watch&) noexcept override {}

  int socket(int domain, int type, int protocol) override { return opened(::socket(domain, type, protocol)); }
  int socketpair(int domain, int type, int protocol, int fds[2]) override {
    return opened(::socketpair(domain, type, protocol, fds), fds);
  }
  int bind(int fd, const sockaddr* address, socklen_t size) override { return result_of(::bind(fd, address, size)); }
  int listen(int fd, int backlog) override { return result_of(::listen(fd, backlog)); }
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    return opened(::accept4(fd, address, size, flags));
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    return result_of(::connect(fd, address, size));
  }
  std::int64_t recvmsg(int fd, msghdr* message, int flags) override {
    const std::int64_t result = result_of(::recvmsg(fd, message, flags));
    if (result >= 0) note_received(*message);
    return result;
  }
  std::int64_t sendmsg(int fd, const msghdr* message, int flags) override {
    return result_of(::sendmsg(fd, message, flags));
  }
  std::int64_t recv(int fd, void* into, std::size_t size, int flags) override {
    return result_of(::recv(fd, into, size, flags));
  }
  std::int64_t send(int fd, const void* from, std::size_t size, int flags) override {
    return result_of(::send(fd, from, size, flags));
  }
  int shutdown(int fd, int how) override { return result_of(::shutdown(fd, how)); }
  int getsockname(int fd, sockaddr* address, socklen_t* size) override {
    return result_of(::getsockname(fd, address, size));
  }
  int getpeername(int fd, sockaddr* address, socklen_t* size) override {
    return result_of(::getpeername(fd, address, size));
  }
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override {
    return result_of(::getsockopt(fd, level, name, value, size));
  }
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override {
    return result_of(::setsockopt(fd, level, name, value, size));
  }

 private:
  int opened(int returned) {
    const int result = result_of(returned);
    if (result >= 0) open_.insert(result);
    return result;
  }
  int opened(int returned, const int fds[2]) {
    const int result = result_of(returned);
    if (result >= 0) open_.insert({fds[0], fds[1]});
    return result;
  }
  void note_received(msghdr& message) {
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
      if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(each) + i * sizeof fd, sizeof fd);
        open_.insert(fd);
      }
    }
  }

  std::set<int> open_;
};

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
  std::shared_ptr<plain_calls> calls_ = std::make_shared<plain_calls>();
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
  return transcript_of(body, on);
}

}  // namespace lockstep::sockets
