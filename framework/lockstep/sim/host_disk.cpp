// The calls of a host on files of its disks.
#include <lockstep/sim/host.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/disk_file.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/file_watch.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/socket.hpp>

#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::sim {

file_names& host::files() {
  if (files_ == nullptr) {
    files_ = std::make_unique<file_names>(network_->owner(), network_->pages(), roll(id_, 4));
    set_privileged(privileged_);
  }
  return *files_;
}

void host::set_privileged(bool privileged) noexcept {
  constexpr unsigned somebody = 1000;
  privileged_ = privileged;
  if (files_ != nullptr) files_->who().user = files_->who().group = privileged ? 0 : somebody;
}

void host::run_as(uid_t user, gid_t group) {
  detail::touch(everything, access::write);
  files().who().user = user;
  files().who().group = group;
  privileged_ = user == 0;
}

namespace {

timespec timespec_of(wall_clock::time_point at) noexcept {
  const auto since = at.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return {static_cast<time_t>(seconds.count()),
          static_cast<long>(std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count())};
}

void tell_of(inode& file, struct stat& into) {
  if (file.is_fixture) file.on().need_content(file);
  constexpr std::uint64_t sectors_of_page = page_bytes / 512;
  std::memset(&into, 0, sizeof into);
  into.st_dev = file.on().device();
  into.st_ino = file.number();
  into.st_mode = file.attributes.mode;
  into.st_nlink = file.links;
  into.st_uid = file.attributes.user;
  into.st_gid = file.attributes.group;
  into.st_blksize = page_bytes;
  std::uint64_t size = file.content.size();
  std::uint64_t pages = file.content.pages();
  if (file.is_directory()) size = page_bytes * (pages = 1);
  if (file.is_link()) size = file.target.size();
  into.st_size = static_cast<off_t>(size);
  into.st_blocks = static_cast<blkcnt_t>(pages * sectors_of_page);
  into.st_atim = timespec_of(file.attributes.accessed);
  into.st_mtim = timespec_of(file.attributes.modified);
  into.st_ctim = timespec_of(file.attributes.changed);
}

void tell_of(file_system& disk, struct statfs& into) {
  constexpr long magic_of_ext4 = 0xEF53;
  std::memset(&into, 0, sizeof into);
  into.f_type = magic_of_ext4;
  into.f_bsize = into.f_frsize = page_bytes;
  into.f_blocks = disk.limits().pages_max;
  into.f_bfree = into.f_bavail = disk.limits().pages_max - std::min(disk.limits().pages_max, disk.pages_used());
  into.f_files = disk.limits().inodes_max;
  into.f_ffree = disk.limits().inodes_max - std::min(disk.limits().inodes_max, disk.inodes_used());
  into.f_namelen = NAME_MAX;
  into.f_flags = disk.read_only() ? ST_RDONLY : 0;
}

}  // namespace

// -- by path and by descriptor ----------------------------------------------------------------------------------------

// Where a path begins that is relative to `at`. Whose life has ended does nothing to names either.
template <class F>
auto host::from(int at, const char* path, access how, const F& call) -> decltype(call(std::declval<inode&>())) {
  if (limit_of_life_ != 0) [[unlikely]]
    return -EIO;
  file_names& all = files();
  detail::touch(names_id(), how);
  if (path != nullptr && *path == '/') return call(all.disk().root());
  if (at == AT_FDCWD) return call(all.working_directory());
  open_file* const file = table_.find(at);
  if (file == nullptr) return -EBADF;
  disk_file* const there = file->as_disk_file();
  if (there == nullptr) return -ENOTDIR;
  return call(there->file());
}

