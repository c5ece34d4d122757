#include <lockstep/testing/interruption.hpp>

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <iterator>

namespace lockstep::detail {

namespace {

// A signal handler has no other way to say so than a global.
volatile std::sig_atomic_t noted_signal = 0;
struct sigaction before_interruption[std::size(interrupting_signals)]{};

volatile std::sig_atomic_t noted_sender = 0;

// One process may say it twice, as timeout(1) does to its child and then to the whole group. A terminal is none.
void on_interrupt(int number, siginfo_t* why, void*) {
  const bool says_it_again = noted_signal != 0 && why->si_pid == noted_sender && why->si_pid != 0;
  if (says_it_again && why->si_pid != ::getpid()) return;
  if (noted_signal == 0) {
    noted_sender = why->si_pid;
    noted_signal = number;
    return;
  }
  ::signal(number, SIG_DFL);
  ::raise(number);
}

class interrupted_end final : public testing::EmptyTestEventListener {
 public:
  static void of_program() {
    static const bool added = [] {
      testing::UnitTest::GetInstance()->listeners().Append(new interrupted_end);
      return true;
    }();
    static_cast<void>(added);
  }

  void OnTestProgramEnd(const testing::UnitTest&) override {
    if (!interruption::noted()) return;
    std::cout.flush();
    std::fflush(nullptr);
    ::signal(noted_signal, SIG_DFL);
    ::raise(noted_signal);
  }
};

}  // namespace

interruption::interruption() {
  interrupted_end::of_program();
  struct sigaction action {};
  action.sa_sigaction = &on_interrupt;
  action.sa_flags = SA_SIGINFO;
  for (std::size_t i = 0; i < std::size(interrupting_signals); ++i) {
    ::sigaction(interrupting_signals[i], nullptr, &before_interruption[i]);
    if (before_interruption[i].sa_handler != SIG_IGN) ::sigaction(interrupting_signals[i], &action, nullptr);
  }
}

interruption::~interruption() {
  for (std::size_t i = 0; i < std::size(interrupting_signals); ++i)
    ::sigaction(interrupting_signals[i], &before_interruption[i], nullptr);
}

bool interruption::noted() noexcept { return noted_signal != 0; }

}  // namespace lockstep::detail
