// What LevelDB does on threads of its own, as tasks: work that was scheduled waits until the scheduler picks the task
// that does it, so that when it is done is a pick like any other.
//
// LevelDB waits for it as well, on a std::condition_variable and in the middle of a call: it closes a store, or has no
// room for what is written. On one thread nobody else would ever do it. So std::condition_variable::wait() is defined
// here, in place of the standard library's: on a thread that has work scheduled, whoever waits does a piece of it,
// there and then, and looks again. A task that waits where nothing is scheduled waits for ever, which is misuse, and no
// hang. On every other thread the wait is the usual one.
//
// Lifetime: tasks that are left may outlive it, and do nothing then. Threads: that on which it was made.
#pragma once

#include <deque>
#include <memory>

namespace stored {

class background_work {
 public:
  background_work();
  background_work(const background_work&) = delete;
  background_work& operator=(const background_work&) = delete;
  ~background_work();

  // `function(argument)` is called once: by a task, or by whoever waits for it. Requires a run.
  void schedule(void (*function)(void*), void* argument);
  bool has_work() const noexcept { return !left_->empty(); }
  // Does the oldest, if there is one. Returns whether there was.
  bool do_oldest();
  // The same for one of the objects of this thread that have work, the newest.
  static bool do_oldest_of_thread();
  // Whether this thread has such an object.
  static bool is_used_here() noexcept;

 private:
  struct piece {
    void (*function)(void*);
    void* argument;
  };
  using pieces = std::deque<piece>;

  static bool do_oldest_of(pieces& left);
  friend struct piece_as_task;

  std::shared_ptr<pieces> left_ = std::make_shared<pieces>();
  background_work* next_;
};

}  // namespace stored
