// file: a file that is open, which tasks read and write.
//
//   file log = co_await open("/var/log/app.log", {.write = true, .append = true, .create = true});
//   co_await log.write("started\n");
//   co_await log.sync();
//
// They are files of the system of the task that opens them: of the host of a simulation, or of the machine. There a
// thread of the loop's default executor makes the call; in a simulation it is made at once, and takes virtual time.
//
// Every await is a cancel point before its call, and other tasks may run first. A cancellation that comes after the
// call cannot undo what was written or changed. It is delivered at once in the time that a simulated disk takes, and at
// the next await while a thread makes the call. No byte is lost: what was read at the position for a task that does not
// see it is read again by the next. A select() or a timeout that gives up a call which a thread has begun waits for it,
// and blocks the loop.
// Two tasks may use one file. Calls that use its position take turns, in the order of their awaits, so that each has
// its bytes in one piece; which task comes first is theirs to settle.
// `co_await as_result(...)` returns what otherwise is thrown.
// Errors are std::system_error of std::system_category(), whose text names the deed and the path: `read "/etc/x": Is a
// directory`. After close() all fails with EBADF. To use a file that was moved from is misuse, and so is one that dies
// while a task waits for it.
// Lifetime: buffers must outlive the await. Threads: those of the run in which it was opened.
// Source: open(2), and the manual page of each call.
#pragma once

#include <lockstep/fs/file_lock.hpp>
#include <lockstep/fs/file_operations.hpp>
#include <lockstep/fs/file_status.hpp>
#include <lockstep/fs/path_call.hpp>
#include <lockstep/runtime/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

// How to open. Source: open(2).
struct open_options {
  // Also if it is to be neither written nor appended to.
  bool read = false;
  bool write = false;
  // To be written, each piece at the end, whatever the position.
  bool append = false;
  // Make it if there is none.
  bool create = false;
  // With `create`: it must not be there; EEXIST otherwise.
  bool exclusive = false;
  // What is in it goes. Only with `write`; EINVAL otherwise.
  bool truncate = false;
  // It must be a directory; ENOTDIR otherwise.
  bool directory = false;
  // The last part of the path is no link; ELOOP otherwise.
  bool no_follow = false;
  // Each write is on the disk when it returns; with `sync_data` without what nobody needs to read it, as its times.
  bool sync = false;
  bool sync_data = false;
  // Past the memory of the system: in whole units of the disk, from memory that is aligned to them; EINVAL otherwise.
  bool direct = false;
  // Of one that is made, less those of the process's umask.
  file_permissions permissions = 0666;

  // O_CREAT and so on, as open(2) takes them; -1 for a combination that makes no sense.
  int flags() const noexcept;
};

namespace detail {

// What owns an open file: file, directory.
class file_owner {
 public:
  bool is_open() const noexcept { return held_ != nullptr && held_->fd() >= 0; }
  // For calls that this class has no name for; -1 if it is closed.
  int fd() const noexcept { return held_ != nullptr ? held_->fd() : -1; }
  // As it was opened.
  std::string_view path() const noexcept { return held_ != nullptr ? held_->path() : std::string_view(); }

 protected:
  explicit file_owner(std::unique_ptr<held_file> held) noexcept : held_(std::move(held)) {}
  ~file_owner() = default;
  file_owner(file_owner&&) noexcept = default;
  file_owner& operator=(file_owner&&) noexcept = default;

  // It is about to be awaited at that line.
  held_file& awaited(const char* deed, const source& where) const {
    if (held_ == nullptr) [[unlikely]]
      refuse_moved(deed, where);
    held_->begin(deed, where);
    return *held_;
  }

 private:
  [[noreturn]] static void refuse_moved(const char* deed, const source& where);

  std::unique_ptr<held_file> held_;
};

// Larger ones do not exist, and Linux says so.
constexpr std::int64_t offset_of(std::uint64_t offset) noexcept {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(offset, largest));
}

class opening_file;

}  // namespace detail

enum class lock_kind : std::uint8_t { exclusive, shared };
enum class seek_from : std::uint8_t { begin, position, end };

// Closes itself when it dies, and then nobody is told of an error. What was written need not be on the disk before
// sync() has returned.
class [[nodiscard("a file that nobody keeps is closed at once")]] file : public detail::file_owner {
 public:
  // Takes over a descriptor of the running task's system; `path` is what reports call it.
  static file adopt(int fd, std::string path, source where = source::current());

