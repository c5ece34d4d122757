// A program of its own: run() runs its main task for real, and leaves nothing behind when that has ended.
#include <lockstep/lockstep.hpp>
#include <lockstep/run.hpp>

#include <cstdio>
#include <string>
#include <tuple>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [code]
task<std::string> prepare(std::string what, duration takes) {
  co_await sleep_for(takes);
  std::printf("%s is ready\n", what.c_str());
  co_return what;
}

// Keeps something up for as long as the program runs: a daemon, which is cancelled and awaited at the end.
task<void> keep_warm() {
  try {
    for (;;) co_await sleep_for(1ms);
  } catch (const cancelled&) {
    std::printf("the stove is off\n");
    throw;
  }
}

task<int> breakfast() {
  spawn_daemon(keep_warm());
  const auto [toast, egg, tea] = co_await when_all(prepare("toast", 20ms), prepare("egg", 60ms), prepare("tea", 40ms));
  std::printf("%s, %s and %s\n", toast.c_str(), egg.c_str(), tea.c_str());
  co_return 0;
}
// [/code]

}  // namespace

// [main]
int main() {
  try {
    return lockstep::run(breakfast());
  } catch (const lockstep::interrupted&) {  // by Ctrl-C, which has cancelled breakfast()
    return lockstep::interrupted::exit_status;
  }
}
// [/main]
