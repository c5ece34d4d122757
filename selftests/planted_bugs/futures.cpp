// Promises that are set twice or never, exceptions that stay in a future, callbacks that fail.
#include "planted.hpp"

#include <memory>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

std::exception_ptr disk_full() { return std::make_exception_ptr(std::runtime_error("disk full")); }

// -- set twice --------------------------------------------------------------------------------------------------------

// Two replies come, and both set the promise.
task<void> reply(promise<int>& answer, duration after, int value) {
  const local mine;
  co_await sleep_for(after);
  answer.set_value(value);
}

task<void> try_to_reply(promise<int>& answer, duration after, int value) {
  const local mine;
  co_await sleep_for(after);
  answer.try_set_value(value);
}

TEST(FutureBugs, APromiseThatIsSetTwice) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "set_value() of future \"answer\", which was set before (futures.cpp:"},
                     []() -> task<void> {
                       promise<int> answer("answer");
                       co_await both(reply(answer, 1s, 1), reply(answer, 2s, 2));
                     }));
  EXPECT_TRUE(silent([]() -> task<void> {
    promise<int> answer("answer");
    co_await both(try_to_reply(answer, 1s, 1), try_to_reply(answer, 2s, 2));
  }));
}

// The answer comes when nobody wants it any more.
task<void> asks_and_gives_up(bool carefully) {
  promise<int> answer("answer");
  future<int> wanted = answer.get_future();
  auto replying = spawn(carefully ? try_to_reply(answer, 2s, 1) : reply(answer, 2s, 1), "replying");
  co_await sleep_for(1s);
  wanted.cancel("took too long");
  co_await replying.join();
}

TEST(FutureBugs, APromiseThatIsSetWhenItsFutureWasCancelled) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "set_value() of future \"answer\", which was cancelled before"},
                     [] { return asks_and_gives_up(false); }));
  EXPECT_TRUE(silent([] { return asks_and_gives_up(true); }));
}

// -- never set --------------------------------------------------------------------------------------------------------

// A request is dropped, and nobody tells who waits for its answer.
task<void> drop_requests(std::unique_ptr<promise<int>> request, bool refuse) {
  const local mine;
  const std::unique_ptr<promise<int>> dropped = std::move(request);  // what is passed lives as long as the handle
  co_await sleep_for(1s);
  if (refuse) dropped->set_value(-1);
}

task<void> waits_for_a_request(bool refuse) {
  const local mine;
  auto request = std::make_unique<promise<int>>(label("request"));
  const future<int> answer = request->get_future();
  auto server = spawn(drop_requests(std::move(request), refuse), "server");
  const int got = co_await answer.get();
  require(got == -1, "refused");
  co_await server.join();
}

TEST(FutureBugs, APromiseThatDiesUnset) {
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception,
                      "the promise of future \"request\" died unset",
                      {verdict_kind::dropped_handle}},
                     [] { return waits_for_a_request(false); }));
  EXPECT_TRUE(silent([] { return waits_for_a_request(true); }));
}

task<void> waits_for_a_value_nobody_sets() {
  const local mine;
  const promise<int> answer("answer");
  next_line_is_wrong();
  co_await answer.get_future().get();
}

TEST(FutureBugs, AFutureThatNobodySets) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "every task waits", {}, {"main: future \"answer\""}},
                     waits_for_a_value_nobody_sets));
}

// -- unread -----------------------------------------------------------------------------------------------------------

task<void> fails_an_answer(bool somebody_looks) {
  const local mine;
  promise<int> answer("answer");
  const future<int> wanted = answer.get_future();
  co_await sleep_for(1s);
  next_line_is_wrong();
  answer.set_exception(disk_full());
  if (somebody_looks) static_cast<void>(wanted.exception());
}

TEST(FutureBugs, AnExceptionThatStaysInAFuture) {
  EXPECT_TRUE(caught({verdict_kind::unread_exception, "future \"answer\" failed and nobody looked: disk full"},
                     [] { return fails_an_answer(false); }));
  EXPECT_TRUE(silent([] { return fails_an_answer(true); }));
}

// The only task that waits is cancelled in the same instant: in some orders it has seen the exception before, in others
// nobody has.
task<void> cancels_the_only_waiter(bool looks_itself) {
  const local mine;
  promise<int> answer("answer");
  const future<int> wanted = answer.get_future();
  const auto wait = [&]() -> task<void> {
    try {
      co_await wanted.get();
    } catch (const std::runtime_error&) {
    }
  };
  auto waiter = spawn(wait(), "waiter");
  co_await yield();
  answer.set_exception(disk_full());
  co_await yield();
  waiter.cancel();
  try {
    co_await waiter.join();
  } catch (const cancelled&) {
  }
  if (looks_itself) static_cast<void>(wanted.exception());
}

TEST(FutureBugs, AnExceptionWhoseOnlyReaderIsCancelled) {
  EXPECT_TRUE(caught({verdict_kind::unread_exception, "future \"answer\" failed", {}, {}, finds::random},
                     [] { return cancels_the_only_waiter(false); }));
  EXPECT_TRUE(silent([] { return cancels_the_only_waiter(true); }));
}

// -- callbacks --------------------------------------------------------------------------------------------------------

task<void> has_a_failing_callback(bool handles) {
  const local mine;
  next_line_is_wrong();
  call_later(1s, [handles] {
    try {
      throw std::runtime_error("disk full");
    } catch (const std::runtime_error&) {
      if (!handles) throw;
    }
  });
  co_await sleep_for(2s);
}

TEST(CallbackBugs, ACallbackThatFails) {
  EXPECT_TRUE(
      caught({verdict_kind::unhandled_exception, "(futures.cpp:"}, [] { return has_a_failing_callback(false); }));
  EXPECT_TRUE(silent([] { return has_a_failing_callback(true); }));
}

// A handler that is there to write the failure down fails itself.
task<void> has_a_handler(bool broken) {
  const local mine;
  set_exception_handler([broken](const exception_context&) { require(!broken, "no log"); });
  call_soon([] { throw std::runtime_error("disk full"); });
  co_await sleep_for(1s);
}

TEST(CallbackBugs, AnExceptionHandlerThatFails) {
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "the exception handler failed: no log; it was told that"},
                     [] { return has_a_handler(true); }));
  EXPECT_TRUE(silent([] { return has_a_handler(false); }));
}

// It is called before or after the task has read the value, as the schedule has it.
task<void> resets_in_a_callback(bool cancels_first) {
  const local mine;
  int value = 1;
  callback_handle reset = call_soon([&] { value = 0; });
  if (cancels_first) reset.cancel();
  co_await yield();
  co_await yield();
  require(value == 1, "reset");
}

TEST(CallbackBugs, ACallbackThatInterferes) {
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "reset", {}, {}, finds::in_some_order},
                     [] { return resets_in_a_callback(false); }));
  EXPECT_TRUE(silent([] { return resets_in_a_callback(true); }));
}

}  // namespace
}  // namespace lockstep::planted
