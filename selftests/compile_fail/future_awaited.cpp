// expect: a future by its get()
#include <lockstep/runtime/future.hpp>

lockstep::task<void> test() {
  const lockstep::promise<int> answer;
  const lockstep::future<int> wanted = answer.get_future();
  co_await wanted;  // wrong
  co_await wanted.get();
}
