#include "simulated_sqlite.hpp"

#include <lockstep/base/hash.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/run_blocking.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/system/current.hpp>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace bookkeeping {

namespace {

using lockstep::system_calls;

// SQLite sees descriptors from here on, so that no number is one of the machine's, or of those that it refuses: 0 to 2.
constexpr int first_descriptor = 1 << 20;

// -- whose call it is -------------------------------------------------------------------------------------------------

// A host in a world: to SQLite, a process.
struct process {
  std::weak_ptr<system_calls> host;
  std::uint64_t number;  // no other one has had it
  std::uint64_t seeds = 0;
};

struct state {
  std::list<process> processes;
  process* last = nullptr;
  std::uint64_t last_number = 0;
  std::uint64_t random_of = 0;  // whose the state of SQLite's random numbers is, by number
  sqlite3_vfs vfs{};
};
state* installed = nullptr;

process& process_of(system_calls& host) {
  const auto is_it = [&host](const process& each) { return each.host.lock().get() == &host; };
  if (installed->last != nullptr && is_it(*installed->last)) return *installed->last;
  std::list<process>& all = installed->processes;
  auto found = std::find_if(all.begin(), all.end(), is_it);
  if (found == all.end()) {
    all.remove_if([](const process& each) { return each.host.expired(); });
    found = all.insert(all.end(), {host.weak_from_this(), ++installed->last_number});
  }
  installed->last = &*found;
  return *found;
}

// SQLite has one generator for all. Who goes on with another's begins anew.
void own_random_numbers(const process& by) {
  if (installed->random_of == by.number) return;
  installed->random_of = by.number;
  sqlite3_randomness(0, nullptr);
}

// Makes a call to the host of the running task. A world that runs within it, as the check of a sweep does, may have
// called SQLite. Where no loop runs nobody's disk is meant: a connection has outlived its world.
template <class F>
std::int64_t ask(const F& call) noexcept {
  if (installed == nullptr || lockstep::current_loop() == nullptr) {
    errno = EIO;
    return -1;
  }
  system_calls& host = lockstep::current_system();
  const process by = process_of(host);
  own_random_numbers(by);
  const std::int64_t result = call(host);
  own_random_numbers(by);
  const lockstep::duration waited = host.take_disk_time();
  if (waited > lockstep::duration::zero() && lockstep::current_loop()->running() != nullptr) lockstep::consume(waited);
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

template <class F>
int ask_int(const F& call) noexcept {
  return static_cast<int>(ask(call));
}

// The same numbers for the same file, and others in another world: SQLite knows a file that is open by them.
std::int64_t with_device(std::int64_t result, system_calls& host, struct stat& into) {
  constexpr unsigned bits_of_device = 16;
  if (result == 0) into.st_dev += process_of(host).number << bits_of_device;
  return result;
}

// -- the calls of SQLite's table --------------------------------------------------------------------------------------

int call_open(const char* path, int flags, int mode) {
  const int opened =
      ask_int([&](system_calls& on) { return on.openat(AT_FDCWD, path, flags, static_cast<mode_t>(mode)); });
  return opened < 0 ? opened : opened + first_descriptor;
}
int call_close(int fd) {
  return ask_int([&](system_calls& on) { return on.close(fd - first_descriptor); });
}
int call_access(const char* path, int mode) {
  return ask_int([&](system_calls& on) { return on.faccessat(AT_FDCWD, path, mode, 0); });
}
char* call_getcwd(char* into, std::size_t size) {
  return ask([&](system_calls& on) { return on.getcwd(into, size); }) < 0 ? nullptr : into;
}
int call_stat(const char* path, struct stat* into) {
  return ask_int([&](system_calls& on) { return with_device(on.fstatat(AT_FDCWD, path, into, 0), on, *into); });
}
int call_lstat(const char* path, struct stat* into) {
  return ask_int(
      [&](system_calls& on) { return with_device(on.fstatat(AT_FDCWD, path, into, AT_SYMLINK_NOFOLLOW), on, *into); });
}
int call_fstat(int fd, struct stat* into) {
  return ask_int([&](system_calls& on) { return with_device(on.fstat(fd - first_descriptor, into), on, *into); });
}
int call_ftruncate(int fd, off_t size) {
  return ask_int([&](system_calls& on) { return on.ftruncate(fd - first_descriptor, size); });
}
// The locks among them are the process's: SQLite's connections in one process know of each other.
int call_fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const auto argument = static_cast<std::int64_t>(va_arg(arguments, std::intptr_t));
  va_end(arguments);
  return ask_int([&](system_calls& on) { return on.fcntl(fd - first_descriptor, command, argument); });
}
ssize_t call_read(int fd, void* into, std::size_t size) {
  return ask([&](system_calls& on) { return on.read(fd - first_descriptor, into, size); });
}
ssize_t call_pread(int fd, void* into, std::size_t size, off_t offset) {
  return ask([&](system_calls& on) { return on.pread(fd - first_descriptor, into, size, offset); });
}
ssize_t call_write(int fd, const void* from, std::size_t size) {
  return ask([&](system_calls& on) { return on.write(fd - first_descriptor, from, size); });
}
ssize_t call_pwrite(int fd, const void* from, std::size_t size, off_t offset) {
  return ask([&](system_calls& on) { return on.pwrite(fd - first_descriptor, from, size, offset); });
}
int call_fchmod(int fd, mode_t mode) {
  return ask_int([&](system_calls& on) { return on.fchmod(fd - first_descriptor, mode); });
}
int call_fchown(int fd, uid_t user, gid_t group) {
  return ask_int([&](system_calls& on) { return on.fchown(fd - first_descriptor, user, group); });
}
// As posix_fallocate(), which returns the error.
int call_fallocate(int fd, off_t offset, off_t size) {
  return ask([&](system_calls& on) { return on.fallocate(fd - first_descriptor, 0, offset, size); }) < 0 ? errno : 0;
}
int call_unlink(const char* path) {
  return ask_int([&](system_calls& on) { return on.unlinkat(AT_FDCWD, path, 0); });
}
int call_mkdir(const char* path, mode_t mode) {
  return ask_int([&](system_calls& on) { return on.mkdirat(AT_FDCWD, path, mode); });
}
int call_rmdir(const char* path) {
  return ask_int([&](system_calls& on) { return on.unlinkat(AT_FDCWD, path, AT_REMOVEDIR); });
}
ssize_t call_readlink(const char* path, char* into, std::size_t size) {
  return ask([&](system_calls& on) { return on.readlinkat(AT_FDCWD, path, into, size); });
}

// The index of the write-ahead log is memory that the connections of a process share, which SQLite sees to, and that is
// made anew after a power cut; so memory of one's own that begins with what is in the file will do. The database itself
// is not mapped: SQLite then reads it.
void* call_mmap(void*, std::size_t size, int protection, int, int fd, off_t offset) {
  constexpr std::size_t page = 4096;
  errno = ENODEV;
  if ((protection & PROT_WRITE) == 0) return MAP_FAILED;
  void* const made = std::aligned_alloc(page, (size + page - 1) / page * page);
  if (made == nullptr) return MAP_FAILED;
  if (call_pread(fd, made, size, offset) >= 0) return made;
  std::free(made);
  return MAP_FAILED;
}
int call_munmap(void* made, std::size_t) {
  std::free(made);
  return 0;
}

int sync_of_host(int fd, bool data_only) {
  return ask_int([&](system_calls& on) {
    return data_only ? on.fdatasync(fd - first_descriptor) : on.fsync(fd - first_descriptor);
  });
}

template <class F>
sqlite3_syscall_ptr pointer_to(F* function) noexcept {
  return reinterpret_cast<sqlite3_syscall_ptr>(function);
}

const struct {
  const char* name;
  sqlite3_syscall_ptr call;
} calls[] = {
    {"open", pointer_to(call_open)},           {"close", pointer_to(call_close)},
    {"access", pointer_to(call_access)},       {"getcwd", pointer_to(call_getcwd)},
    {"stat", pointer_to(call_stat)},           {"fstat", pointer_to(call_fstat)},
    {"ftruncate", pointer_to(call_ftruncate)}, {"fcntl", pointer_to(call_fcntl)},
    {"read", pointer_to(call_read)},           {"pread", pointer_to(call_pread)},
    {"pread64", pointer_to(call_pread)},       {"write", pointer_to(call_write)},
    {"pwrite", pointer_to(call_pwrite)},       {"pwrite64", pointer_to(call_pwrite)},
    {"fchmod", pointer_to(call_fchmod)},       {"fallocate", pointer_to(call_fallocate)},
    {"unlink", pointer_to(call_unlink)},       {"mkdir", pointer_to(call_mkdir)},
    {"rmdir", pointer_to(call_rmdir)},         {"fchown", pointer_to(call_fchown)},
    {"mmap", pointer_to(call_mmap)},           {"readlink", pointer_to(call_readlink)},
    {"lstat", pointer_to(call_lstat)},         {"munmap", pointer_to(call_munmap)},
};

// -- what is no call on files -----------------------------------------------------------------------------------------

// Of what is on the disk and how often it was asked: the same in the same run, and others after a power cut, as stale
// parts of a journal are told from new ones by random numbers.
int random_bytes(sqlite3_vfs*, int size, char* into) {
  if (lockstep::current_loop() == nullptr) return 0;
  auto& host = dynamic_cast<lockstep::sim::host&>(lockstep::current_system());
  process& by = process_of(host);
  const std::uint64_t disk = lockstep::hash_of(lockstep::world().fs(host.name()).image().fingerprint());
  const std::uint64_t seed = lockstep::hash_of(disk, ++by.seeds);
  for (int i = 0; i < size; ++i) {
    into[i] = static_cast<char>(lockstep::hash_of(seed, static_cast<std::uint64_t>(i)));
  }
  return size;
}

// Milliseconds since noon of a day in 4714 BC.
int time_of_day(sqlite3_vfs*, sqlite3_int64* now) {
  constexpr sqlite3_int64 before_1970 = 24405875 * sqlite3_int64{8640000};
  *now = before_1970;
  if (const lockstep::loop* const here = lockstep::current_loop(); here != nullptr) {
    *now += std::chrono::floor<std::chrono::milliseconds>(here->wall_now().time_since_epoch()).count();
  }
  return SQLITE_OK;
}

// SQLite waits on the thread that calls it.
int wait(sqlite3_vfs*, int microseconds) {
  lockstep::loop* const here = lockstep::current_loop();
  if (here != nullptr && here->running() != nullptr) lockstep::consume(std::chrono::microseconds(microseconds));
  return microseconds;
}

void require(int result, const char* what) {
  if (result != SQLITE_OK) throw std::runtime_error(std::string("SQLite: ") + what + ": " + sqlite3_errstr(result));
}

// Without mutexes: a world within a call of another would wait for itself.
void restart_sqlite(int threading) {
  require(sqlite3_shutdown(), "a connection is open");
  require(sqlite3_config(threading), "threads cannot be configured");
  require(sqlite3_initialize(), "it does not start");
}

}  // namespace

