// expect: co_await the operation: nothing happens before
#include <lockstep/runtime/task.hpp>
#include <lockstep/sync/mutex.hpp>

lockstep::task<void> test(lockstep::mutex& m) {
  m.lock();  // wrong
  const auto held = co_await m.lock();
}
