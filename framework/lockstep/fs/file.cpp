#include <lockstep/fs/file.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/system/current.hpp>

#include <fmt/format.h>

#include <sys/file.h>
#include <unistd.h>

#include <chrono>

namespace lockstep {

using detail::held_file;

int open_options::flags() const noexcept {
  const bool writes = write || append;
  if ((exclusive && !create) || (truncate && !write) || (directory && (writes || create))) return -1;
  int flags = O_CLOEXEC;
  flags |= !writes ? O_RDONLY : read ? O_RDWR : O_WRONLY;
  if (append) flags |= O_APPEND;
  if (create) flags |= O_CREAT;
  if (exclusive) flags |= O_EXCL;
  if (truncate) flags |= O_TRUNC;
  if (directory) flags |= O_DIRECTORY;
  if (no_follow) flags |= O_NOFOLLOW;
  if (sync) flags |= O_SYNC;
  if (sync_data) flags |= O_DSYNC;
  if (direct) flags |= O_DIRECT;
  return flags;
}

void detail::file_owner::refuse_moved(const char* deed, const source& where) {
  const std::string text = fmt::format("a file that was moved from {}", deed);
  if (current_context == nullptr) throw misuse(text);
  current_context->owner->misused(text, where);
}

file file::adopt(int fd, std::string path, source where) {
  auto held = std::make_unique<held_file>("file", std::move(path), current_system(where).shared_from_this());
  held->hold(fd, where);
  return file(std::move(held));
}

detail::opening_file open(std::string path, const open_options& how, source where) {
  return {nullptr, std::move(path), how, where};
}

// -- calls ------------------------------------------------------------------------------------------------------------

detail::seeking_in_file file::seek(std::int64_t offset, seek_from from, source where) {
  constexpr int whence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  return {awaited("was moved", where), offset, whence[static_cast<unsigned>(from)]};
}

detail::changing_file file::truncate(std::uint64_t size_bytes, source where) {
  return {operation_kind::write_file, awaited("was truncated", where), "truncate",
          [](system_calls& system, int fd, std::int64_t size, std::int64_t) -> std::int64_t {
            return system.ftruncate(fd, size);
          },
          detail::offset_of(size_bytes)};
}

detail::changing_file file::allocate(std::uint64_t offset, std::uint64_t size_bytes, source where) {
  return {operation_kind::write_file,
          awaited("was allocated", where),
          "allocate",
          [](system_calls& system, int fd, std::int64_t from, std::int64_t size) -> std::int64_t {
            return system.fallocate(fd, 0, from, size);
          },
          detail::offset_of(offset),
          detail::offset_of(size_bytes)};
}

detail::changing_file file::set_permissions(file_permissions permissions, source where) {
  return {operation_kind::use_file, awaited("was given permissions", where), "permissions of",
          [](system_calls& system, int fd, std::int64_t mode, std::int64_t) -> std::int64_t {
            return system.fchmod(fd, static_cast<mode_t>(mode));
          },
          permissions};
}

detail::changing_file file::sync(source where) {
  return {operation_kind::sync_file, awaited("was synced", where), "sync",
          [](system_calls& system, int fd, std::int64_t, std::int64_t) -> std::int64_t { return system.fsync(fd); }};
}

detail::changing_file file::sync_data(source where) {
  return {
      operation_kind::sync_file, awaited("was synced", where), "sync",
      [](system_calls& system, int fd, std::int64_t, std::int64_t) -> std::int64_t { return system.fdatasync(fd); }};
}

// -- locks ------------------------------------------------------------------------------------------------------------

namespace {

constexpr int operation_of(lock_kind kind) noexcept { return kind == lock_kind::exclusive ? LOCK_EX : LOCK_SH; }

constexpr duration first_pause = std::chrono::milliseconds(1);
constexpr duration longest_pause = std::chrono::milliseconds(100);

}  // namespace

// Between what the attempt returns and the lock that holds it is no await.
task<file_lock> file::try_lock(lock_kind kind, source where) {
  held_file& locked = awaited("was locked", where);
  const bool succeeded = co_await detail::trying_to_lock_file(locked, operation_of(kind));
  if (!succeeded) co_return file_lock();
  locked.calls().locked_at(locked.fd(), where);
  co_return file_lock(locked);
}

task<file_lock> file::lock(lock_kind kind, source where) {
  held_file& locked = awaited("was locked", where);
  for (duration pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
    const bool succeeded = co_await detail::trying_to_lock_file(locked, operation_of(kind));
    if (succeeded) break;
    co_await sleep_for(pause);
  }
  locked.calls().locked_at(locked.fd(), where);
  co_return file_lock(locked);
}

}  // namespace lockstep
