// expect: co_await select() where it is made: its operations end with the full-expression
#include <lockstep/lockstep.hpp>

lockstep::task<void> test() {
  lockstep::event stop;
  auto first = lockstep::select(stop.wait(), lockstep::sleep_for(std::chrono::seconds(1)));
  co_await first;  // wrong
  co_await stop.wait();
}
