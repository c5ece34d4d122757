// expect: co_await the operation: nothing happens before
#include <lockstep/lockstep.hpp>

lockstep::task<void> test() {
  lockstep::event stop;
  lockstep::select(stop.wait(), lockstep::sleep_for(std::chrono::seconds(1)));  // wrong
  co_await lockstep::select(stop.wait(), lockstep::sleep_for(std::chrono::seconds(1)));
}
