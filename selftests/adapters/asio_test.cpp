#include <lockstep/adapters/asio.hpp>

#include "../runtime/judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;
using boost::system::system_error;

// Runs a context on the loop's own thread, a little between all steps, for as long as it lives.
class polled {
 public:
  explicit polled(asio::io_context& context) : poller_(spawn(poll(context))) {}
  polled(const polled&) = delete;
  polled& operator=(const polled&) = delete;
  task<void> stop() {
    poller_.cancel();
    co_await as_ended(poller_);
  }

 private:
  static task<void> poll(asio::io_context& context) {
    for (;;) {
      context.poll();
      context.restart();
      co_await yield();
    }
  }
  static task<void> as_ended(join_handle<void>& joined) {
    try {
      co_await joined.join();
    } catch (const cancelled&) {
    }
  }

  join_handle<void> poller_;
};

// Two ends of a stream.
struct stream {
  explicit stream(asio::io_context& context) : near(context), far(context) { asio::local::connect_pair(near, far); }
  asio::local::stream_protocol::socket near;
  asio::local::stream_protocol::socket far;
};

CO_TEST(AsioTest, ATaskAwaitsAnOperation) {
  asio::thread_pool pool(1);
  asio::steady_timer timer(pool, 1ms);
  co_await timer.async_wait(use_task);
  EXPECT_LE(timer.expiry(), asio::steady_timer::clock_type::now());
}

CO_TEST(AsioTest, TheVirtualClockHoldsMeanwhile) {
  asio::thread_pool pool(1);
  asio::steady_timer timer(pool, 1ms);
  auto sleeper = spawn([]() -> task<void> { co_await sleep_for(1ns); }());
  co_await timer.async_wait(use_task);
  EXPECT_EQ(now(), time_point{});
  co_await sleeper.join();
}

CO_TEST(AsioTest, TheAwaitReturnsWhatTheOperationCompletesWith) {
  asio::io_context context;
  stream pipe(context);
  polled by_a_task(context);
  const std::string sent = "hello";
  std::array<char, 5> received{};
  const std::size_t written = co_await asio::async_write(pipe.near, asio::buffer(sent), use_task);
  EXPECT_EQ(written, 5u);
  const std::size_t read = co_await asio::async_read(pipe.far, asio::buffer(received), use_task);
  EXPECT_EQ(read, 5u);
  EXPECT_EQ(std::string(received.begin(), received.end()), sent);
  co_await by_a_task.stop();
}

CO_TEST(AsioTest, TheTaskIsResumedByItsLoop) {
  asio::io_context context;
  auto waiter = spawn([](asio::io_context& from) -> task<void> { co_await asio::post(from, use_task); }(context));
  co_await yield();
  EXPECT_EQ(context.poll(), 1u);
  EXPECT_FALSE(waiter.done()) << "and not within the context";
  co_await waiter.join();
}

CO_TEST(AsioTest, AnErrorCodeIsThrown) {
  asio::io_context context;
  stream pipe(context);
  polled by_a_task(context);
  pipe.near.close();
  std::array<char, 1> received{};
  const auto read = [&]() -> task<void> { co_await asio::async_read(pipe.far, asio::buffer(received), use_task); };
  error_code thrown;
  try {
    co_await read();
  } catch (const system_error& error) {
    thrown = error.code();
  }
  EXPECT_EQ(thrown, asio::error::eof);
  co_await by_a_task.stop();
}

CO_TEST(AsioTest, AsTupleReturnsTheErrorCode) {
  asio::io_context context;
  stream pipe(context);
  polled by_a_task(context);
  pipe.near.close();
  std::array<char, 1> received{};
  const auto result = co_await asio::async_read(pipe.far, asio::buffer(received), asio::as_tuple(use_task));
  EXPECT_EQ(std::get<0>(result), asio::error::eof);
  EXPECT_EQ(std::get<1>(result), 0u);
  co_await by_a_task.stop();
}

CO_TEST(AsioTest, AnObjectMayTakeTheTokenByDefault) {
  asio::thread_pool pool(1);
  use_task_t::as_default_on_t<asio::steady_timer> timer(pool, 1ms);
  co_await timer.async_wait();
}

asio::awaitable<int> answer(int value) {
  if (value < 0) throw std::invalid_argument("negative");
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  co_return value;
}

CO_TEST(AsioTest, ATaskAwaitsACoroutineOfAsios) {
  asio::io_context context;
  polled by_a_task(context);
  const int value = co_await asio::co_spawn(context, answer(42), use_task);
  EXPECT_EQ(value, 42);
  const auto fails = [&]() -> task<void> { co_await asio::co_spawn(context, answer(-1), use_task); };
  EXPECT_THROW(co_await fails(), std::invalid_argument);
  co_await by_a_task.stop();
}

