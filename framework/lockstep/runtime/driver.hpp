// A loop's environment: what to do when nothing is ready, jump virtual time or wait for the outside; and what runs
// blocking jobs. So this is where simulated or real is decided. sim::world has the only one.
#pragma once

#include <lockstep/runtime/executor.hpp>
#include <lockstep/time/clock.hpp>

#include <memory>
#include <string_view>

namespace lockstep {

class loop;

class driver {
 public:
  driver() = default;
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  // Called when no task is ready. Makes some ready, by firing timers or delivering completions, and returns true; or
  // returns false if nothing will ever happen by itself.
  virtual bool idle(loop& of) = 0;

  // What runs the jobs of a thread_pool of that name with so many workers; null if there is nothing.
  virtual std::unique_ptr<executor> make_workers(unsigned /*count*/, std::string_view /*name*/) { return nullptr; }
  // How many workers the loop's own pool has.
  virtual unsigned workers_by_default() const noexcept { return 4; }
  // The machine's steady time, from any thread; it stands still where time is virtual.
  virtual duration machine_time() const noexcept { return {}; }
  // Whether time passes only by what the program says.
  virtual bool time_is_virtual() const noexcept { return false; }

 protected:
  ~driver() = default;
};

}  // namespace lockstep
