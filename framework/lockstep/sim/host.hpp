// A host in a simulated network: its addresses, its descriptors, its ports, and the system calls of the tasks that run
// on it.
//
//   sim::host& web = world().network().add_host("web", {"10.0.0.2"});
//   const auto server = web.spawn(serve_pages());
//
// What a task spawns runs on the same host.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/sim/descriptor_table.hpp>
#include <lockstep/sim/disk_pace.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/sim/port_space.hpp>
#include <lockstep/sim/socket_options.hpp>
#include <lockstep/sim/unix_space.hpp>
#include <lockstep/system/current.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep::sim {

class disk_file;
class network;
class tcp_socket;
class timer_file;

// 255.255.255.255, that of the network 10.0.0.0/8, or of the host itself.
bool is_broadcast(const ip_address& address) noexcept;

class host final : public system_calls {
 public:
  host(network& of, std::string name, std::vector<ip_address> addresses, std::uint32_t number);
  ~host() override;

  const std::string& name() const noexcept { return name_; }
  // Counts from 0 in each run.
  std::uint32_t number() const noexcept { return number_; }
  const std::vector<ip_address>& addresses() const noexcept { return addresses_; }
  // The first of them.
  const ip_address& address() const noexcept { return addresses_.front(); }
  network& of() const noexcept { return *network_; }
  // The network ends, with all that was open. Who still holds a descriptor has one of no file.
  void part() noexcept { network_ = nullptr; }

  // As lockstep::spawn() and spawn_daemon(), but the task, and what it spawns, runs on this host. Misuse while its
  // power is cut.
  template <class T>
  join_handle<T> spawn(task<T> work, label name = {}, source where = source::current()) {
    if (down_) [[unlikely]]
      refuse_down(where);
    const scoped_value here = enter(where);
    join_handle<T> made = lockstep::spawn(std::move(work), std::move(name), where);
    if (paused_) [[unlikely]]
      freeze(made.get(where));
    return made;
  }
  template <class T>
  agent& spawn_daemon(task<T> work, label name = {}, source where = source::current()) {
    if (down_) [[unlikely]]
      refuse_down(where);
    const scoped_value here = enter(where);
    agent& made = lockstep::spawn_daemon(std::move(work), std::move(name), where);
    if (paused_) [[unlikely]]
      freeze(made);
    return made;
  }
  // What the running task does and spawns while the scope lives, it does on this host.
  [[nodiscard]] scoped_value enter(source where = source::current()) {
    return detail::system_of_task.bind(this, where);
  }

  // Whether its tasks may bind ports below 1024: yes, at first.
  bool privileged() const noexcept { return privileged_; }
  void set_privileged(bool privileged) noexcept;
  // Whose its tasks are, for files and as sockets show it; 0 is the superuser.
  void run_as(uid_t user, gid_t group);
  descriptor_table& descriptors() noexcept { return table_; }
  // What it sends to itself takes that, in either direction: without latency, at first.
  lane& loopback() noexcept { return loopback_; }
  // From now on, packets to the addresses that share so many bits with `network` fail like that: EHOSTUNREACH for one
  // that is unreachable, EACCES for one that is prohibited, EINVAL for a black hole, ENETUNREACH for one that throws.
  // Misuse for another error, and for more bits than the address has.
  // Source: ip-route(8).
  void refuse_route(const ip_address& network, unsigned bits, int error, source where = source::current());
  // The longest queue that listen() gives.
  // Source: net.core.somaxconn.
  int somaxconn() const noexcept {
    detail::touch(id_, access::read);
    return somaxconn_;
  }
  void set_somaxconn(int connections) noexcept {
    detail::touch(id_, access::write);
    somaxconn_ = connections;
  }
  // How many events an inotify holds that is made from now on; of more it tells that there were some.
  // Source: fs.inotify.max_queued_events.
  void set_queued_events_max(std::size_t events) noexcept {
    detail::touch(id_, access::write);
    queued_events_max_ = events;
  }

  // What its sockets have from now on, as if its net.ipv4.tcp_wmem and tcp_rmem said so; 1 byte at least.
  void buffers(int send_bytes, int receive_bytes, source where = source::current());

  // -- failing ----------------------------------------------------------------------------------------------------

