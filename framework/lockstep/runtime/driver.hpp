// What a loop does when nothing is ready: jump virtual time, or wait for the outside. sim::world has the only one.
#pragma once

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

 protected:
  ~driver() = default;
};

}  // namespace lockstep
