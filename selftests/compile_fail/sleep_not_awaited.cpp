// expect: co_await the operation: nothing happens before
#include <lockstep/runtime/sleep.hpp>

lockstep::task<void> test() {
  lockstep::sleep_for(std::chrono::seconds{1});  // wrong
  co_await lockstep::sleep_for(std::chrono::seconds{1});
}
