// What is detected without being asked for: each of these tests has no assertion, and fails.
#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <tuple>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [deadlock]
struct connection {
  mutex tx{"tx"};
  queue<int> received{8, "received"};

  // Acknowledges a message, for which it needs the lock.
  task<void> read() {
    co_await received.get();
    const mutex_guard sending = co_await tx.lock();
  }
  // Says goodbye and waits for the reader to end, but keeps the lock.
  task<void> close(join_handle<void>& reader) {
    const mutex_guard sending = co_await tx.lock();
    co_await received.put(0);
    co_await reader.join();
  }
};

CO_TEST(Detected, ADeadlock) {
  connection c;
  auto reader = spawn(c.read(), "reader");
  auto closer = spawn(c.close(reader), "closer");
  co_await closer.join();
}
// [/deadlock]

// [others]
task<void> write_page() { co_await sleep_for(1s); }
task<void> save() {
  co_await write_page();
  throw std::runtime_error("disk full");
}

CO_TEST(Detected, ATaskThatIsNeverAwaited) {
  std::ignore = write_page();
  co_await yield();
}

CO_TEST(Detected, AnExceptionThatNobodyReads) {
  auto saving = spawn(save(), "saving");
  co_await sleep_for(2s);
}

CO_TEST(Detected, ATaskThatOutlivesItsHandle) {
  auto saving = spawn(save(), "saving");
  co_await yield();
}
// [/others]

}  // namespace
