// expect: keep the order in a variable: it ends with it
#include <lockstep/runtime/task.hpp>
#include <lockstep/sync/point.hpp>

lockstep::task<void> test() {
  lockstep::order("writer:start", "reader:start");  // wrong
  co_await lockstep::point("writer:start");
}
