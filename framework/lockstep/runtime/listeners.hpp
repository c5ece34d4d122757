// Who is told of what happens to a run as a whole, beside its tasks: that all is quiet, and that it ends.
//
// Each is in a list of the loop, and must leave it before it dies. They are told on the loop's thread.
#pragma once

#include <lockstep/base/intrusive_list.hpp>

namespace lockstep::detail {

// Wants to look at everything when all is quiet.
class quiet_listener : public list_hook<> {
 public:
  virtual void all_is_quiet() noexcept = 0;

  // It has found something, and is not asked any more.
  void spend() noexcept { spent_ = true; }
  bool spent() const noexcept { return spent_; }

 protected:
  quiet_listener() noexcept { mark_unlinked(); }
  ~quiet_listener() = default;

 private:
  bool spent_ = false;
};

// What belongs to a run beside its tasks, such as its network.
class run_listener : public list_hook<run_listener> {
 public:
  // No task is left, and the timers are forgotten next: none may stay armed. Objects that outlive the tasks are to die.
  virtual void tasks_have_gone() noexcept = 0;
  // They have died: what is left now is left for good. Whether the main task returned, and nothing was found. It has
  // been taken out of the list.
  virtual void run_ends(bool well) noexcept = 0;

 protected:
  run_listener() noexcept { mark_unlinked(); }
  ~run_listener() = default;
};

}  // namespace lockstep::detail
