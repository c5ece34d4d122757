#include <lockstep/testing/crash.hpp>

#include <lockstep/report/text.hpp>
#include <lockstep/runtime/agent.hpp>
#include <lockstep/runtime/frame.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/snapshot.hpp>
#include <lockstep/testing/interruption.hpp>
#include <lockstep/testing/muted_output.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

// Defined when a sanitizer's runtime is linked in. NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace lockstep::detail {

namespace {

// A signal handler has no other way to find what to print than a global. Set by the one notice that lives.
struct {
  std::atomic<const char*> line = nullptr;
  std::atomic<loop*> tasks_of = nullptr;
  std::atomic<muted_output*> output = nullptr;
  std::atomic<bool> stuck = false;
  pthread_t thread{};
  pid_t process = 0;  // a fork of it, such as a death test, has nothing to say; 0 for a death test started anew
  last_words* words = nullptr;  // of a worker
} notice;

// Of a worker.
std::function<void()> last_act;
constexpr unsigned seconds_to_die = 10;

// Those that end a process unless it handles them.
struct signal_kind {
  int number;
  const char* name;
  bool is_news = false;  // a program may live on after it: left to whoever handles it already, such as a profiler
};
constexpr signal_kind signals[] = {
    {SIGSEGV, "SIGSEGV"},
    {SIGABRT, "SIGABRT"},
    {SIGBUS, "SIGBUS"},
    {SIGFPE, "SIGFPE"},
    {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"},
    {SIGSYS, "SIGSYS"},
    {SIGTERM, "SIGTERM"},
    {SIGINT, "SIGINT"},
    {SIGHUP, "SIGHUP"},
    {SIGQUIT, "SIGQUIT"},
    {SIGPIPE, "SIGPIPE", true},
    {SIGALRM, "SIGALRM", true},
    {SIGVTALRM, "SIGVTALRM", true},
    {SIGPROF, "SIGPROF", true},
    {SIGXCPU, "SIGXCPU", true},
    {SIGXFSZ, "SIGXFSZ", true},
    {SIGUSR1, "SIGUSR1", true},
    {SIGUSR2, "SIGUSR2", true},
#ifdef SIGPOLL
    {SIGPOLL, "SIGPOLL", true},
#endif
#ifdef SIGSTKFLT
    {SIGSTKFLT, "SIGSTKFLT", true},
#endif
#ifdef SIGPWR
    {SIGPWR, "SIGPWR", true},
#endif
};

// Whether a sanitizer reports it itself, and then calls back.
bool is_left_to_sanitizers(int number) noexcept {
  return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
}

std::array<struct sigaction, NSIG> earlier;
std::array<std::array<char, 16>, NSIG> names;  // of those that are handled: "SIGRTMIN+1"
constexpr std::size_t stack_bytes = std::size_t{64} * 1024;

void write_text(const char* text) noexcept {
  std::size_t left = std::strlen(text);
  while (left > 0) {
    const ssize_t written = ::write(STDERR_FILENO, text, left);
    if (written <= 0) return;
    text += written;
    left -= static_cast<std::size_t>(written);
  }
}

// Returns whether the process ends inside a test. `signal` is null if it ends otherwise.
bool write_notice(const char* signal = nullptr) noexcept {
  const char* line = notice.line.exchange(nullptr);
  if (line == nullptr || ::getpid() != notice.process) return false;
  if (notice.words != nullptr) {
    const loop* of = notice.tasks_of;
    const agent* running = of != nullptr ? of->running() : nullptr;
    if (running != nullptr && running->stands_at() != nullptr) notice.words->where = running->stands_at()->where;
    notice.words->stuck = notice.stuck.load();
    if (notice.stuck) write_text("\n");
    if (last_act) {
      ::signal(SIGALRM, SIG_DFL);
      ::alarm(seconds_to_die);
      last_act();
    }
    return true;
  }
  if (muted_output* output = notice.output) output->show_what_was_written();
  write_text("\nlockstep: the process ends inside a test");
  if (signal != nullptr) {
    write_text(", of ");
    write_text(signal);
  }
  write_text("\n");
  write_text(line);
  write_text("\n");
  return true;
}

// The test did not end, so success would be a lie.
[[noreturn]] void end_as_failure() {
  if (notice.words != nullptr) notice.words->exits = true;
  std::cout.flush();
  std::fflush(nullptr);
  std::_Exit(EXIT_FAILURE);
}

void at_exit() {
  if (write_notice()) end_as_failure();
}

#ifdef __GLIBC__
// A status that tells of a failure stays, and so does what is left to be done at the exit.
void at_exit_with(int status, void*) {
  if (!write_notice()) return;
  if (notice.words != nullptr) notice.words->status = status;
  if (notice.words != nullptr || (status & 0xFF) == EXIT_SUCCESS) end_as_failure();
}
#endif

// Not safe in a signal handler, and worth the risk: the process is stuck and about to end.
void write_tasks() {
  loop* of = notice.tasks_of.exchange(nullptr);
  if (of != nullptr) write_text(tree_of(snapshot_of(of->alive())).c_str());
}

bool interrupts(int number) noexcept {
  const int* const end = std::end(interrupting_signals);
  return std::find(std::begin(interrupting_signals), end, number) != end;
}

void on_signal(int number, siginfo_t* why, void* where) {
  // Who interrupts a search means the process that has forked the workers, which ends them.
  if (notice.words != nullptr && interrupts(number) && why->si_pid != ::getpid()) return;
  const auto at = static_cast<std::size_t>(number);
  write_notice(notice.stuck ? nullptr : names[at].data());
  if (notice.stuck) write_tasks();
  ::sigaction(number, &earlier[at], nullptr);
  if ((earlier[at].sa_flags & SA_SIGINFO) != 0 && earlier[at].sa_handler != SIG_DFL) {
    return earlier[at].sa_sigaction(number, why, where);
  }
  ::raise(number);
}

void handle(const signal_kind& kind) {
  const auto at = static_cast<std::size_t>(kind.number);
  std::strncpy(names[at].data(), kind.name, names[at].size() - 1);
  ::sigaction(kind.number, nullptr, &earlier[at]);
  if (earlier[at].sa_handler == SIG_IGN || (kind.is_news && earlier[at].sa_handler != SIG_DFL)) return;
  struct sigaction action {};
  action.sa_sigaction = &on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(kind.number, &action, nullptr);
}

// Handlers may run on an overflown stack: give them one of their own, for the life of the process.
void give_handlers_a_stack() {
  stack_t present{};
  if (::sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;  // somebody else did
  static const auto stack = std::make_unique<char[]>(stack_bytes);
  stack_t alternate{};
  alternate.ss_sp = stack.get();
  alternate.ss_size = stack_bytes;
  ::sigaltstack(&alternate, nullptr);
}

void install_once() {
  static const bool installed = [] {
    const bool under_sanitizer = __sanitizer_set_death_callback != nullptr;
    if (under_sanitizer) __sanitizer_set_death_callback([] { write_notice(); });
#ifdef __GLIBC__
    ::on_exit(&at_exit_with, nullptr);
#else
    std::atexit(&at_exit);
#endif
    std::at_quick_exit(&at_exit);
    give_handlers_a_stack();
    for (const signal_kind& kind : signals) {
      if (!under_sanitizer || !is_left_to_sanitizers(kind.number)) handle(kind);
    }
#ifdef SIGRTMIN
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
      handle({number, fmt::format("SIGRTMIN+{}", number - SIGRTMIN).c_str(), true});
    }
#endif
    return true;
  }();
  static_cast<void>(installed);
}

}  // namespace

void leave_last_words(last_words& to) {
  notice.words = &to;
  install_once();
  for (const signal_kind& kind : signals) {
    if (!interrupts(kind.number)) continue;
    struct sigaction of_search {};
    ::sigaction(kind.number, nullptr, &of_search);
    if (of_search.sa_handler == SIG_IGN) continue;
    ::signal(kind.number, SIG_DFL);  // and not the handler of the process that was forked
    handle(kind);
  }
}
void call_when_dying(std::function<void()> act) { last_act = std::move(act); }

crash_notice::crash_notice(std::string line, loop* tasks_of, muted_output* output) : line_(std::move(line)) {
  install_once();
  notice.thread = ::pthread_self();
  notice.process = testing::internal::InDeathTestChild() ? 0 : ::getpid();
  notice.tasks_of = tasks_of;
  notice.output = output;
  notice.line = line_.c_str();
}

crash_notice::~crash_notice() {
  notice.line = nullptr;
  notice.tasks_of = nullptr;
  notice.output = nullptr;
}

void crash_notice::add(const std::string& text) {
  const std::lock_guard lock(mutex_);
  std::string longer = text + line_;
  notice.line = longer.c_str();
  line_.swap(longer);
  notice.line = line_.c_str();
}

void crash_notice::end_stuck_process(const std::string& why) {
  write_text(why.c_str());
  notice.stuck = true;
  // Telling of the tasks may get stuck itself.
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(seconds_to_die);
  ::pthread_kill(notice.thread, SIGABRT);
  for (;;) ::pause();
}

}  // namespace lockstep::detail
