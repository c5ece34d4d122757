#include <lockstep/sim/disk_file.hpp>

#include <lockstep/runtime/agent.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/frame.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/file_watch.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <vector>

namespace lockstep::sim {

namespace {

constexpr std::size_t call_bytes_max = 0x7ffff000;  // of one call: MAX_RW_COUNT

}  // namespace

disk_file::disk_file(host& of, identity id, inode_reference file, int flags, const told_name& by)
    : open_file(id, flags), host_(of), file_(std::move(file)), name_(std::in_place, *file_, by),
      heard_of_file_(file_->errors.now()), heard_of_disk_(file_->on().errors().now()) {
  if (of.has_faults_on(op::sync) || of.has_faults_on(op::file_write)) [[unlikely]]
    detail::touch(file_->on().id_of(*file_), access::read);  // of its errors
  if ((flags & O_PATH) != 0) return;
  const telling_by own(*file_, told());
  tell(*file_, IN_OPEN);
}

bool disk_file::readable() const noexcept {
  const int mode = status_flags() & O_ACCMODE;
  return (status_flags() & O_PATH) == 0 && (mode == O_RDONLY || mode == O_RDWR);
}
bool disk_file::writable() const noexcept {
  const int mode = status_flags() & O_ACCMODE;
  return (status_flags() & O_PATH) == 0 && (mode == O_WRONLY || mode == O_RDWR);
}

void disk_file::closed() noexcept {
  if (!file_->locks.empty()) {
    const sparing_allocations of_the_search;
    detail::touch(file_->on().id_of(*file_), access::write);
    const file_locks::owner own{this};
    file_->locks.drop_flock(own);
    file_->locks.drop_ranges(own);
  }
  if (reading_) file_->entries.end_reading();
  if ((status_flags() & O_PATH) == 0) {
    const telling_by name(*file_, told());
    tell(*file_, writable() ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
  }
  name_.reset();
}

unsigned disk_file::ready() const noexcept { return POLLIN | POLLOUT; }

std::string disk_file::described() const {
  return fmt::format("{} {}", file_->is_directory() ? "directory" : "file", host_.files().text_of(*file_));
}

std::string disk_file::text_of_held() const { return file_->locks.text_of(this); }

lock_origin disk_file::origin_here() const noexcept {
  const agent* const who = detail::current_context == nullptr ? nullptr : detail::current_context->running;
  if (who == nullptr || who->stands_at() == nullptr) return {this};
  return {this, who->stands_at()->where};
}

void disk_file::set_locked_at(const source& where) noexcept { file_->locks.flock_taken_at({this}, where); }

// -- reading and writing ----------------------------------------------------------------------------------------------

int disk_file::check_pieces(op what, const iovec* pieces, int count, std::uint64_t offset,
                            std::size_t& size) const noexcept {
  if (count < 0 || count > IOV_MAX) return -EINVAL;
  size = 0;
  for (int i = 0; i < count; ++i) {
    if (pieces[i].iov_len > std::size_t{SSIZE_MAX} - size) return -EINVAL;
    size += pieces[i].iov_len;
  }
  // What is behind the end is not read, so nobody asks how it is aligned.
  const bool transfers = what == op::file_write || offset < file_->content.size();
  if ((status_flags() & O_DIRECT) != 0 && transfers) {
    const std::uint64_t unit = file_->on().limits().direct_unit_bytes;
    const auto is_aligned = [unit](const iovec& piece) {
      return piece.iov_len % unit == 0 && reinterpret_cast<std::uintptr_t>(piece.iov_base) % unit == 0;
    };
    if (!std::all_of(pieces, pieces + count, is_aligned) || (size != 0 && offset % unit != 0)) return -EINVAL;
  }
  if (offset + size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return -EINVAL;
  size = std::min(size, call_bytes_max);
  return 0;
}

fault_effect disk_file::begin(op what, std::uint64_t offset, std::size_t& size) {
  host_.disk_transfers(what, *this, offset, size);
  if (!host_.has_faults_on(what)) [[likely]]
    return {};
  const fault_effect due = host_.disk_fault(what, *file_, offset, size, file_->content.size());
  if (due.what == fault_effect::kind::shorten)
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, due.bytes));
  if (due.what == fault_effect::kind::bit_rot || due.what == fault_effect::kind::latent_error) spoil(due, offset, size);
  return due;
}

std::int64_t disk_file::read_now(const iovec* into, int count, std::uint64_t offset) {
  if (!readable()) return -EBADF;
  std::size_t size = 0;
  if (const int refused = check_pieces(op::file_read, into, count, offset, size); refused != 0) return refused;
  if (file_->is_directory()) return -EISDIR;
  if (file_->is_fixture) file_->on().need_content(*file_);
  if (const fault_effect due = begin(op::file_read, offset, size); due.error != 0) return -due.error;
  detail::touch(file_->on().id_of(*file_), access::read);
  const bad_sectors& bad = file_->on().bad();
  if (!bad.empty()) [[unlikely]] {
    const std::size_t wanted = std::exchange(size, bad.readable(*file_, size, offset));
    if (size == 0 && wanted != 0 && offset < file_->content.size()) return -EIO;
  }
  const telling_by own(*file_, told());
  std::size_t done = 0;
  for (int i = 0; i < count && done < size; ++i) {
    const std::size_t wanted = std::min(into[i].iov_len, size - done);
    const std::size_t got = file_->content.read(into[i].iov_base, wanted, offset + done);
    if (!bad.empty()) [[unlikely]]
      bad.show(file_->number(), static_cast<std::byte*>(into[i].iov_base), got, offset + done);
    done += got;
    if (got < wanted) break;
  }
  if (done != 0 || count != 1) tell(*file_, IN_ACCESS);  // readv() tells of nothing, too
  return static_cast<std::int64_t>(done);
}

// What is written to a file that is open for that is on the disk when the call returns.
std::int64_t disk_file::write_now(const iovec* from, int count, std::uint64_t offset) {
  const std::int64_t done = write_to_memory(from, count, offset);
  if (done <= 0 || (status_flags() & O_DSYNC) == 0) [[likely]]
    return done;
  const int failed = host_.sync_file(*this, (status_flags() & O_SYNC) != O_SYNC);
  return failed != 0 ? failed : done;
}

std::int64_t disk_file::write_to_memory(const iovec* from, int count, std::uint64_t offset) {
  if (!writable()) return -EBADF;
  std::size_t size = 0;
  if (const int refused = check_pieces(op::file_write, from, count, offset, size); refused != 0) return refused;
  if (file_->on().read_only() && size != 0) return -EROFS;
  const fault_effect due = begin(op::file_write, offset, size);
  if (due.error != 0) return -due.error;
  detail::touch(file_->on().id_of(*file_), access::write);
  if (!file_->on().bad().empty()) [[unlikely]] {
    const std::size_t wanted = std::exchange(size, file_->on().bad().writable(*file_, size, offset));
    if (size == 0 && wanted != 0) return -EIO;
  }
  const telling_by own(*file_, told());
  if (due.what == fault_effect::kind::misdirect && size != 0) {
    return write_elsewhere(pieces(from, count), offset, size, due);
  }
  std::size_t done = 0;
  for (int i = 0; i < count && done < size; ++i) {
    const std::size_t wanted = std::min(from[i].iov_len, size - done);
    std::int64_t got = -ENOMEM;
    try {
      got = file_->on().write(*file_, from[i].iov_base, wanted, offset + done);
    } catch (const std::bad_alloc&) {
      if (done == 0) throw;
    }
    if (got < 0 && done == 0) return got;
    if (got < 0) break;
    done += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < wanted) break;
  }
  if (done != 0 && (file_->attributes.mode & (S_ISUID | S_ISGID)) != 0) host_.files().drop_set_bits(*file_);
  if (due.what == fault_effect::kind::fail_later) file_->on().fail_to_write_back(*file_, due.late_error);
  return static_cast<std::int64_t>(done);
}

