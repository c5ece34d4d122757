// expect: outside_in_place
#include <lockstep/runtime/task.hpp>

struct thread_of_its_own {
  thread_of_its_own() = default;
  thread_of_its_own(const thread_of_its_own&) = delete;
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};

lockstep::task<void> test() {
  auto kept = lockstep::outside(thread_of_its_own());  // wrong
  co_await std::move(kept);                            // wrong
  co_await lockstep::outside(thread_of_its_own());
}
