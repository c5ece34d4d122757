// expect: give the future a name, and get() a reference
#include <lockstep/runtime/future.hpp>

#include <memory>

lockstep::task<void> test() {
  const lockstep::promise<std::unique_ptr<int>> answer;
  const lockstep::future<std::unique_ptr<int>> wanted = answer.get_future();
  co_await answer.get_future().get();  // wrong
  co_await wanted.get();
}