// -- faults of the medium ---------------------------------------------------------------------------------------------

void disk_file::note(const std::string& text) {
  host_.of().owner().note("disk", fmt::format("\"{}\": {}", host_.name(), text));
}

// A sector of those that are to be read goes bad. Requires that there is one.
void disk_file::spoil(const fault_effect& by, std::uint64_t offset, std::size_t size) {
  const sparing_allocations of_the_fault;
  const std::uint64_t begin = std::max(offset, by.begin);
  const std::uint64_t end = std::min({offset + size, by.end, file_->content.size()});
  const std::uint64_t first = begin / page_bytes;
  const std::uint64_t count = (end - 1) / page_bytes - first + 1;
  const std::uint64_t sector = first + (count > 1 ? host_.of().owner().pick("sector that goes bad", count) : 0);
  detail::touch(file_->on().id_of(*file_), access::write);
  const std::string path = host_.files().text_of(*file_);
  if (by.what == fault_effect::kind::latent_error) {
    file_->on().fail_to_read(*file_, sector);
    note(fmt::format("{} cannot be read at {}", path, sector * page_bytes));
  } else if (const auto at = file_->on().rot(*file_, sector); at) {
    note(fmt::format("a bit of {} is wrong at {}", path, *at));
  }
}

// The first sector of a place for so many, which is none of those from `sector` on; that itself if there is none. There
// is room for `length` of them.
std::uint64_t disk_file::another_place(std::uint64_t sector, std::uint64_t sectors, std::uint64_t& length) {
  const std::uint64_t all = (file_->content.size() + page_bytes - 1) / page_bytes;
  const std::uint64_t behind = all - (sector + sectors);
  const std::uint64_t before = sector >= sectors ? sector - sectors + 1 : std::min<std::uint64_t>(sector, 1);
  if (behind + before == 0) return sector;
  const std::uint64_t picked = behind + before > 1 ? host_.of().owner().pick("place of a write", behind + before) : 0;
  const std::uint64_t place = picked < behind ? sector + sectors + picked : picked - behind;
  length = std::min(sectors, (place < sector ? sector : all) - place);
  return place;
}

