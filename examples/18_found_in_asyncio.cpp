// A defect of a real program, found: asyncio.Semaphore as it was in CPython 3.10.5 to 3.10.7 and 3.11.0, line by line.
//
// A waiter that release() has woken, and that is cancelled before it runs, leaves the mark that somebody is about to
// take the permit. Nobody is, and nobody else ever may. Reported as github.com/python/cpython/issues/90155, and mended
// in 3.10.8 and 3.11.1.
#include <lockstep/testing/testing.hpp>

#include <deque>
#include <memory>

namespace {

using namespace lockstep;

// [semaphore]
class asyncio_semaphore {
 public:
  explicit asyncio_semaphore(int value) : value_(value) {}

  task<void> acquire() {
    while (wakeup_scheduled_ || value_ <= 0) {
      const auto mine = std::make_shared<waiter>();
      waiters_.push_back(mine);
      bool was_cancelled = false;
      try {
        co_await mine->woken.wait();
        wakeup_scheduled_ = false;
      } catch (const cancelled&) {
        wake_up_next();
        was_cancelled = true;
      }
      if (was_cancelled) throw cancelled();
    }
    --value_;
  }
  void release() {
    ++value_;
    wake_up_next();
  }

 private:
  struct waiter {
    agent* who = &current_task();
    event woken;

    bool done() const { return woken.is_set() || who->cancelling() != 0; }
  };

  void wake_up_next() {
    while (!waiters_.empty()) {
      const auto first = waiters_.front();
      waiters_.pop_front();
      if (first->done()) continue;
      first->woken.set();
      wakeup_scheduled_ = true;
      return;
    }
  }

  int value_;
  std::deque<std::shared_ptr<waiter>> waiters_;
  bool wakeup_scheduled_ = false;
};
// [/semaphore]

// [test]
task<void> use(asyncio_semaphore& permits) {
  co_await permits.acquire();
  permits.release();
}

task<void> cancel(join_handle<void>& whom) {
  whom.cancel();
  co_return;
}

CO_TEST(AsyncioSemaphore, SurvivesACancelledWaiter, explore()) {
  asyncio_semaphore permits(1);
  co_await permits.acquire();
  auto waiter = spawn(use(permits), "waiter");
  auto impatient = spawn(cancel(waiter), "impatient");
  co_await yield();
  permits.release();
  co_await impatient.join();
  try {
    co_await waiter.join();
  } catch (const cancelled&) {
  }
  co_await permits.acquire();
}
// [/test]

}  // namespace