// The file that is meant, for calls that may change it: by its path, or by the descriptor alone.
template <class F>
int host::on_file(int at, const char* path, int flags, access how, const F& call) {
  return from(at, path, how, [&](inode& begin) -> int {
    inode_reference found = &begin;
    told_name name;
    file_names::place there;
    if (path == nullptr || (*path == '\0' && (flags & AT_EMPTY_PATH) != 0)) {
      name = at != AT_FDCWD ? table_.find(at)->as_disk_file()->told() : files_->told(there, *found);
      name.by_open_file = false;
    } else {
      const bool follows = (flags & AT_SYMLINK_NOFOLLOW) == 0;
      if (const int failed = files_->find_file(begin, path, follows, found, &there); failed != 0) return failed;
      name = files_->told(there, *found);
    }
    const telling_by own(*found, name);
    return call(*found);
  });
}

template <class F>
auto host::with_disk_file(int fd, int otherwise, const F& call) -> decltype(call(std::declval<disk_file&>())) {
  open_file* const file = table_.find(fd);
  if (file == nullptr) return -EBADF;
  const file_reference kept = file;  // also if the host dies in the call
  disk_file* const found = file->as_disk_file();
  return found == nullptr ? otherwise : call(*found);
}

// -- names ------------------------------------------------------------------------------------------------------------

int host::openat(int at, const char* path, int flags, mode_t mode) {
  return from(at, path, (flags & (O_CREAT | O_TRUNC)) != 0 ? access::write : access::read, [&](inode& begin) -> int {
    if (const int none = table_.lacks_room(); none != 0) return none;
    if (const int failed = fault_on_path(op::open, begin, path, (flags & O_NOFOLLOW) == 0); failed != 0) return failed;
    inode_reference found;
    file_names::place there;
    int opened = 0;
    if ((flags & O_PATH) != 0) {
      constexpr int kept = O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;
      flags &= kept;
      if (const int failed = files_->find_file(begin, path, (flags & O_NOFOLLOW) == 0, found, &there); failed != 0) {
        return failed;
      }
      if ((flags & O_DIRECTORY) != 0 && !found->is_directory()) return -ENOTDIR;
    } else if (opened = files_->open(begin, path, flags, mode, found, &there); opened < 0) {
      return opened;
    }
    constexpr int not_kept = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;
    constexpr int large_files = 0100000;  // O_LARGEFILE, which a program with large offsets cannot name
    if ((flags & O_PATH) == 0) flags |= large_files;
    told_name name = files_->told(there, *found);
    std::string without_name;
    if (found->links == 0 && (flags & O_TMPFILE) == O_TMPFILE) {
      without_name = "#" + std::to_string(found->number());
      name = {there.directory.get(), without_name, true};
    }
    std::optional<sparing_allocations> of_what_is_done;  // it is too late to fail
    if (opened == 1) of_what_is_done.emplace();
    auto* const made_file = new disk_file(*this, network_->owner().identity_of_new(), found, flags & ~not_kept, name);
    const file_reference made = made_file;
    if ((flags & O_TRUNC) != 0 && (flags & O_PATH) == 0 && opened == 0 && found->is_regular()) {
      const telling_by own(*found, made_file->told());
      detail::touch(found->on().id_of(*found), access::write);
      if (const int failed = files_->truncate_opened(*found); failed != 0) return failed;
      of_what_is_done.emplace();
    }
    return table_.add(made, (flags & O_CLOEXEC) != 0);
  });
}

int host::fstatat(int at, const char* path, struct stat* into, int flags) {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) != 0) return -EINVAL;
  if (*path == '\0' && (flags & AT_EMPTY_PATH) != 0 && at != AT_FDCWD) return fstat(at, into);
  return on_file(at, path, flags, access::read, [&](inode& file) {
    if (const int failed = fault_on_file(op::stat, file); failed != 0) return failed;
    detail::touch(file.on().id_of(file), access::read);
    tell_of(file, *into);
    return 0;
  });
}

int host::mkdirat(int at, const char* path, mode_t mode) {
  return from(at, path, access::write, [&](inode& begin) {
    const int failed = fault_on_path(op::link, begin, path);
    return failed != 0 ? failed : files_->make_directory(begin, path, mode);
  });
}