// As long as the file is to be it becomes; the sectors that were to be written stay as they are.
std::int64_t disk_file::write_elsewhere(pieces from, std::uint64_t offset, std::size_t size, const fault_effect& by) {
  const sparing_allocations of_the_fault;
  file_system& on = file_->on();
  if (offset + size > file_->content.size()) {
    if (const int failed = on.resize(*file_, offset + size); failed != 0) return failed;
  }
  const std::uint64_t first = offset / page_bytes;
  const std::uint64_t sectors = (offset + size - 1) / page_bytes - first + 1;
  std::vector<std::byte> bytes(static_cast<std::size_t>(sectors * page_bytes));
  const std::size_t there = file_->content.read(bytes.data(), bytes.size(), first * page_bytes);
  on.bad().show(file_->number(), bytes.data(), there, first * page_bytes);
  std::size_t done = static_cast<std::size_t>(offset % page_bytes);
  from.take(size, [&](std::span<const std::byte> part) {
    std::memcpy(bytes.data() + done, part.data(), part.size());
    done += part.size();
  });
  std::uint64_t length = sectors;
  const bool is_picked = by.bytes == fault_effect::anywhere;
  const std::uint64_t place = is_picked ? another_place(first, sectors, length) : by.bytes / page_bytes;
  if (place < first) length = std::min(length, first - place);
  if (!is_picked && place >= first && place < first + sectors) {
    host_.of().owner().report_misuse(
        fmt::format("a write of {} bytes at {} cannot be misdirected to {}, as that is in a sector of its own", size,
                    offset, by.bytes),
        by.where);
    length = 0;
  }
  const std::uint64_t end = std::min((place + length) * page_bytes, file_->content.size());
  const std::string path = host_.files().text_of(*file_);
  if (place == first || length == 0 || place * page_bytes >= end) {
    note(fmt::format("what was for {} of {} is written to no place of it", first * page_bytes, path));
    return static_cast<std::int64_t>(size);
  }
  note(fmt::format("what was for {} of {} is written to {}", first * page_bytes, path, place * page_bytes));
  const std::int64_t written_there =
      on.write(*file_, bytes.data(), static_cast<std::size_t>(end - place * page_bytes), place * page_bytes);
  return written_there < 0 ? written_there : static_cast<std::int64_t>(size);
}