  // Its power is cut: its tasks are destroyed where they are, not cancelled, and what their destructors ask of the
  // system is not done; what it has sent and nobody has got is lost. Others see silence, until they have waited long
  // enough. Who joins one of the tasks gets `cancelled`. A task of its own may call it: that one is gone at its next
  // suspension. Does nothing if it is down. Misuse of the first host, on which the test runs.
  void crash(source where = source::current());
  // Its process is killed: the same, but the system lives on and closes the descriptors, so that others see the end of
  // their connections, or a reset where not all was read, and ECONNREFUSED.
  void kill(source where = source::current());
  // Its tasks make no steps until resume(), while the system answers for them: connections come, and buffers fill.
  void pause();
  void resume();
  // Begins a new life, killing what is left of the old one: spawns `life()`, a task, on it. Who still sends to
  // connections of the old life is reset.
  template <task_function F>
  auto restart(F life, source where = source::current()) {
    begin_life(where);
    return spawn(co_invoke(std::move(life)), {}, where);
  }
  // Whether its power was cut.
  bool is_down() const noexcept { return down_; }
  bool is_paused() const noexcept { return paused_; }
  // Those of its own that have not finished, the oldest first; the test's main task is none of them.
  std::vector<agent*> tasks() const;

  // What a power cut may leave now on its disk at /, without one: as plain_files::crash_images().
  std::vector<crash_image> crash_images(std::size_t images_max, source where = source::current());

  // -- for the sockets --------------------------------------------------------------------------------------------

  // Whether it is one of its own; and whether a socket may be bound to it.
  bool has(const ip_address& address) const noexcept;
  bool may_bind(const ip_address& address) const noexcept;
  // Where `to` is: `there` is null if nobody has it. Chooses the address to send from if `from` is none yet. Returns 0
  // or what connect() fails with.
  int route(const ip_address& to, ip_address& from, host*& there) noexcept;
  // The MTU of the way to it, which may be null; of IPv4 a program is told of 65,535 at most.
  std::uint32_t mtu_to(host* there);
  int mtu_told(host* there, const ip_address& to);
  port_space& ports() noexcept { return tcp_ports_; }
  identity ports_id() const noexcept { return roll(id_, 1); }
  port_space& udp_ports() noexcept { return udp_ports_; }
  identity udp_ports_id() const noexcept { return roll(id_, 2); }
  identity listeners_id() const noexcept { return roll(id_, 3); }
  void listens(tcp_socket& who, bool does);
  // The socket that listens there, the one with that very address first; null if there is none.
  tcp_socket* find_listener(const endpoint& at, const endpoint& from) noexcept;
  time_point now() const noexcept;
  // Its files, from the first use on; and whether there was one.
  file_names& files();
  bool has_files() const noexcept { return files_ != nullptr; }
  identity names_id() const noexcept { return roll(id_, 4); }
  // What is to happen to a call on a file, and how long the disk takes for it.
  bool has_faults_on(op what) const noexcept;
  int fault_in_memory(op what, inode& file);
  static std::uint64_t bytes_for_disk(op what, disk_file& file, std::uint64_t offset, std::uint64_t bytes);
  fault_effect disk_fault(op what, inode& file, std::uint64_t offset = 0, std::size_t bytes = 0,
                          std::uint64_t file_bytes = 0);
  fault_effect disk_fault(attempted_call call, fault_kinds of = fault_kinds::all);
  // The same, of any of the file's names.
  fault_effect disk_fault(attempted_call call, const inode& file, fault_kinds of = fault_kinds::all);
  // Minus an error number, or 0.
  int fault_on_file(op what, inode& file);
  // As fsync() or fdatasync() of that open file.
  int sync_file(disk_file& file, bool data_only);
  void disk_works(op what, std::uint64_t bytes) {
    if (disk_clock_ != nullptr) [[unlikely]]
      charge(what, bytes);
  }
  // The same of what is read or written, of which the page cache may keep the disk for later.
  void disk_transfers(op what, disk_file& file, std::uint64_t offset, std::uint64_t bytes) {
    if (disk_clock_ != nullptr) [[unlikely]]
      charge(what, bytes_for_disk(what, file, offset, bytes));
  }
  // The same of a sync of a file, or of a whole disk.
  void disk_syncs(inode& file);
  void disk_syncs(file_system& disk);
  void set_pace(const disk_pace& pace) { disk_clock_ = std::make_unique<disk_clock>(pace); }
  void account(disk_time how) noexcept override { disk_time_ = how; }
  duration take_disk_time() noexcept override;
  duration time_of_sync(int fd) override;
  // What a power cut loses is picked by that.
  crash_chooser picks_of_power_cuts();
  unix_space& unix_names() noexcept { return unix_; }
  identity unix_names_id() const noexcept { return roll(id_, 5); }
  // Of its one process, as sockets show them to each other.
  ucred credentials() const noexcept;
  void add(timer_file& made) noexcept;
  void set_buffers_of(socket_options& made) const {
    detail::touch(id_, access::read);
    if (buffers_.first != 0) made.set_buffers(buffers_.first, buffers_.second);
  }
  // No timer fires any more.
  void tasks_have_gone() noexcept;
  // The run ends: every descriptor is closed.
  void close_all() noexcept;