task<std::string> read_one(stream& from) {
  std::array<char, 1> received{};
  co_await asio::async_read(from.far, asio::buffer(received), use_task);
  co_return std::string(received.begin(), received.end());
}

CO_TEST(AsioTest, CancellingTheTaskCancelsItsOperation) {
  asio::io_context context;
  stream pipe(context);
  polled by_a_task(context);
  auto reader = spawn(read_one(pipe));
  co_await yield();
  EXPECT_TRUE(reader.cancel("no more"));
  std::string reason;
  try {
    co_await reader.join();
  } catch (const cancelled& why) {
    reason = why.reason();
  }
  EXPECT_EQ(reason, "no more");
  auto next = spawn(read_one(pipe));
  const std::string sent = "x";
  co_await asio::async_write(pipe.near, asio::buffer(sent), use_task);
  EXPECT_EQ(co_await next.join(), "x") << "the stream can be used as before";
  co_await by_a_task.stop();
}

CO_TEST(AsioTest, ACancellationIsNoErrorCode) {
  asio::io_context context;
  stream pipe(context);
  polled by_a_task(context);
  const auto reads = [](stream& from) -> task<void> {
    std::array<char, 1> received{};
    co_await asio::async_read(from.far, asio::buffer(received), asio::as_tuple(use_task));
    ADD_FAILURE() << "returned";
  };
  auto reader = spawn(reads(pipe));
  co_await yield();
  reader.cancel();
  EXPECT_THROW(co_await reader.join(), cancelled);
  co_await by_a_task.stop();
}

CO_TEST(AsioTest, WhatWasAbortedByAnotherIsAnError) {
  asio::io_context context;
  stream pipe(context);
  polled by_a_task(context);
  auto reader = spawn(read_one(pipe));
  co_await yield();
  pipe.far.cancel();
  error_code thrown;
  try {
    co_await reader.join();
  } catch (const system_error& error) {
    thrown = error.code();
  }
  EXPECT_EQ(thrown, asio::error::operation_aborted);
  co_await by_a_task.stop();
}

// A result that has come is not lost to a cancellation that comes later: that is delivered at the next await.
CO_TEST(AsioTest, ACancellationThatComesTooLateLeavesTheResult) {
  asio::io_context context;
  stream pipe(context);
  bool read = false;
  const auto reads_twice = [&]() -> task<void> {
    EXPECT_EQ(co_await read_one(pipe), "x");
    read = true;
    co_await read_one(pipe);
  };
  auto reader = spawn(reads_twice());
  co_await yield();
  pipe.near.send(asio::buffer("x", 1));
  context.poll();
  reader.cancel();
  EXPECT_THROW(co_await reader.join(), cancelled);
  EXPECT_TRUE(read);
}

CO_TEST(AsioTest, WhatCannotBeCancelledIsWaitedFor) {
  asio::io_context context;
  bool came_back = false;
  const auto posts = [&]() -> task<void> {
    co_await asio::post(context, use_task);
    came_back = true;
    co_await yield();
  };
  auto poster = spawn(posts());
  co_await yield();
  poster.cancel();
  co_await yield();
  EXPECT_FALSE(poster.done());
  context.poll();
  EXPECT_THROW(co_await poster.join(), cancelled);
  EXPECT_TRUE(came_back);
}

TEST(AsioTest, ATaskThatIsDestroyedCancelsItsOperation) {
  asio::io_context context;
  stream pipe(context);
  const auto main = [&]() -> task<void> {
    {
      auto reader = spawn(read_one(pipe), "reader");
      co_await yield();
    }
    context.poll();
    EXPECT_TRUE(context.stopped()) << "something is still under way";
  };
  EXPECT_THAT(judge(main).kinds(), testing::ElementsAre(verdict_kind::dropped_handle));
}

TEST(AsioTest, AnOperationThatEndsAfterItsWorldIsHarmless) {
  asio::io_context context;
  stream pipe(context);
  const auto stops = [&]() -> task<void> {
    auto reader = spawn(read_one(pipe), "reader");
    co_await yield();
    current_loop()->stop();
    co_await yield();
  };
  EXPECT_FALSE(judge(stops).ended);
  pipe.near.send(asio::buffer("x", 1));
  context.poll();
}

CO_TEST(AsioTest, AnOperationWhoseContextDiesIsAborted) {
  auto context = std::make_unique<asio::io_context>();
  const auto posts = [](asio::io_context& to) -> task<void> { co_await asio::post(to, use_task); };
  auto poster = spawn(posts(*context));
  co_await yield();
  context.reset();
  error_code thrown;
  try {
    co_await poster.join();
  } catch (const system_error& error) {
    thrown = error.code();
  }
  EXPECT_EQ(thrown, asio::error::operation_aborted);
}