  // -- at an offset -----------------------------------------------------------------------------------------------

  // What one call reads from there, up to the size of the buffer; 0 at the end of the file.
  // Source: pread(2).
  LOCKSTEP_AWAIT_IT detail::reading_file read_at(std::span<std::byte> into, std::uint64_t offset,
                                                 source where = source::current()) {
    return {awaited("was read", where), into, detail::offset_of(offset)};
  }
  LOCKSTEP_AWAIT_IT detail::reading_file read_at(std::span<char> into, std::uint64_t offset,
                                                 source where = source::current()) {
    return read_at(std::as_writable_bytes(into), offset, where);
  }
  // Fills the buffer. Errors: incomplete_read, if the file ends before that; those of pread(2).
  LOCKSTEP_AWAIT_IT detail::reading_all_of_file read_exactly_at(std::span<std::byte> into, std::uint64_t offset,
                                                                source where = source::current()) {
    return {awaited("was read", where), into, detail::offset_of(offset)};
  }
  LOCKSTEP_AWAIT_IT detail::reading_all_of_file read_exactly_at(std::span<char> into, std::uint64_t offset,
                                                                source where = source::current()) {
    return read_exactly_at(std::as_writable_bytes(into), offset, where);
  }
  // Writes all of it there; with `append`, at the end. If it fails, some of it may have been written.
  // Errors: ENOSPC, EDQUOT, EFBIG, EIO.
  // Source: pwrite(2).
  LOCKSTEP_AWAIT_IT detail::writing_file write_at(std::span<const std::byte> from, std::uint64_t offset,
                                                  source where = source::current()) {
    return {awaited("was written", where), from, detail::offset_of(offset)};
  }
  LOCKSTEP_AWAIT_IT detail::writing_file write_at(std::string_view from, std::uint64_t offset,
                                                  source where = source::current()) {
    return write_at(std::as_bytes(std::span(from)), offset, where);
  }

  // -- at the position --------------------------------------------------------------------------------------------

  // What one call reads, up to the size of the buffer; 0 at the end of the file. So a reader can read from it.
  LOCKSTEP_AWAIT_IT detail::reading_file read_some(std::span<std::byte> into, source where = source::current()) {
    return {awaited("was read", where), into};
  }
  LOCKSTEP_AWAIT_IT detail::reading_file read_some(std::span<char> into, source where = source::current()) {
    return read_some(std::as_writable_bytes(into), where);
  }
  // Fills the buffer. Errors: incomplete_read, if the file ends before that: what there was is in the buffer; those of
  // read(2): the position is where it was.
  LOCKSTEP_AWAIT_IT detail::reading_all_of_file read_exactly(std::span<std::byte> into,
                                                             source where = source::current()) {
    return {awaited("was read", where), into};
  }
  LOCKSTEP_AWAIT_IT detail::reading_all_of_file read_exactly(std::span<char> into, source where = source::current()) {
    return read_exactly(std::as_writable_bytes(into), where);
  }
  // What one call writes: how many bytes, the first ones.
  LOCKSTEP_AWAIT_IT detail::writing_some_of_file write_some(std::span<const std::byte> from,
                                                            source where = source::current()) {
    return {awaited("was written", where), from};
  }
  LOCKSTEP_AWAIT_IT detail::writing_some_of_file write_some(std::string_view from, source where = source::current()) {
    return write_some(std::as_bytes(std::span(from)), where);
  }
  // All of it. If it fails, some of it may have been written: the position tells.
  LOCKSTEP_AWAIT_IT detail::writing_file write(std::span<const std::byte> from, source where = source::current()) {
    return {awaited("was written", where), from};
  }
  LOCKSTEP_AWAIT_IT detail::writing_file write(std::string_view from, source where = source::current()) {
    return write(std::as_bytes(std::span(from)), where);
  }
  // All of it at the end of the file, and the position stays. Among others who write to it, only a file that was opened
  // with `append` is sure to find the end.
  LOCKSTEP_AWAIT_IT detail::appending_to_file append(std::span<const std::byte> from,
                                                     source where = source::current()) {
    return {awaited("was written", where), from};
  }
  LOCKSTEP_AWAIT_IT detail::appending_to_file append(std::string_view from, source where = source::current()) {
    return append(std::as_bytes(std::span(from)), where);
  }
  // Moves the position, also behind the end, and returns it. Errors: EINVAL, before the begin.
  // Source: lseek(2).
  LOCKSTEP_AWAIT_IT detail::seeking_in_file seek(std::int64_t offset, seek_from from = seek_from::begin,
                                                 source where = source::current());
  LOCKSTEP_AWAIT_IT detail::seeking_in_file tell(source where = source::current()) {
    return seek(0, seek_from::position, where);
  }