// -- calls ------------------------------------------------------------------------------------------------------------

std::int64_t disk_file::read_at(const iovec* into, int count, std::int64_t offset) {
  if (offset < 0) return -EINVAL;
  return read_now(into, count, static_cast<std::uint64_t>(offset));
}

std::int64_t disk_file::write_at(const iovec* from, int count, std::int64_t offset) {
  if (offset < 0) return -EINVAL;
  detail::touch(id(), access::read);  // of its flags
  const bool appends = (status_flags() & O_APPEND) != 0;
  return write_now(from, count, appends ? file_->content.size() : static_cast<std::uint64_t>(offset));
}

std::int64_t disk_file::read(const iovec* into, int count) {
  // At the end of a directory, that of ext4 is as large as can be.
  constexpr std::uint64_t last = std::numeric_limits<std::int64_t>::max();
  detail::touch(id(), access::write);  // of its offset
  const std::int64_t got = read_now(into, count, at_end_ ? last : offset_);
  if (got > 0) offset_ += static_cast<std::uint64_t>(got);
  return got;
}

std::int64_t disk_file::write(const iovec* from, int count) {
  detail::touch(id(), access::write);
  const std::uint64_t at = (status_flags() & O_APPEND) != 0 ? file_->content.size() : offset_;
  const std::int64_t got = write_now(from, count, at);
  if (got > 0) offset_ = at + static_cast<std::uint64_t>(got);
  return got;
}

std::int64_t disk_file::seek(std::int64_t offset, int whence) {
  if ((status_flags() & O_PATH) != 0) return -EBADF;
  if (file_->is_fixture) file_->on().need_content(*file_);
  detail::touch(id(), access::write);
  detail::touch(file_->on().id_of(*file_), access::read);
  const auto size = static_cast<std::int64_t>(file_->content.size());
  std::int64_t to = offset;
  switch (whence) {
    case SEEK_SET: break;
    case SEEK_CUR:
    case SEEK_END: {
      const std::int64_t from = whence == SEEK_END ? size : static_cast<std::int64_t>(offset_);
      if (offset > std::numeric_limits<std::int64_t>::max() - from) return -EINVAL;
      to = from + offset;
      break;
    }
    case SEEK_DATA:
    case SEEK_HOLE: {
      if (offset < 0 || offset >= size) return -ENXIO;
      const auto from = static_cast<std::uint64_t>(offset);
      const page_reference& zero = file_->on().zero_page();
      to = static_cast<std::int64_t>(whence == SEEK_DATA ? file_->content.next_data(zero, from)
                                                         : file_->content.next_hole(zero, from));
      if (whence == SEEK_DATA && to >= size) return -ENXIO;
      break;
    }
    default: return -EINVAL;
  }
  const auto most = static_cast<std::int64_t>(file_->on().limits().file_bytes_max);
  if (to < 0 || (!file_->is_directory() && to > most)) return -EINVAL;
  if (file_->is_directory() && reading_ && to == 0) {
    file_->entries.end_reading();
    reading_ = false;
  }
  at_end_ = at_end_ && offset_ == static_cast<std::uint64_t>(to);
  offset_ = static_cast<std::uint64_t>(to);
  return to;
}

