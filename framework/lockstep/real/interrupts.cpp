#include <lockstep/real/interrupts.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#ifndef __linux__
#include <pthread.h>
#endif

namespace lockstep::real {

namespace {

// A signal handler is given nothing and can reach nothing else.
constinit std::atomic<int> pipe_of_handler = -1;
constinit std::atomic<bool> came_before = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

extern "C" void lockstep_on_interrupt(int signal) {
  const int kept_errno = errno;
  if (came_before.exchange(true)) {
    struct sigaction fatal {};
    fatal.sa_handler = SIG_DFL;
    sigaction(signal, &fatal, nullptr);
    raise(signal);  // delivered when this returns
  } else {
    const char byte = 0;
    static_cast<void>(!write(pipe_of_handler.load(), &byte, 1));
  }
  errno = kept_errno;
}

bool on_main_thread() noexcept {
#ifdef __linux__
  return gettid() == getpid();
#else
  return pthread_main_np() != 0;
#endif
}

bool would_end_the_process() noexcept {
  struct sigaction present {};
  return sigaction(SIGINT, nullptr, &present) == 0 && (present.sa_flags & SA_SIGINFO) == 0 &&
         present.sa_handler == SIG_DFL;
}

}  // namespace

interrupts::interrupts(os_driver& on, std::function<void()> first) : on_(on) {
  if (!on_main_thread() || !would_end_the_process()) return;
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  read_end_ = ends[0];
  write_end_ = ends[1];
  for (const int end : ends) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, O_NONBLOCK);
  }
  came_before = false;
  pipe_of_handler = write_end_;
  on_.watch(read_end_, [from = read_end_, call = std::move(first)] {
    char byte;
    if (read(from, &byte, 1) == 1) call();
  });
  struct sigaction ours {};
  ours.sa_handler = lockstep_on_interrupt;
  ours.sa_flags = SA_RESTART;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGINT, &ours, &before_);
}

interrupts::~interrupts() {
  if (!taken()) return;
  sigaction(SIGINT, &before_, nullptr);
  on_.watch_nothing();
  close(read_end_);
  close(write_end_);
}

}  // namespace lockstep::real