int host::unlinkat(int at, const char* path, int flags) {
  if ((flags & ~AT_REMOVEDIR) != 0) return -EINVAL;
  return from(at, path, access::write, [&](inode& begin) {
    if (const int failed = fault_on_path(op::remove, begin, path); failed != 0) return failed;
    return (flags & AT_REMOVEDIR) != 0 ? files_->remove_directory(begin, path) : files_->remove(begin, path);
  });
}

int host::renameat2(int from_at, const char* old, int to_at, const char* to, unsigned flags) {
  return from(from_at, old, access::write, [&](inode& begin) {
    if (const int failed = fault_on_path(op::rename, begin, old); failed != 0) return failed;
    return from(to_at, to, access::write, [&](inode& other) { return files_->rename(begin, old, other, to, flags); });
  });
}

int host::linkat(int from_at, const char* old, int to_at, const char* to, int flags) {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
  return from(from_at, old, access::write, [&](inode& begin) {
    return from(to_at, to, access::write, [&](inode& other) {
      if (const int failed = fault_on_path(op::link, other, to); failed != 0) return failed;
      if (*old == '\0' && (flags & AT_EMPTY_PATH) != 0) return files_->link(begin, other, to);
      return files_->link(begin, old, other, to, (flags & AT_SYMLINK_FOLLOW) != 0);
    });
  });
}

int host::symlinkat(const char* target, int at, const char* path) {
  return from(at, path, access::write, [&](inode& begin) {
    const int failed = fault_on_path(op::link, begin, path);
    return failed != 0 ? failed : files_->make_link(target, begin, path);
  });
}

std::int64_t host::readlinkat(int at, const char* path, char* into, std::size_t size) {
  if (size == 0 || size > INT_MAX) return -EINVAL;
  return on_file(at, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, access::read, [&](inode& file) {
    if (!file.is_link()) return *path == '\0' ? -ENOENT : -EINVAL;
    const std::size_t count = std::min(size, file.target.size());
    std::memcpy(into, file.target.data(), count);
    return static_cast<int>(count);
  });
}

int host::faccessat(int at, const char* path, int mode, int flags) {
  if ((mode & ~(R_OK | W_OK | X_OK)) != 0) return -EINVAL;
  return on_file(at, path, flags, access::read, [&](inode& file) {
    if ((mode & W_OK) != 0 && file.on().read_only() && (file.is_regular() || file.is_directory())) return -EROFS;
    return files_->may(file, mode) ? 0 : -EACCES;
  });
}

int host::fchmodat(int at, const char* path, mode_t mode) {
  return on_file(at, path, 0, access::write, [&](inode& file) {
    const int failed = fault_in_memory(op::chmod, file);
    return failed != 0 ? failed : files_->set_mode(file, mode);
  });
}

int host::fchownat(int at, const char* path, uid_t user, gid_t group, int flags) {
  return on_file(at, path, flags, access::write, [&](inode& file) {
    const int failed = fault_in_memory(op::chmod, file);
    return failed != 0 ? failed : files_->set_owner(file, user, group);
  });
}

