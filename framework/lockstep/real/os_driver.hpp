// The operating system as a loop's driver: its clock, its timers, and Boost.Asio's io_context, where an idle loop
// waits.
//
// The loop makes turns. After each, what is complete in the io_context is delivered (unless that was asked a moment
// ago), the clock is read, and what has become due fires; so neither I/O nor timers nor other threads starve while
// tasks are always ready. When no task is ready, the thread sleeps in the io_context until the next deadline, a
// completion, or a wake-up of another thread.
//
// The io_context lives as long as the driver: from one run to the next, what was begun there goes on.
// Threads: all of it on the loop's thread but for wake(). Handlers that others give to the io_context run there too.
// Source: libuv's and asyncio's loops, for turns and the time of a turn.
#pragma once

#include <lockstep/real/os_clock.hpp>
#include <lockstep/runtime/driver.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace lockstep::real {

class linux_calls;

// How time passes in a run.
struct clock_options {
  // How many times faster than the machine's the clock is; what really takes time takes that many times longer on it.
  // At least 1.
  std::uint32_t time_scale = 1;
  // false: now() is when this turn began, and several deadlines may have passed. true: the clock is a test's. It stands
  // while any task is ready; and however late a timer fires, the clock shows its deadline then, to the nanosecond.
  bool exact = false;
};

class os_driver : public driver {
 public:
  os_driver();
  virtual ~os_driver();

  // A run begins: its clock shows 0. Values are drawn by `seed`, or all lowest without one.
  void begin(const clock_options& how, std::optional<std::uint64_t> seed);

  boost::asio::io_context& context() noexcept;
  // Calls `ready` on the loop's thread whenever something can be read from `descriptor`, until watch_nothing(). That is
  // no reason to wait: a run in which nothing else can happen is a deadlock.
  void watch(int descriptor, std::function<void()> ready);
  void watch_nothing() noexcept;

  // From now on the loop waits for so long, on the machine's clock, for what other threads do in blocking jobs, where
  // nothing else can happen to a task: no timer of one, and no other outside(x), is left. Then idle() returns false.
  void await_jobs_for(duration limit) noexcept;

  bool idle(loop& of) override;
  void poll(loop& of) override;
  void wake() noexcept override;
  wall_clock::time_point wall_at(time_point now) const noexcept override;
  std::uint64_t pick_value(choice_point point, std::uint64_t options) noexcept override;
  std::unique_ptr<executor> make_workers(unsigned count, std::string_view name) override;
  // Source: concurrent.futures.ThreadPoolExecutor.
  unsigned workers_by_default() const noexcept override;
  // The machine's calls, made when they are first asked for. What is watched there is waited for, as a run under way.
  system_calls* system() override;
  duration machine_time() const noexcept override;

 private:
  struct parts;

  bool others_wait(loop& of);
  void rest(loop& of, bool awaited);
  void renew(loop& of);

  std::unique_ptr<parts> parts_;
  os_clock clock_;
  wall_clock::time_point wall_start_{};
  os_clock::machine::time_point polled_at_{};
  os_clock::machine::time_point began_{};
  std::optional<os_clock::machine::time_point> jobs_until_;
  clock_options how_;
  std::optional<std::uint64_t> seed_;
};

// The io_context of the run under way on this thread, for whatever is made of Boost.Asio; it must be in the same
// version as this library was built with. It outlives the run's tasks.
// Misuse in a simulation, and without a run.
boost::asio::io_context& current_io_context();

// Different each time, and on each machine; not to be relied on for secrets.
std::uint64_t fresh_seed() noexcept;

}  // namespace lockstep::real