  // -- what it is -------------------------------------------------------------------------------------------------

  LOCKSTEP_AWAIT_IT detail::size_of_file size(source where = source::current()) {
    return detail::size_of_file(awaited("was asked for its size", where));
  }
  LOCKSTEP_AWAIT_IT detail::status_of_file status(source where = source::current()) {
    return detail::status_of_file(awaited("was asked for its status", where));
  }
  // The new end reads as zeros. Errors: EINVAL, if it is not open to be written.
  LOCKSTEP_AWAIT_IT detail::changing_file truncate(std::uint64_t size_bytes, source where = source::current());
  // Sees to it that there is room on the disk for so many bytes from there; the file grows to hold them.
  // Errors: ENOSPC; EOPNOTSUPP, where the file system cannot.
  // Source: fallocate(2).
  LOCKSTEP_AWAIT_IT detail::changing_file allocate(std::uint64_t offset, std::uint64_t size_bytes,
                                                   source where = source::current());
  LOCKSTEP_AWAIT_IT detail::changing_file set_permissions(file_permissions permissions,
                                                          source where = source::current());

  // -- what is to stay --------------------------------------------------------------------------------------------

  // Returns when what was written is on the disk: with sync_data() as much of what is known of the file as is needed to
  // read it. The name of a new file is its directory's to sync. After an error what was written may be lost, and
  // another call does not say so again. Of nothing it is known that it is on the disk before that, and where the disk
  // is simulated, a sync that is cancelled has not happened. Errors: EIO, ENOSPC. Source: fsync(2).
  LOCKSTEP_AWAIT_IT detail::changing_file sync(source where = source::current());
  LOCKSTEP_AWAIT_IT detail::changing_file sync_data(source where = source::current());
  // Closes it, and tells of an error, which can be one of an earlier write. It is closed then all the same. Calls that
  // threads are making and syncs end first, and cancelled before that the file stays open.
  LOCKSTEP_AWAIT_IT detail::closing_file close(source where = source::current()) {
    return detail::closing_file(awaited("was closed", where));
  }

  // -- locks ------------------------------------------------------------------------------------------------------

  // Waits until nobody who has opened the file by himself holds a lock that excludes this one. Such locks bind only who
  // asks for them. A file has one lock; another takes its place, and empties the first. As Linux does not tell when one
  // ends, it asks again after 1 ms, and then after twice as long each time, up to 100 ms: who waits longest need not be
  // the first.
  // Requires that the file lives, where it is, until this has ended.
  // Source: flock(2).
  task<file_lock> lock(lock_kind kind = lock_kind::exclusive, source where = source::current());
  // The same without waiting: an empty one if it is not to be had.
  task<file_lock> try_lock(lock_kind kind = lock_kind::exclusive, source where = source::current());

 private:
  friend class detail::opening_file;
  using file_owner::file_owner;
};

// Opens it. A cancelled one leaves no descriptor open, but a file that it has made is there.
// Errors: ENOENT, EACCES, EEXIST, EISDIR, ENOTDIR, ELOOP, EMFILE; EINVAL for options that make no sense.
LOCKSTEP_AWAIT_IT detail::opening_file open(std::string path, const open_options& how = {},
                                            source where = source::current());

namespace detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class opening_file final : public primitive<opening_file, opening_path> {
 public:
  // In that directory, or null for the working directory.
  opening_file(held_file* at, std::string path, const open_options& how, const source& where)
      : primitive(at, std::move(path), how.flags(), how.permissions, where) {}
  // The same with the flags of open(2).
  opening_file(held_file* at, std::string path, int flags, file_permissions permissions, const source& where)
      : primitive(at, std::move(path), flags, permissions, where) {}
  file result() { return file(opened("file")); }
};

#pragma GCC diagnostic pop

}  // namespace detail

}  // namespace lockstep