  // -- system calls -----------------------------------------------------------------------------------------------

  std::int64_t read(int fd, void* into, std::size_t size) override;
  std::int64_t write(int fd, const void* from, std::size_t size) override;
  std::int64_t readv(int fd, const iovec* into, int count) override;
  std::int64_t writev(int fd, const iovec* from, int count) override;
  int close(int fd) override;
  int dup(int fd) override;
  int dup3(int fd, int as, int flags) override;
  int fcntl(int fd, int command, std::int64_t argument) override;
  int ioctl(int fd, unsigned long request, void* argument) override;
  int pipe2(int fds[2], int flags) override;
  int eventfd(unsigned value, int flags) override;
  int timerfd_create(int clock, int flags) override;
  int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* before) override;
  int timerfd_gettime(int fd, itimerspec* value) override;
  int poll(pollfd* fds, nfds_t count) override;
  int epoll_create1(int flags) override;
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override;
  int epoll_wait(int epoll, epoll_event* events, int events_max) override;
  int watch(int fd, unsigned events, readiness_watch& by) override;
  void unwatch(readiness_watch& watch) noexcept override { watch.unlink(); }
  void opened_at(int fd, const source& where) noexcept override;
  void locked_at(int fd, const source& where) noexcept override;
  int socket(int domain, int type, int protocol) override;
  int socketpair(int domain, int type, int protocol, int fds[2]) override;
  int bind(int fd, const sockaddr* address, socklen_t size) override;
  int listen(int fd, int backlog) override;
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override;
  int connect(int fd, const sockaddr* address, socklen_t size) override;
  std::int64_t recvmsg(int fd, msghdr* message, int flags) override;
  std::int64_t sendmsg(int fd, const msghdr* message, int flags) override;
  std::int64_t recv(int fd, void* into, std::size_t size, int flags) override;
  std::int64_t send(int fd, const void* from, std::size_t size, int flags) override;
  int shutdown(int fd, int how) override;
  int getsockname(int fd, sockaddr* address, socklen_t* size) override;
  int getpeername(int fd, sockaddr* address, socklen_t* size) override;
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override;
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override;
  int look_up(name_query& asked) override;

  int openat(int at, const char* path, int flags, mode_t mode) override;
  int fstatat(int at, const char* path, struct stat* into, int flags) override;
  int mkdirat(int at, const char* path, mode_t mode) override;
  int unlinkat(int at, const char* path, int flags) override;
  int renameat2(int from_at, const char* old, int to_at, const char* to, unsigned flags) override;
  int linkat(int from_at, const char* old, int to_at, const char* to, int flags) override;
  int symlinkat(const char* target, int at, const char* path) override;
  std::int64_t readlinkat(int at, const char* path, char* into, std::size_t size) override;
  int faccessat(int at, const char* path, int mode, int flags) override;
  int fchmodat(int at, const char* path, mode_t mode) override;
  int fchownat(int at, const char* path, uid_t user, gid_t group, int flags) override;
  int utimensat(int at, const char* path, const timespec* times, int flags) override;
  int truncate(const char* path, std::int64_t size) override;
  int statfs(const char* path, struct statfs* into) override;
  int chdir(const char* path) override;
  int fchdir(int fd) override;
  std::int64_t getcwd(char* into, std::size_t size) override;
  mode_t umask(mode_t mask) override;
  int fstat(int fd, struct stat* into) override;
  std::int64_t lseek(int fd, std::int64_t offset, int whence) override;
  std::int64_t pread(int fd, void* into, std::size_t size, std::int64_t offset) override;
  std::int64_t pwrite(int fd, const void* from, std::size_t size, std::int64_t offset) override;
  std::int64_t preadv(int fd, const iovec* into, int count, std::int64_t offset) override;
  std::int64_t pwritev(int fd, const iovec* from, int count, std::int64_t offset) override;
  int ftruncate(int fd, std::int64_t size) override;
  int fallocate(int fd, int mode, std::int64_t offset, std::int64_t size) override;
  std::int64_t getdents64(int fd, void* into, std::size_t size) override;
  int fchmod(int fd, mode_t mode) override;
  int fchown(int fd, uid_t user, gid_t group) override;
  int fstatfs(int fd, struct statfs* into) override;
  int flock(int fd, int operation) override;
  int fsync(int fd) override;
  int fdatasync(int fd) override;
  int syncfs(int fd) override;
  void sync() override;
  int sync_file_range(int fd, std::int64_t offset, std::int64_t size, unsigned flags) override;
  int inotify_init1(int flags) override;
  int inotify_add_watch(int fd, const char* path, std::uint32_t events) override;
  int inotify_rm_watch(int fd, int watch) override;

 private:
  void freeze(agent& who) noexcept;
  [[noreturn]] void refuse_down(source where) const;
  void begin_life(source where);
  void end_life(const char* how, bool power_cut, source where);
  // Those that were running when their life ended go when no task is ready any more.
  struct burial final : timer {
    explicit burial(host& of) noexcept : timer(&due, cause::event), dead_of(of) {}
    static void due(timer& due) noexcept { static_cast<burial&>(due).dead_of.bury(); }
    host& dead_of;
  };
  void bury() noexcept;
  void vanish();
  void lose_memory();
  bool is_socket(int fd) const noexcept;
  endpoint named_by_host(const endpoint& bound) const noexcept;
  // What is to happen to such a call: minus an error number, or 0.
  int fault_of(attempted_call call);
  int fault_of_unix(attempted_call call, const std::string& name);
  int fault_of(op what, sim::socket& of, unsigned event, std::size_t bytes);
  template <class F>
  std::int64_t transfer(op what, int fd, std::size_t bytes, int flags, const F& call);
  int unix_socket_of(int type, int protocol);
  // The two under the lowest free numbers, or neither.
  int add_pair(const file_reference& first, const file_reference& second, bool closes_on_exec, int fds[2]);
  // The call, of which those who look on are told what `text()` says.
  template <class F, class Text>
  auto traced(const F& call, const Text& text);
  // -EBADF or -ENOTSOCK if it is none.
  template <class F>
  auto with_socket(int fd, const F& call);
  template <class F>
  auto with_file(int fd, const F& call);
  template <class F>
  auto from(int at, const char* path, access how, const F& call) -> decltype(call(std::declval<inode&>()));
  template <class F>
  int on_file(int at, const char* path, int flags, access how, const F& call);
  // Minus an error number, or 0: of a call on a path.
  int fault_on_path(op what, inode& begin, const char* path, bool follows = false);
  void charge(op what, std::uint64_t bytes);
  void hold_up();
  int sync_file(int fd, bool data_only);
  void sync_disk(file_system& disk);
  template <class F>
  auto with_disk_file(int fd, int otherwise, const F& call) -> decltype(call(std::declval<disk_file&>()));
  int lock(disk_file& file, int command, std::int64_t argument);
  // Of a pipe or a socket, on which nobody else has one.
  static int lock_of_no_file(int command, std::int64_t argument) noexcept;
  void drop_locks(const file_reference& closed) noexcept;

  network* network_;  // null once that has ended
  std::string name_;
  std::vector<ip_address> addresses_;
  std::uint32_t number_;
  identity id_;
  struct refused_route {
    ip_address network;
    unsigned bits;
    int error;
  };

  bool privileged_ = true;
  int somaxconn_ = 4096;
  std::size_t queued_events_max_ = 16'384;
  lane loopback_;
  std::vector<refused_route> refused_;
  bool down_ = false;
  bool paused_ = false;
  std::pair<int, int> buffers_{0, 0};  // 0: Linux's
  std::size_t limit_of_life_ = 0;      // of descriptors; 0 while it is the table's own
  std::vector<agent*> dead_;           // that are still running
  burial burial_{*this};
  port_space tcp_ports_;
  port_space udp_ports_;
  std::vector<tcp_socket*> listeners_;
  std::unique_ptr<file_names> files_;
  std::unique_ptr<disk_clock> disk_clock_;  // null as long as the disk takes no time
  disk_time disk_time_ = disk_time::blocks;
  unix_space unix_;
  intrusive_list<timer_file, timer_file> timer_files_;
  descriptor_table table_;  // before all else, its files go
};

}  // namespace lockstep::sim