CO_TEST(AsioTest, WhatTheStartOfAnOperationThrowsIsThrown) {
  const auto starts = []() -> task<void> {
    co_await asio::async_initiate<const use_task_t, void(int)>(
        [](auto) { throw std::runtime_error("out of descriptors"); }, use_task);
  };
  EXPECT_THROW(co_await starts(), std::runtime_error);
}

// -- the other way round ----------------------------------------------------------------------------------------------

task<int> answer_after(duration delay, int value) {
  co_await sleep_for(delay);
  if (value < 0) throw std::invalid_argument("negative");
  co_return value;
}

asio::awaitable<int> asks_ours(duration delay, int value) {
  co_return co_await async_run(answer_after(delay, value), asio::use_awaitable);
}

// Runs the context until a task has ended that may wait for virtual time: what is under way there does not hold the
// clock, as it is not awaited as an operation of Asio's.
template <class T>
task<T> run_with(asio::io_context& context, asio::awaitable<T> work) {
  promise<T> result;
  future<T> coming = result.get_future();
  asio::co_spawn(context, std::move(work), [&result](const std::exception_ptr& failure, T value) {
    if (failure != nullptr) {
      result.set_exception(failure);
    } else {
      result.set_value(std::move(value));
    }
  });
  while (!coming.done()) {
    context.restart();
    context.poll();
    co_await sleep_for(1ms);
  }
  co_return coming.result();
}

CO_TEST(AsioTest, ACoroutineOfAsiosAwaitsATask) {
  asio::io_context context;
  EXPECT_EQ(co_await run_with(context, asks_ours(1s, 42)), 42);
  EXPECT_GE(now(), time_point{1s});
  EXPECT_THROW(co_await run_with(context, asks_ours(1s, -1)), std::invalid_argument);
}

CO_TEST(AsioTest, ATaskWithoutAResultIsAwaitedAsWell) {
  asio::io_context context;
  bool slept = false;
  const auto sleeps = [](bool& done) -> task<void> {
    co_await sleep_for(1s);
    done = true;
  };
  const auto waits = [](task<void> work) -> asio::awaitable<int> {
    co_await async_run(std::move(work), asio::use_awaitable);
    co_return 1;
  };
  EXPECT_EQ(co_await run_with(context, waits(sleeps(slept))), 1);
  EXPECT_TRUE(slept);
}

CO_TEST(AsioTest, TheContextHasWorkAsLongAsTheTaskRuns) {
  asio::io_context context;
  int answered = 0;
  async_run(answer_after(1s, 42),
            asio::bind_executor(context, [&](const std::exception_ptr&, int value) { answered = value; }));
  context.poll();
  EXPECT_FALSE(context.stopped());
  co_await sleep_for(1s);
  co_await settle();
  EXPECT_EQ(answered, 0) << "the handler belongs to the context";
  context.poll();
  EXPECT_EQ(answered, 42);
  EXPECT_TRUE(context.stopped());
}

CO_TEST(AsioTest, TheCancellationSlotCancelsTheTask) {
  asio::io_context context;
  asio::cancellation_signal stop;
  std::exception_ptr ended;
  async_run(answer_after(1h, 42),
            asio::bind_cancellation_slot(stop.slot(), asio::bind_executor(context, [&](std::exception_ptr why, int) {
                                           ended = std::move(why);
                                         })));
  co_await yield();
  stop.emit(asio::cancellation_type::terminal);
  co_await settle();
  context.poll();
  EXPECT_EQ(now(), time_point{});
  CO_ASSERT_TRUE(ended != nullptr);
  try {
    std::rethrow_exception(ended);
  } catch (const system_error& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
}

TEST(AsioTest, ATaskThatIsLeftAtTheEndOfTheRunIsAborted) {
  asio::io_context context;
  int completed = 0;
  const auto main = [&]() -> task<void> {
    async_run(answer_after(1h, 42),
              asio::bind_executor(context, [&](const std::exception_ptr& why, int) { completed += why != nullptr; }));
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "");
  context.poll();
  EXPECT_EQ(completed, 1);
}

TEST(AsioTest, ATaskOfARunThatStopsIsAborted) {
  asio::io_context context;
  int completed = 0;
  const auto main = [&]() -> task<void> {
    async_run(answer_after(1h, 42),
              asio::bind_executor(context, [&](const std::exception_ptr& why, int) { completed += why != nullptr; }));
    co_await yield();
    current_loop()->stop();
    co_await yield();
  };
  EXPECT_FALSE(judge(main).ended);
  context.poll();
  EXPECT_EQ(completed, 1);
}

TEST(AsioTest, ThereMustBeALoop) {
  const auto runs = [](task<int> work) { async_run(std::move(work), [](const std::exception_ptr&, int) {}); };
  EXPECT_THROW(runs(answer_after(1h, 42)), misuse);
}

}  // namespace
}  // namespace lockstep
