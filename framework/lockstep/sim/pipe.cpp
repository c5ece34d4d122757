#include <lockstep/sim/pipe.hpp>

#include <lockstep/runtime/context.hpp>

#include <sys/ioctl.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace lockstep::sim {

namespace {

constexpr std::int64_t size_max = 1 << 20;  // fs.pipe-max-size

}  // namespace

// -- buffers ----------------------------------------------------------------------------------------------------------

int pipe_buffers::resize(std::int64_t bytes) noexcept {
  const auto asked = static_cast<std::uint32_t>(bytes);
  if (asked > std::uint32_t{1} << 31) return -EINVAL;
  const std::size_t pages = std::bit_ceil((std::max<std::size_t>(asked, 1) + page - 1) / page);
  if (pages > limit_ && pages * page > static_cast<std::size_t>(size_max)) return -EPERM;
  if (pages < buffers_.size()) return -EBUSY;
  limit_ = pages;
  return static_cast<int>(capacity());
}

std::size_t pipe_buffers::write(pieces& from, bool as_packets) {
  const std::size_t wanted = from.left();
  const std::size_t over = wanted % page;
  const auto push = [this](std::span<std::byte> part) { bytes_.push(part); };
  if (over != 0 && !empty()) {
    buffer& last = buffers_[buffers_.size() - 1];
    if (!last.packet && last.used + over <= page) {
      bytes_.reserve(over);
      from.take(over, push);
      last.used += static_cast<std::uint32_t>(over);
      last.size += static_cast<std::uint32_t>(over);
    }
  }
  while (from.left() != 0 && !full()) {
    const std::size_t part = std::min(from.left(), page);
    buffers_.reserve(buffers_.size() + 1);
    bytes_.reserve(part);
    from.take(part, push);
    buffers_.push_back({static_cast<std::uint32_t>(part), static_cast<std::uint32_t>(part), as_packets});
  }
  return wanted - from.left();
}

std::size_t pipe_buffers::read(pieces& into) noexcept {
  std::size_t taken = 0;
  while (into.left() != 0 && !empty()) {
    buffer& first = buffers_[0];
    const std::size_t part = std::min<std::size_t>(first.size, into.left());
    into.take(part, [this](std::span<std::byte> to) { bytes_.pop(to); });
    taken += part;
    first.size -= static_cast<std::uint32_t>(part);
    if (first.packet) {
      bytes_.drop_front(first.size);
      buffers_.pop_front();
      break;
    }
    if (first.size == 0) buffers_.pop_front();
  }
  return taken;
}

// -- ends -------------------------------------------------------------------------------------------------------------

pipe_end::pipe_end(identity id, std::shared_ptr<pipe_buffers> between, int status_flags) noexcept
    : open_file(id, status_flags), between_(std::move(between)), writes_((status_flags & O_ACCMODE) == O_WRONLY) {
  (writes_ ? between_->writer : between_->reader) = this;
}

void pipe_end::touch() const { detail::touch(id(), access::write); }

std::int64_t pipe_end::read(const iovec* into, int count) {
  if (writes_) return -EBADF;
  touch();
  pieces to(into, count);
  if (to.left() == 0) return 0;
  if (between_->empty()) return between_->writer == nullptr ? 0 : -EAGAIN;
  const bool was_full = between_->full();
  const std::size_t taken = between_->read(to);
  if (was_full && !between_->full() && between_->writer != nullptr) between_->writer->notify(POLLOUT);
  return static_cast<std::int64_t>(taken);
}

// The reader is told even if nothing was written, as Linux does: epoll's edge is seen again.
std::int64_t pipe_end::write(const iovec* from, int count) {
  if (!writes_) return -EBADF;
  touch();
  pieces what(from, count);
  if (what.left() == 0) return 0;
  if (between_->reader == nullptr) return -EPIPE;
  const std::size_t written = between_->write(what, (status_flags() & O_DIRECT) != 0);
  between_->reader->notify(POLLIN);
  return written == 0 ? -EAGAIN : static_cast<std::int64_t>(written);
}

int pipe_end::ioctl(unsigned long request, void* argument) {
  if (request != FIONREAD) return -ENOTTY;
  detail::touch(id(), access::read);
  *static_cast<int*>(argument) = static_cast<int>(between_->size());
  return 0;
}

int pipe_end::control(int command, std::int64_t argument) {
  if (command != F_SETPIPE_SZ && command != F_GETPIPE_SZ) return open_file::control(command, argument);
  touch();
  if (command == F_GETPIPE_SZ) return static_cast<int>(between_->capacity());
  const int size = between_->resize(argument);
  if (size > 0 && between_->writer != nullptr) between_->writer->notify(POLLOUT | POLLERR);
  return size;
}

unsigned pipe_end::ready() const noexcept {
  if (writes_) return (between_->full() ? 0u : POLLOUT) | (between_->reader == nullptr ? POLLERR : 0u);
  return (between_->empty() ? 0u : POLLIN) | (between_->writer == nullptr ? POLLHUP : 0u);
}

void pipe_end::closed() noexcept {
  touch();
  (writes_ ? between_->writer : between_->reader) = nullptr;
  pipe_end* const other = writes_ ? between_->reader : between_->writer;
  if (other != nullptr) other->notify(POLLERR | POLLHUP);
}

}  // namespace lockstep::sim
