// What is used from another loop or thread, and orders of points that cannot happen.
#include "planted.hpp"

#include <coroutine>
#include <thread>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- other loops ------------------------------------------------------------------------------------------------------

// A world within the world, whose task uses what `use` is given.
template <class Use>
task<void> in_a_world_of_its_own(Use use) {
  co_await yield();
  sim::world inner;
  const auto main = [use]() -> task<void> {
    co_await yield();
    use();
  };
  inner.run(main());
}

TEST(MisuseElsewhereBugs, APrimitiveOfAnotherLoop) {
  const bug foreign{verdict_kind::misuse, " in another run than its own (misuse_elsewhere.cpp:"};
  EXPECT_TRUE(caught(foreign, []() -> task<void> {
    event go("go");
    co_await in_a_world_of_its_own([&go] { go.set(); });
  }));
  EXPECT_TRUE(caught(foreign, []() -> task<void> {
    queue<int> jobs;
    co_await in_a_world_of_its_own([&jobs] { static_cast<void>(jobs.try_put(1)); });
  }));
  EXPECT_TRUE(silent([]() -> task<void> {
    co_await in_a_world_of_its_own([] {
      event go("go");
      go.set();
    });
  }));
}

// -- other threads ----------------------------------------------------------------------------------------------------

// A thread that ends within the step that starts it.
template <class Use>
void on_a_thread(Use use) {
  std::thread other([&] {
    try {
      use();
    } catch (const misuse&) {
    }
  });
  other.join();
}

task<void> unlocks_on_a_thread() {
  mutex tx("tx");
  const mutex_guard held = co_await tx.lock();
  next_line_is_wrong();
  on_a_thread([&] { tx.unlock(); });
  co_await sleep_for(1s);
}

task<void> unlocks_when_the_thread_has_ended() {
  mutex tx("tx");
  const mutex_guard held = co_await tx.lock();
  on_a_thread([] {});
  co_await sleep_for(1s);
}

TEST(MisuseElsewhereBugs, APrimitiveOnAnotherThread) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "mutex \"tx\" was unlocked on another thread (misuse_elsewhere.cpp:"},
                     unlocks_on_a_thread));
  EXPECT_TRUE(silent(unlocks_when_the_thread_has_ended));
}

task<void> cancels(bool on_another_thread) {
  auto worker = spawn(sleep_long(), "worker");
  co_await sleep_for(1s);
  next_line_is_wrong();
  const auto cancel = [&] { worker.cancel(); };
  if (on_another_thread) {
    on_a_thread(cancel);
    co_await yield();
  }
  cancel();
  try {
    co_await worker.join();
  } catch (const cancelled&) {
  }
}

TEST(MisuseElsewhereBugs, ATaskCancelledOnAnotherThread) {
  EXPECT_TRUE(
      caught({verdict_kind::misuse, "task \"worker\" was cancelled on another thread"}, [] { return cancels(true); }));
  EXPECT_TRUE(silent([] { return cancels(false); }));
}

task<void> gives_a_handle_to_a_thread(bool and_takes_it_back) {
  next_line_is_wrong();
  auto worker = spawn(sleep_long(), "worker");
  on_a_thread([&] {
    auto given = std::move(worker);
    if (and_takes_it_back) worker = std::move(given);
  });
  co_await sleep_for(1s);
  if (and_takes_it_back) co_await worker.join();
}

TEST(MisuseElsewhereBugs, AHandleDroppedOnAnotherThread) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "task \"worker\" lost its handle on another thread"},
                     [] { return gives_a_handle_to_a_thread(false); }));
  EXPECT_TRUE(silent([] { return gives_a_handle_to_a_thread(true); }));
}

task<void> gives_a_task_to_a_thread(bool and_takes_it_back) {
  auto work = sleep_long();
  on_a_thread([&] {
    auto given = std::move(work);
    if (and_takes_it_back) work = std::move(given);
  });
  co_await sleep_for(1s);
  if (and_takes_it_back) co_await std::move(work);
}

TEST(MisuseElsewhereBugs, ATaskLeftUnawaitedOnAnotherThread) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "the task of sleep_long() was destroyed on another thread"},
                     [] { return gives_a_task_to_a_thread(false); }));
  EXPECT_TRUE(silent([] { return gives_a_task_to_a_thread(true); }));
}

// Resumes on a thread what awaits it.
struct thread_pool {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { waiter = awaiting; }
  void await_resume() const noexcept {}
};

task<void> resumes_on_a_thread(thread_pool& pool) {
  on_a_thread([&] { pool.waiter.resume(); });
  co_return;
}

task<void> waits_for_a_thread() {
  thread_pool pool;
  auto other = spawn(resumes_on_a_thread(pool));
  next_line_is_wrong();
  co_await pool;
  co_await other.join();
}

task<void> waits_for_a_thread_outside() {
  thread_pool pool;
  auto other = spawn(resumes_on_a_thread(pool));
  co_await outside(pool);
  co_await other.join();
}

TEST(MisuseElsewhereBugs, AWaitForAThreadThatIsNotMarked) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "awaits what was resumed on another thread: mark it"}, waits_for_a_thread));
  EXPECT_TRUE(silent(waits_for_a_thread_outside));
}

// -- orders of points -------------------------------------------------------------------------------------------------

task<void> passes(std::string first, std::string second) {
  const local mine;
  co_await point(first);
  co_await point(second);
}

task<void> wants_a_point_that_nobody_has() {
  next_line_is_wrong();
  const order wanted("writer:start", "reader:start");
  auto reader = spawn(passes("reader:start", "reader:end"), "reader");
  co_await reader.join();
}

task<void> ends_before_its_order() {
  next_line_is_wrong();
  const order wanted("reader:start", "reader:late");
  auto reader = spawn(passes("reader:start", "reader:end"), "reader");
  co_await reader.join();
}

task<void> wants_what_can_be() {
  const order wanted("writer:start", "reader:start", "writer:end", "reader:end");
  auto reader = spawn(passes("reader:start", "reader:end"), "reader");
  auto writer = spawn(passes("writer:start", "writer:end"), "writer");
  co_await reader.join();
  co_await writer.join();
}

task<void> fails_within_an_order() {
  const order wanted("reader:start");
  co_await yield();
  throw std::runtime_error("disk full");
}

TEST(MisuseElsewhereBugs, AnOrderOfPointsThatCannotBe) {
  EXPECT_TRUE(caught(
      {verdict_kind::unreached_point, "\"writer:start\" was never reached, number 1 of 2", {verdict_kind::deadlock}},
      wants_a_point_that_nobody_has));
  EXPECT_TRUE(caught({verdict_kind::unreached_point, "\"reader:late\" was never reached, number 2 of 2"},
                     ends_before_its_order));
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "disk full"}, fails_within_an_order));
  EXPECT_TRUE(silent(wants_what_can_be));
}

}  // namespace
}  // namespace lockstep::planted