int disk_file::resize(std::int64_t size) {
  if ((status_flags() & O_PATH) != 0) return -EBADF;
  if (!writable() || size < 0 || !file_->is_regular()) return -EINVAL;
  if (file_->on().read_only()) return -EROFS;
  if (const int failed = host_.fault_on_file(op::resize, *file_); failed != 0) return failed;
  detail::touch(file_->on().id_of(*file_), access::write);
  told_name name = told();
  name.by_open_file = false;  // as if by a path
  const telling_by own(*file_, name);
  const int failed = file_->on().resize(*file_, static_cast<std::uint64_t>(size));
  if (failed == 0) host_.files().drop_set_bits(*file_);
  return failed;
}

int disk_file::allocate(int mode, std::int64_t offset, std::int64_t size) {
  if ((status_flags() & O_PATH) != 0) return -EBADF;
  constexpr int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
  if (offset < 0 || size <= 0) return -EINVAL;
  if ((mode & ~known) != 0) return -EOPNOTSUPP;
  if ((mode & FALLOC_FL_PUNCH_HOLE) != 0 && (mode & FALLOC_FL_ZERO_RANGE) != 0) return -EOPNOTSUPP;
  if ((mode & FALLOC_FL_PUNCH_HOLE) != 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0) return -EOPNOTSUPP;
  if (!writable()) return -EBADF;
  if (file_->is_directory()) return -EISDIR;
  if (!file_->is_regular()) return -ENODEV;
  if (offset > std::numeric_limits<std::int64_t>::max() - size) return -EFBIG;
  if (file_->on().read_only()) return -EROFS;
  if (const int failed = host_.fault_on_file(op::resize, *file_); failed != 0) return failed;
  detail::touch(file_->on().id_of(*file_), access::write);
  const telling_by own(*file_, told());
  return file_->on().allocate(*file_, mode, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size));
}

int disk_file::ioctl(unsigned long request, void* argument) {
  if (request != FIONREAD || !file_->is_regular()) return -ENOTTY;
  *static_cast<int*>(argument) = static_cast<int>(file_->content.size() - offset_);  // less than 0 behind the end
  return 0;
}

// -- directories ------------------------------------------------------------------------------------------------------

// In which order they come is a pick: from any on, forwards or backwards. The plain run has the order in which they
// were made.
void disk_file::begin_entries() {
  directory_entries& names = file_->entries;
  detail::touch(host_.names_id(), access::read);
  names.begin_reading();
  reading_ = true;
  first_ = 0;
  end_ = names.places();
  backwards_ = false;
  if (names.size() < 2) return;
  const std::uint64_t picked = host_.of().owner().pick("order of names", 2 * end_);
  first_ = picked % end_;
  backwards_ = picked >= end_;
}

bool disk_file::give_entry(std::byte*& to, std::size_t& room, std::string_view name, const inode& of,
                           std::int64_t next) {
  struct head {
    std::uint64_t number;
    std::int64_t offset;
    std::uint16_t bytes;
    std::uint8_t kind;
  };
  constexpr std::size_t before_name = offsetof(head, kind) + 1;
  constexpr unsigned kind_shift = 12;
  const std::size_t bytes = (before_name + name.size() + 1 + sizeof(std::uint64_t) - 1) & ~(sizeof(std::uint64_t) - 1);
  if (bytes > room) return false;
  const head made{of.number(), next, static_cast<std::uint16_t>(bytes),
                  static_cast<std::uint8_t>((of.attributes.mode & S_IFMT) >> kind_shift)};
  std::memset(to, 0, bytes);
  std::memcpy(to, &made, before_name);
  std::memcpy(to + before_name, name.data(), name.size());
  to += bytes;
  room -= bytes;
  return true;
}

