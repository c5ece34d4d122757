// expect: join() the handle; what runs until the end is for spawn_daemon()
#include <lockstep/runtime/spawn.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  lockstep::spawn(answer());  // wrong
  co_return;
}