simulated_sqlite::simulated_sqlite() {
  if (installed != nullptr) throw std::runtime_error("SQLite is simulated already");
  restart_sqlite(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_vfs* const stock = sqlite3_vfs_find("unix");
  if (stock == nullptr) throw std::runtime_error("this SQLite is not for Unix");
  for (const auto& [name, call] : calls) require(stock->xSetSystemCall(stock, name, call), name);
  auto made = std::make_unique<state>();
  made->vfs = *stock;
  made->vfs.zName = "simulated";
  made->vfs.xRandomness = random_bytes;
  made->vfs.xCurrentTimeInt64 = time_of_day;
  made->vfs.xSleep = wait;
  require(sqlite3_vfs_register(&made->vfs, 1), "its VFS cannot be replaced");
  installed = made.release();
}

simulated_sqlite::~simulated_sqlite() {
  const std::unique_ptr<state> gone(std::exchange(installed, nullptr));
  sqlite3_vfs_unregister(&gone->vfs);
  sqlite3_vfs* const stock = sqlite3_vfs_find("unix");
  stock->xSetSystemCall(stock, nullptr, nullptr);
  sqlite3_shutdown();
  sqlite3_config(SQLITE_CONFIG_SERIALIZED);
}

namespace {

int sync_file(int fd, bool data_only) {
  if (fd >= first_descriptor) return sync_of_host(fd, data_only);
  return static_cast<int>(syscall(data_only ? SYS_fdatasync : SYS_fsync, fd));
}

}  // namespace

}  // namespace bookkeeping

// The calls that SQLite makes by itself, beside its table: those of this program come before those of the C library.
extern "C" int fsync(int fd) { return bookkeeping::sync_file(fd, false); }
extern "C" int fdatasync(int fd) { return bookkeeping::sync_file(fd, true); }
