// A loop's environment: what time is, what to do when nothing is ready, jump virtual time or wait for the outside, and
// what runs blocking jobs. So this is where simulated or real is decided: sim::world has one, real::world the other.
#pragma once

#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/executor.hpp>
#include <lockstep/time/clock.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace lockstep {

class loop;
class system_calls;

class driver {
 public:
  // A loop runs every task that is ready, or becomes it, before it asks a driver that is not `polled`. Where the world
  // outside does not wait, it makes turns: each task that was ready at the begin of a turn makes one step.
  explicit driver(bool polled = false) noexcept : polled_(polled) {}
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  // Called when no task is ready. Lets something happen, by firing timers or delivering completions, and returns true;
  // or returns false if nothing will ever happen by itself.
  virtual bool idle(loop& of) = 0;

  // Called after each turn, if it is `polled`: delivers what has happened meanwhile, and does not wait.
  bool polled() const noexcept { return polled_; }
  virtual void poll(loop&) {}
  // Something has arrived in the inbox: idle() must not wait any longer. From any thread, until the loop is gone.
  virtual void wake() noexcept {}

  // The time of day at `now`; in a simulation it begins at wall_clock_start.
  virtual wall_clock::time_point wall_at(time_point now) const noexcept {
    return wall_clock::time_point(saturating_add(wall_clock_start.time_since_epoch(), now.time_since_epoch()));
  }
  // The answer where no oracle is asked, of 0 … options - 1.
  virtual std::uint64_t pick_value(choice_point, std::uint64_t) noexcept { return 0; }

  // What runs the jobs of a thread_pool of that name with so many workers; null if there is nothing.
  virtual std::unique_ptr<executor> make_workers(unsigned /*count*/, std::string_view /*name*/) { return nullptr; }
  // How many workers the loop's own pool has.
  virtual unsigned workers_by_default() const noexcept { return 4; }
  // What answers the system calls of tasks that are on no host of their own; null if there is nothing.
  virtual system_calls* system() { return nullptr; }
  // The machine's steady time, from any thread; it stands still where time is virtual.
  virtual duration machine_time() const noexcept { return {}; }
  // Whether time passes only by what the program says.
  virtual bool time_is_virtual() const noexcept { return false; }

 protected:
  ~driver() = default;

 private:
  bool polled_;
};

}  // namespace lockstep
