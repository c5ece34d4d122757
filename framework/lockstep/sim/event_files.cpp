#include <lockstep/sim/event_files.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/pieces.hpp>

#include <sys/timerfd.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace lockstep::sim {

namespace {

constexpr std::uint64_t count_max = std::numeric_limits<std::uint64_t>::max() - 1;
constexpr std::int64_t ns_per_second = 1'000'000'000;

std::int64_t give(std::uint64_t value, pieces& into) noexcept {
  const auto* at = reinterpret_cast<const std::byte*>(&value);
  into.take(sizeof value, [&at](std::span<std::byte> part) {
    std::memcpy(part.data(), at, part.size());
    at += part.size();
  });
  return sizeof value;
}

duration duration_of(const timespec& given) noexcept {
  if (given.tv_sec >= duration::max().count() / ns_per_second) return duration::max();
  return duration(given.tv_sec * ns_per_second + given.tv_nsec);
}

timespec timespec_of(duration length) noexcept {
  return {length.count() / ns_per_second, length.count() % ns_per_second};
}

bool valid(const timespec& given) noexcept {
  return given.tv_sec >= 0 && given.tv_nsec >= 0 && given.tv_nsec < ns_per_second;
}

}  // namespace

// -- eventfd ----------------------------------------------------------------------------------------------------------

std::int64_t event_file::read(const iovec* into, int count) {
  detail::touch(id(), access::write);
  pieces to(into, count);
  if (to.left() < sizeof count_) return -EINVAL;
  if (count_ == 0) return -EAGAIN;
  const std::uint64_t value = semaphore_ ? 1 : count_;
  count_ -= value;
  give(value, to);
  notify(POLLOUT);
  return sizeof count_;
}

// Each piece is a write of its own.
std::int64_t event_file::write(const iovec* from, int count) {
  detail::touch(id(), access::write);
  std::int64_t written = 0;
  for (int i = 0; i < count; ++i) {
    const std::int64_t done = write_one(from[i]);
    if (done < 0) return written != 0 ? written : done;
    written += done;
  }
  return written;
}

std::int64_t event_file::write_one(const iovec& from) {
  std::uint64_t more = 0;
  if (from.iov_len != sizeof more) return -EINVAL;
  std::memcpy(&more, from.iov_base, sizeof more);
  if (more > count_max) return -EINVAL;
  if (more > count_max - count_) return -EAGAIN;
  count_ += more;
  notify(POLLIN);
  return sizeof more;
}

unsigned event_file::ready() const noexcept {
  return (count_ != 0 ? POLLIN : 0u) | (count_ < count_max ? POLLOUT : 0u);
}

// -- timerfd ----------------------------------------------------------------------------------------------------------

timer_file::timer_file(host& of, identity id, int clock, int status_flags) noexcept
    : open_file(id, status_flags), timer(&due, cause::event), host_(of), clock_(clock) {
  of.add(*this);
}

void timer_file::due(timer& fired) noexcept { static_cast<timer_file&>(fired).expire(); }

void timer_file::expire() noexcept {
  expired_ = true;
  ++expirations_;
  notify(POLLIN);
}

void timer_file::arm(time_point at) noexcept {
  next_ = at;
  host_.of().owner().timers().arm(*this, std::max(at, host_.now()));
}

void timer_file::stop() noexcept {
  if (armed()) host_.of().owner().timers().disarm(*this);
}

void timer_file::catch_up() noexcept {
  if (!armed() || deadline() > host_.now()) return;
  stop();
  expire();
}

std::uint64_t timer_file::forward() noexcept {
  if (!expired_ || interval_ == duration::zero()) return 0;
  expired_ = false;
  const std::int64_t missed = (host_.now() - next_) / interval_;
  arm(saturating_add(next_ + missed * interval_, interval_));
  return static_cast<std::uint64_t>(missed);
}

itimerspec timer_file::remaining() const noexcept {
  return {timespec_of(interval_), timespec_of(armed() ? deadline() - host_.now() : duration::zero())};
}

int timer_file::get(itimerspec& value) {
  detail::touch(id(), access::write);
  catch_up();
  expirations_ += forward();
  value = remaining();
  return 0;
}

int timer_file::set(int flags, const itimerspec& value, itimerspec* before) {
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0) return -EINVAL;
  if (!valid(value.it_value) || !valid(value.it_interval)) return -EINVAL;
  detail::touch(id(), access::write);
  catch_up();
  forward();
  if (before != nullptr) *before = remaining();
  stop();
  expired_ = false;
  expirations_ = 0;
  interval_ = duration_of(value.it_interval);
  const duration wanted = duration_of(value.it_value);
  if (wanted == duration::zero()) return 0;
  const loop& owner = host_.of().owner();
  time_point deadline = time_point(wanted);
  if ((flags & TFD_TIMER_ABSTIME) == 0) {
    deadline = saturating_add(owner.now(), wanted);
  } else if (clock_ == CLOCK_REALTIME || clock_ == CLOCK_REALTIME_ALARM) {
    deadline = saturating_add(owner.now(), saturating_add(wanted, -owner.wall_now().time_since_epoch()));
  }
  arm(deadline);
  catch_up();
  return 0;
}

std::int64_t timer_file::read(const iovec* into, int count) {
  detail::touch(id(), access::write);
  pieces to(into, count);
  if (to.left() < sizeof expirations_) return -EINVAL;
  catch_up();
  if (expirations_ == 0) return -EAGAIN;
  const std::uint64_t all = expirations_ + forward();
  expired_ = false;
  expirations_ = 0;
  return give(all, to);
}

unsigned timer_file::ready() const noexcept {
  return expirations_ != 0 || (armed() && deadline() <= host_.now()) ? POLLIN : 0u;
}

void timer_file::closed() noexcept {
  detail::touch(id(), access::write);
  stop();
  list_hook<timer_file>::unlink();
}

}  // namespace lockstep::sim