int host::utimensat(int at, const char* path, const timespec* times, int flags) {
  constexpr long second = 1'000'000'000;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
  if (times != nullptr && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return 0;
  for (int i = 0; times != nullptr && i < 2; ++i) {
    const long part = times[i].tv_nsec;
    if (part != UTIME_NOW && part != UTIME_OMIT && (part < 0 || part >= second)) return -EINVAL;
  }
  return on_file(at, path, flags, access::write, [&](inode& file) {
    const int failed = fault_in_memory(op::chmod, file);
    return failed != 0 ? failed : files_->set_times(file, times);
  });
}

int host::truncate(const char* path, std::int64_t size) {
  if (size < 0) return -EINVAL;
  return on_file(AT_FDCWD, path, 0, access::write, [&](inode& file) {
    if (const int failed = fault_on_file(op::resize, file); failed != 0) return failed;
    detail::touch(file.on().id_of(file), access::write);
    return files_->resize(file, size);
  });
}

int host::statfs(const char* path, struct statfs* into) {
  detail::touch(everything, access::write);  // of which any step may take some
  return on_file(AT_FDCWD, path, 0, access::read, [&](inode& file) {
    tell_of(file.on(), *into);
    return 0;
  });
}

int host::chdir(const char* path) {
  return on_file(AT_FDCWD, path, 0, access::write, [&](inode& file) { return files_->change_directory(file); });
}

int host::fchdir(int fd) {
  return with_disk_file(fd, -ENOTDIR, [&](disk_file& file) {
    detail::touch(names_id(), access::write);
    return files_->change_directory(file.file());
  });
}

std::int64_t host::getcwd(char* into, std::size_t size) {
  detail::touch(names_id(), access::read);
  std::string path;
  if (const int failed = files().path_of(files_->working_directory(), path); failed != 0) return failed;
  if (size <= path.size()) return -ERANGE;
  std::memcpy(into, path.c_str(), path.size() + 1);
  return static_cast<std::int64_t>(path.size() + 1);
}

mode_t host::umask(mode_t mask) {
  constexpr mode_t kept = S_IRWXU | S_IRWXG | S_IRWXO;
  detail::touch(names_id(), access::write);
  return std::exchange(files().who().umask, mask & kept);
}

// -- open files -------------------------------------------------------------------------------------------------------

int host::fstat(int fd, struct stat* into) {
  open_file* const file = table_.find(fd);
  if (file == nullptr) return -EBADF;
  if (disk_file* const found = file->as_disk_file(); found != nullptr) {
    if (const int failed = fault_on_file(op::stat, found->file()); failed != 0) return failed;
    detail::touch(found->file().on().id_of(found->file()), access::read);
    tell_of(found->file(), *into);
    return 0;
  }
  std::memset(into, 0, sizeof *into);
  const bool has_kind = file->as_watch_file() == nullptr;
  const mode_t kind = file->as_socket() != nullptr ? S_IFSOCK : S_IFIFO;
  into->st_mode = (has_kind ? kind : 0) | S_IRUSR | S_IWUSR;
  into->st_nlink = 1;
  into->st_blksize = page_bytes;
  return 0;
}

std::int64_t host::lseek(int fd, std::int64_t offset, int whence) {
  open_file* const asked = table_.find(fd);
  if (asked != nullptr && asked->as_watch_file() != nullptr) return 0;
  return with_disk_file(fd, -ESPIPE, [&](disk_file& file) { return file.seek(offset, whence); });
}

std::int64_t host::pread(int fd, void* into, std::size_t size, std::int64_t offset) {
  const iovec piece{into, size};
  return with_disk_file(fd, -ESPIPE, [&](disk_file& file) { return file.read_at(&piece, 1, offset); });
}

std::int64_t host::pwrite(int fd, const void* from, std::size_t size, std::int64_t offset) {
  const iovec piece{const_cast<void*>(from), size};
  return with_disk_file(fd, -ESPIPE, [&](disk_file& file) { return file.write_at(&piece, 1, offset); });
}

std::int64_t host::preadv(int fd, const iovec* into, int count, std::int64_t offset) {
  return with_disk_file(fd, -ESPIPE, [&](disk_file& file) { return file.read_at(into, count, offset); });
}

std::int64_t host::pwritev(int fd, const iovec* from, int count, std::int64_t offset) {
  return with_disk_file(fd, -ESPIPE, [&](disk_file& file) { return file.write_at(from, count, offset); });
}

int host::ftruncate(int fd, std::int64_t size) {
  if (size < 0) return -EINVAL;
  return with_disk_file(fd, -EINVAL, [&](disk_file& file) { return file.resize(size); });
}

int host::fallocate(int fd, int mode, std::int64_t offset, std::int64_t size) {
  open_file* const asked = table_.find(fd);
  const bool reads_only = asked != nullptr && (asked->status_flags() & O_ACCMODE) == O_RDONLY;
  return with_disk_file(fd, reads_only ? -EBADF : -ESPIPE,
                        [&](disk_file& file) { return file.allocate(mode, offset, size); });
}

std::int64_t host::getdents64(int fd, void* into, std::size_t size) {
  return with_disk_file(fd, -ENOTDIR, [&](disk_file& file) { return file.read_entries(into, size); });
}

int host::fchmod(int fd, mode_t mode) {
  return with_disk_file(fd, 0, [&](disk_file& file) {
    if ((file.status_flags() & O_PATH) != 0) return -EBADF;
    return on_file(fd, nullptr, 0, access::write, [&](inode& found) {
      const int failed = fault_in_memory(op::chmod, found);
      return failed != 0 ? failed : files_->set_mode(found, mode);
    });
  });
}

int host::fchown(int fd, uid_t user, gid_t group) {
  return with_disk_file(fd, 0, [&](disk_file& file) {
    if ((file.status_flags() & O_PATH) != 0) return -EBADF;
    return on_file(fd, nullptr, 0, access::write, [&](inode& found) {
      const int failed = fault_in_memory(op::chmod, found);
      return failed != 0 ? failed : files_->set_owner(found, user, group);
    });
  });
}

int host::fstatfs(int fd, struct statfs* into) {
  detail::touch(everything, access::write);  // of which any step may take some
  return with_disk_file(fd, 0, [&](disk_file& file) {
    tell_of(file.file().on(), *into);
    return 0;
  });
}

int host::flock(int fd, int operation) {
  const int what = operation & ~LOCK_NB;
  if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN) return -EINVAL;
  return with_disk_file(fd, 0, [&](disk_file& file) {
    const int failed = what == LOCK_UN ? 0 : fault_in_memory(op::lock, file.file());
    return failed != 0 ? failed : file.flock(operation);
  });
}