// The offset is 0 before ".", 1 before "..", and 2 before the first name.
std::int64_t disk_file::read_entries(void* into, std::size_t size) {
  constexpr std::uint64_t dots = 2;
  if (!readable()) return -EBADF;
  if (!file_->is_directory()) return -ENOTDIR;
  if (file_->links == 0) return -ENOENT;
  if (const int failed = host_.fault_on_file(op::list, *file_); failed != 0) return failed;
  detail::touch(id(), access::write);
  if (!reading_) begin_entries();
  auto* to = static_cast<std::byte*>(into);
  std::size_t room = size;
  bool fits = true;
  while (fits && offset_ < dots) {
    const inode& there = offset_ == 0 ? *file_ : *file_->parent;
    fits = give_entry(to, room, offset_ == 0 ? "." : "..", there, static_cast<std::int64_t>(offset_ + 1));
    if (fits) ++offset_;
  }
  while (fits && offset_ - dots < end_) {
    const std::uint64_t after = offset_ - dots;
    const std::uint64_t place = (backwards_ ? first_ + end_ - after : first_ + after) % end_;
    const directory_entries::entry& each = file_->entries.at(place);
    fits = each.to == nullptr || give_entry(to, room, each.name, *each.to, static_cast<std::int64_t>(offset_ + 1));
    if (fits) ++offset_;
  }
  if (!fits && room == size) return -EINVAL;
  at_end_ = fits;
  const telling_by own(*file_, told());
  tell(*file_, IN_ACCESS);
  return static_cast<std::int64_t>(size - room);
}

// -- locks ------------------------------------------------------------------------------------------------------------

int disk_file::flock(int operation) {
  if ((status_flags() & O_PATH) != 0) return -EBADF;
  const int what = operation & ~LOCK_NB;
  if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN) return -EINVAL;
  detail::touch(file_->on().id_of(*file_), access::write);
  return file_->locks.flock({this}, what, origin_here());
}

int disk_file::lock(int command, struct flock& range, const file_locks::owner& process) {
  if ((status_flags() & O_PATH) != 0) return -EBADF;
  constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
  const bool of_file = command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
  const bool asks = command == F_GETLK || command == F_OFD_GETLK;
  if (of_file && range.l_pid != 0) return -EINVAL;
  std::uint64_t from = 0;
  if (range.l_whence == SEEK_CUR) from = offset_;
  if (range.l_whence == SEEK_END) from = file_->content.size();
  auto begin = static_cast<std::int64_t>(static_cast<std::uint64_t>(range.l_start) + from);
  if (range.l_whence != SEEK_SET && range.l_whence != SEEK_CUR && range.l_whence != SEEK_END) return -EINVAL;
  if (range.l_type != F_RDLCK && range.l_type != F_WRLCK && range.l_type != F_UNLCK) return -EINVAL;
  if (asks && range.l_type == F_UNLCK) return -EINVAL;
  if (range.l_whence != SEEK_SET && range.l_start > 0 && begin < 0) return -EOVERFLOW;
  std::int64_t end = last;
  if (range.l_len > 0 && begin >= 0 && range.l_len - 1 > last - begin) return -EOVERFLOW;
  if (range.l_len > 0) end = begin + (range.l_len - 1);
  if (range.l_len < 0) {
    end = begin - 1;
    begin += range.l_len;
  }
  if (begin < 0) return -EINVAL;
  if (!asks && ((range.l_type == F_RDLCK && !readable()) || (range.l_type == F_WRLCK && !writable()))) return -EBADF;
  detail::touch(file_->on().id_of(*file_), asks ? access::read : access::write);
  const file_locks::owner who = of_file ? file_locks::owner{this} : process;
  if (!asks) return file_->locks.set(who, range.l_type, begin, end, origin_here());
  file_locks::range taken{};
  if (!file_->locks.conflict(who, range.l_type, begin, end, taken)) {
    range.l_type = F_UNLCK;
    return 0;
  }
  range.l_type = taken.type;
  range.l_whence = SEEK_SET;
  range.l_start = taken.begin;
  range.l_len = taken.end == last ? 0 : taken.end - taken.begin + 1;
  range.l_pid = taken.who.process;
  return 0;
}

}  // namespace lockstep::sim
