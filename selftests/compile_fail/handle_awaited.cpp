// expect: a join_handle is awaited by its join()
#include <lockstep/runtime/spawn.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  auto handle = lockstep::spawn(answer());
  co_await handle;  // wrong
  co_await handle.join();
}