// Locks of the process go when it closes any descriptor of the file, but for one by which nothing is read.
void host::drop_locks(const file_reference& closed) noexcept {
  if (!closed || (closed->status_flags() & O_PATH) != 0) return;
  disk_file* const file = closed->as_disk_file();
  if (file == nullptr || file->file().locks.empty()) return;
  const sparing_allocations of_the_search;
  detail::touch(file->file().on().id_of(file->file()), access::write);
  file->file().locks.drop_ranges({this});
}

int host::lock(disk_file& file, int command, std::int64_t argument) {
  auto* const range = reinterpret_cast<struct flock*>(argument);
  const bool takes = command != F_GETLK && command != F_OFD_GETLK && range->l_type != F_UNLCK;
  if (const int failed = takes ? fault_in_memory(op::lock, file.file()) : 0; failed != 0) return failed;
  return file.lock(command, *range, {this, credentials().pid});
}

int host::lock_of_no_file(int command, std::int64_t argument) noexcept {
  if (command == F_GETLK || command == F_OFD_GETLK) reinterpret_cast<struct flock*>(argument)->l_type = F_UNLCK;
  return 0;
}

// -- what is to stay --------------------------------------------------------------------------------------------------

int host::sync_file(int fd, bool data_only) {
  return with_disk_file(fd, -EINVAL, [&](disk_file& file) {
    return (file.status_flags() & O_PATH) != 0 ? -EBADF : sync_file(file, data_only);
  });
}

int host::sync_file(disk_file& file, bool data_only) {
  inode& synced = file.file();
  detail::touch(synced.on().id_of(synced), access::write);
  disk_syncs(synced);
  if (has_faults_on(op::sync)) [[unlikely]] {
    const fault_effect due = disk_fault(op::sync, synced);
    if (due.what == fault_effect::kind::lie) return 0;
    if (due.error == EINTR) return -EINTR;
    if (due.error != 0) synced.on().fail_to_write_back(synced, due.error);
  }
  if (const int failed = file.take_error(); failed != 0) return -failed;
  return synced.on().sync(synced, data_only);
}

void host::locked_at(int fd, const source& where) noexcept {
  open_file* const file = table_.find(fd);
  if (disk_file* const locked = file != nullptr ? file->as_disk_file() : nullptr) locked->set_locked_at(where);
}

