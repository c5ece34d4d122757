// What is printed when the process dies inside a test: how to repeat it.
//
// The line is made ahead, so that a signal handler only has to write it. Handlers are installed once, on an alternate
// stack; a sanitizer's report ends in the same line. Whatever was installed before is called afterwards; a handler of
// SIGPIPE, SIGALRM, SIGPROF, SIGUSR1, real-time signals and the like is left alone, for the process may live on.
// The stack is that of the thread which makes the first run: if another thread's own overflows, no notice is printed.
// So do exit() and quick_exit(), which make the process fail then, whatever their status: the test did not end. Nothing
// of this process runs at an _exit() or _Exit(): no notice is printed, and its status stands. Who starts the tests can
// tell all the same, by GoogleTest's TEST_PREMATURE_EXIT_FILE.
#pragma once

#include <lockstep/base/source.hpp>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

namespace lockstep {
class loop;
}

namespace lockstep::detail {

class muted_output;

// What a worker that dies leaves to the process that has forked it, in memory that both share.
struct last_words {
  std::atomic<bool> stuck = false;  // its watcher has ended it
  std::atomic<bool> exits = false;  // it called exit(), with that status
  std::atomic<int> status = 0;
  place where{};  // where the running task had awaited last
};

// From now on this process, when it dies inside a test, leaves its last words there instead of printing a notice. What
// others send to interrupt the search, SIGINT and SIGTERM, is not meant for it.
void leave_last_words(last_words& to);
// Has that called as well when a worker dies, where that can be: it may be in the middle of anything, and is ended if
// it does not come to an end. Null for nothing.
void call_when_dying(std::function<void()> last_act);

// While it lives, a death of the process prints `line` to standard error.
class crash_notice {
 public:
  // What is not null must outlive the notice: the tasks of `tasks_of` are printed when the process is ended for being
  // stuck, and what `output` keeps is shown whenever it ends.
  crash_notice(std::string line, loop* tasks_of, muted_output* output = nullptr);
  crash_notice(const crash_notice&) = delete;
  crash_notice& operator=(const crash_notice&) = delete;
  ~crash_notice();

  // Has `text`, which tells of a failure of the run, printed as well. May be called on any thread.
  void add(const std::string& text);

  // Ends the process from another thread because this notice's thread is stuck.
  [[noreturn]] void end_stuck_process(const std::string& why);

 private:
  std::mutex mutex_;
  std::string line_;
};

}  // namespace lockstep::detail
