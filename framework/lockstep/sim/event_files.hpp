// Counters that are read and waited for as files are: eventfd, and timerfd on the virtual clock.
// Source: eventfd(2), timerfd_create(2); Linux's fs/eventfd.c, fs/timerfd.c.
#pragma once

#include <lockstep/sim/open_file.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <cstdint>

namespace lockstep::sim {

class event_file final : public open_file {
 public:
  event_file(identity id, std::uint64_t count, bool semaphore, int status_flags) noexcept
      : open_file(id, status_flags), count_(count), semaphore_(semaphore) {}

  std::int64_t read(const iovec* into, int count) override;
  std::int64_t write(const iovec* from, int count) override;
  unsigned ready() const noexcept override;
  std::string described() const override { return "eventfd"; }

 private:
  ~event_file() override = default;
  std::int64_t write_one(const iovec& from);

  std::uint64_t count_;
  bool semaphore_;
};

// It fires once and waits until somebody has read or asked; then it makes up for the periods that have passed.
class timer_file final : public open_file, public list_hook<timer_file>, private timer {
 public:
  // In the list of its host while it is open.
  timer_file(host& of, identity id, int clock, int status_flags) noexcept;

  int set(int flags, const itimerspec& value, itimerspec* before);
  int get(itimerspec& value);
  // It never fires again.
  void stop() noexcept;

  std::int64_t read(const iovec* into, int count) override;
  unsigned ready() const noexcept override;
  timer_file* as_timer() noexcept override { return this; }
  std::string described() const override { return "timerfd"; }

 private:
  ~timer_file() override = default;
  void closed() noexcept override;
  static void due(timer& fired) noexcept;
  void expire() noexcept;
  void arm(time_point at) noexcept;
  // Expires if it is time, and is told by nobody yet.
  void catch_up() noexcept;
  // Arms it for the next period if the last one has passed. Returns how many more have.
  std::uint64_t forward() noexcept;
  itimerspec remaining() const noexcept;

  host& host_;
  int clock_;
  time_point next_{};  // which may be past when it is armed
  duration interval_{};
  std::uint64_t expirations_ = 0;
  bool expired_ = false;  // and not armed again since
};

}  // namespace lockstep::sim