int host::fsync(int fd) { return sync_file(fd, false); }

int host::fdatasync(int fd) { return sync_file(fd, true); }

int host::syncfs(int fd) {
  return with_disk_file(fd, 0, [&](disk_file& file) {
    if ((file.status_flags() & O_PATH) != 0) return -EBADF;
    sync_disk(file.file().on());
    return -file.take_error_of_disk();
  });
}

void host::sync() {
  if (limit_of_life_ != 0) [[unlikely]]
    return;
  for (file_system* const each : files().disks()) sync_disk(*each);
}

// A fault is of the disk, which keeps nothing then, or of files that have something to write, which are left out.
void host::sync_disk(file_system& disk) {
  detail::touch(names_id(), access::write);
  disk_syncs(disk);
  if (!has_faults_on(op::sync)) [[likely]]
    return disk.sync_all();
  const std::vector<inode_reference> unwritten = disk.unwritten();
  attempted_call call{op::sync, *this};
  call.of_disk = true;
  call.name = files_->path_of(disk);
  const fault_effect of_all = disk_fault(call);
  if (of_all.error != 0) {
    for (const inode_reference& each : unwritten) disk.fail_to_write_back(*each, of_all.error);
    disk.errors().set(of_all.error);
  }
  if (of_all.error != 0 || of_all.what == fault_effect::kind::lie) return;
  call.of_disk = false;
  call.of_its_files = true;
  std::set<std::uint64_t> left_out;
  for (const inode_reference& each : unwritten) {
    const fault_effect due = disk_fault(call, *each);
    if (due.error != 0) disk.fail_to_write_back(*each, due.error);
    if (due.error != 0 || due.what == fault_effect::kind::lie) left_out.insert(each->number());
  }
  disk.sync_all(left_out);
}

int host::sync_file_range(int fd, std::int64_t offset, std::int64_t size, unsigned flags) {
  constexpr unsigned known = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  return with_disk_file(fd, -ESPIPE, [&](disk_file& file) {
    if ((file.status_flags() & O_PATH) != 0) return -EBADF;
    return (flags & ~known) != 0 || offset < 0 || size < 0 || offset + size < offset ? -EINVAL : 0;
  });
}

// -- changes of files -------------------------------------------------------------------------------------------------

int host::inotify_init1(int flags) {
  if ((flags & ~(IN_CLOEXEC | IN_NONBLOCK)) != 0) return -EINVAL;
  if (const int none = table_.lacks_room(); none != 0) return none;
  detail::touch(id_, access::read);
  const file_reference made =
      new watch_file(network_->owner().identity_of_new(), O_RDONLY | ((flags & IN_NONBLOCK) != 0 ? O_NONBLOCK : 0),
                     queued_events_max_);
  return table_.add(made, (flags & IN_CLOEXEC) != 0);
}

int host::inotify_add_watch(int fd, const char* path, std::uint32_t events) {
  open_file* const file = table_.find(fd);
  if (file == nullptr) return -EBADF;
  watch_file* const watches = file->as_watch_file();
  if (watches == nullptr || (events & IN_ALL_EVENTS) == 0) return -EINVAL;
  if ((events & IN_MASK_ADD) != 0 && (events & IN_MASK_CREATE) != 0) return -EINVAL;
  const int flags = (events & IN_DONT_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
  return on_file(AT_FDCWD, path, flags, access::write, [&](inode& found) {
    if ((events & IN_ONLYDIR) != 0 && !found.is_directory()) return -ENOTDIR;
    if (!files_->may(found, R_OK)) return -EACCES;
    const int failed = fault_in_memory(op::watch, found);
    return failed != 0 ? failed : watches->add(found, events);
  });
}

int host::inotify_rm_watch(int fd, int watch) {
  open_file* const file = table_.find(fd);
  if (file == nullptr) return -EBADF;
  watch_file* const watches = file->as_watch_file();
  return watches == nullptr ? -EINVAL : watches->remove(watch);
}

}  // namespace lockstep::sim
