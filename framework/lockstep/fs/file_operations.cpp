#include <lockstep/fs/file_operations.hpp>

#include <lockstep/fs/file_lock.hpp>
#include <lockstep/system/read_errors.hpp>

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace lockstep::detail {

namespace {

// As much as Linux takes at once; more it would take as if it were that.
constexpr std::size_t call_bytes_max = 0x7ffff000;
constexpr int interruptions_max = 64;  // in one call

}  // namespace

// -- reading ----------------------------------------------------------------------------------------------------------

std::int64_t file_read::read_once(std::span<std::byte> into, std::size_t filled) {
  if (offset_ == at_position) return calls().read(fd(), into.data(), into.size());
  return calls().pread(fd(), into.data(), into.size(), offset_ + static_cast<std::int64_t>(filled));
}

// What fails after some bytes, fails, and the position is where it was.
std::int64_t file_read::call() {
  std::size_t filled = 0;
  int interrupted = 0;
  do {
    std::span<std::byte> left = into_.subspan(filled);
    left = left.first(std::min(left.size(), call_bytes_max));
    const std::int64_t result = read_once(left, filled);
    if (result == -EINTR && filled != 0 && ++interrupted < interruptions_max) continue;
    if (result < 0) {
      if (filled != 0 && offset_ == at_position) calls().lseek(fd(), -static_cast<std::int64_t>(filled), SEEK_CUR);
      return result == -EINTR && filled != 0 ? -EIO : result;
    }
    if (result == 0) break;
    filled += static_cast<std::size_t>(result);
  } while (wanted_ == how_much::all && filled < into_.size());
  return static_cast<std::int64_t>(filled);
}

// Nobody else has moved the position meanwhile, as it has the turn.
bool file_read::undo() noexcept {
  if (offset_ != at_position) return true;
  const std::int64_t count = came_to();
  return count <= 0 || calls().lseek(fd(), -count, SEEK_CUR) >= 0;
}

void file_read::all_read() {
  const auto count = static_cast<std::size_t>(outcome());
  if (count != into_.size()) throw incomplete_read(count, into_.size());
}

// -- writing ----------------------------------------------------------------------------------------------------------

std::int64_t file_write::write_once(std::span<const std::byte> from, std::int64_t offset) {
  if (offset_ == at_position) return calls().write(fd(), from.data(), from.size());
  return calls().pwrite(fd(), from.data(), from.size(), offset);
}

// What fails after some bytes, fails.
std::int64_t file_write::call() {
  std::int64_t offset = offset_;
  if (offset_ == at_end) {
    struct stat found {};
    if (const int error = calls().fstat(fd(), &found); error < 0) return error;
    offset = found.st_size;
  }
  std::size_t written = 0;
  int interrupted = 0;
  do {
    std::span<const std::byte> left = from_.subspan(written);
    left = left.first(std::min(left.size(), call_bytes_max));
    const std::int64_t result = write_once(left, offset + static_cast<std::int64_t>(written));
    if (result == -EINTR && written != 0 && ++interrupted < interruptions_max) continue;
    if (result < 0) return result == -EINTR && written != 0 ? -EIO : result;
    if (result == 0) return left.empty() ? 0 : -EIO;  // as no disk should do
    written += static_cast<std::size_t>(result);
  } while (wanted_ == how_much::all && written < from_.size());
  return static_cast<std::int64_t>(written);
}

// -- others -----------------------------------------------------------------------------------------------------------

seeking_in_file::seeking_in_file(held_file& in, std::int64_t offset, int whence) noexcept
    : primitive(
          operation_kind::use_file, in, "seek in", order::in_turn_here,
          [](system_calls& system, int fd, std::int64_t to, std::int64_t from) {
            return system.lseek(fd, to, static_cast<int>(from));
          },
          offset, whence) {}

trying_to_lock_file::trying_to_lock_file(held_file& of, int flags) noexcept
    : primitive(
          operation_kind::lock_file, of, "lock", order::here,
          [](system_calls& system, int fd, std::int64_t how, std::int64_t) -> std::int64_t {
            return system.flock(fd, static_cast<int>(how));
          },
          flags | LOCK_NB, 0) {}

bool trying_to_lock_file::result() {
  const std::int64_t came_to = outcome_or_error();
  if (came_to < 0 && came_to != -EWOULDBLOCK) fail();
  if (came_to != 0) forget_former_lock();
  return came_to == 0;
}

// Linux gives up the one that is to be changed first.
void trying_to_lock_file::forget_former_lock() noexcept {
  if (file_lock* const former = subject<held_file>().lock(); former != nullptr) former->forget_file();
}

// If it took the place of another lock, that is what stays.
bool trying_to_lock_file::undo() noexcept {
  if (came_to() == 0 && subject<held_file>().lock() == nullptr) calls().flock(fd(), LOCK_UN);
  if (came_to() == -EWOULDBLOCK) forget_former_lock();
  return true;
}

closing_file::closing_file(held_file& of) noexcept
    : primitive(operation_kind::use_file, of, "close", order::last_here), system_(of.shared_calls()) {}

// Its file died while it waited for its turn.
closing_file::~closing_file() {
  if (!was_made() && fd() >= 0) system_->close(fd());
}

bool closing_file::try_now() {
  if (!was_made() && fd() == AT_FDCWD) uses(subject<held_file>().let_go());
  return file_call::try_now();
}

std::int64_t closing_file::call() { return calls().close(fd()); }

void closing_file::withdraw() noexcept {
  if (!was_made()) {
    subject<held_file>().take_back(fd());
    uses(AT_FDCWD);
  }
  file_call::withdraw();
}

}  // namespace lockstep::detail
