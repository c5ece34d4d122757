#include <lockstep/testing/crash.hpp>

#include <lockstep/report/text.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/snapshot.hpp>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>

// Defined when a sanitizer's runtime is linked in.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace lockstep::detail {

namespace {

// A signal handler has no other way to find what to print than a global. Set by the one notice that lives.
struct {
  std::atomic<const char*> line = nullptr;
  std::atomic<loop*> tasks_of = nullptr;
  std::atomic<bool> stuck = false;
  pthread_t thread{};
} notice;

constexpr std::array signals = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
std::array<struct sigaction, signals.size()> earlier;

void write_text(const char* text) noexcept {
  std::size_t left = std::strlen(text);
  while (left > 0) {
    const ssize_t written = ::write(STDERR_FILENO, text, left);
    if (written <= 0) return;
    text += written;
    left -= static_cast<std::size_t>(written);
  }
}

void write_notice() noexcept {
  const char* line = notice.line.exchange(nullptr);
  if (line == nullptr) return;
  write_text("\nlockstep: the process dies inside a test\n");
  write_text(line);
  write_text("\n");
}

// Not safe in a signal handler, and worth the risk: the process is stuck and about to end.
void write_tasks() {
  loop* of = notice.tasks_of.exchange(nullptr);
  if (of != nullptr) write_text(tree_of(snapshot_of(of->alive())).c_str());
}

void on_signal(int number, siginfo_t*, void*) {
  write_notice();
  if (notice.stuck) write_tasks();
  for (std::size_t i = 0; i < signals.size(); ++i) {
    if (signals[i] == number) ::sigaction(number, &earlier[i], nullptr);
  }
  ::raise(number);
}

void install_once() {
  static const bool installed = [] {
    const bool under_sanitizer = __sanitizer_set_death_callback != nullptr;
    if (under_sanitizer) __sanitizer_set_death_callback([] { write_notice(); });
    // Handlers may run on an overflown stack: give them one of their own, for the life of the process.
    static const auto stack = std::make_unique<char[]>(64 * 1024);
    stack_t alternate{};
    alternate.ss_sp = stack.get();
    alternate.ss_size = 64 * 1024;
    ::sigaltstack(&alternate, nullptr);
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals[i], nullptr, &earlier[i]);
      // A sanitizer reports the rest itself, and then calls back.
      if (under_sanitizer && signals[i] != SIGABRT) continue;
      struct sigaction action {};
      action.sa_sigaction = &on_signal;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK;
      ::sigaction(signals[i], &action, nullptr);
    }
    return true;
  }();
  static_cast<void>(installed);
}

}  // namespace

crash_notice::crash_notice(std::string line, loop* tasks_of) : line_(std::move(line)) {
  install_once();
  notice.thread = ::pthread_self();
  notice.tasks_of = tasks_of;
  notice.line = line_.c_str();
}

crash_notice::~crash_notice() {
  notice.line = nullptr;
  notice.tasks_of = nullptr;
}

void crash_notice::end_stuck_process(const std::string& why) {
  write_text(why.c_str());
  notice.stuck = true;
  ::pthread_kill(notice.thread, SIGABRT);
  for (;;) ::pause();
}

}  // namespace lockstep::detail
