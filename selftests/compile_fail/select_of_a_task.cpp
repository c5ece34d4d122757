// expect: a task is spawned first, and its handle.join_shielded() is one
#include <lockstep/lockstep.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  lockstep::event stop;
  auto answering = spawn(answer());
  lockstep::select(answer(), stop.wait());  // wrong
  co_await lockstep::select(answering.join_shielded(), stop.wait());
}
