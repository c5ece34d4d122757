#include <lockstep/adapters/execution.hpp>

#include "../runtime/judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

namespace lockstep {
namespace {

// Work of somebody else's, which the test ends as it likes: what a sender is, by hand.
class work {
 public:
  std::function<void(int, std::string)> succeed;
  std::function<void(std::exception_ptr)> fail;
  std::function<void()> stop;
  std::function<bool()> stop_requested;

  class sender {
   public:
    using sender_concept = stdexec::sender_t;
    using completion_signatures =
        stdexec::completion_signatures<stdexec::set_value_t(int, std::string), stdexec::set_error_t(std::exception_ptr),
                                       stdexec::set_stopped_t()>;

    explicit sender(work& of) noexcept : of_(&of) {}

    template <class Receiver>
    struct operation {
      using operation_state_concept = stdexec::operation_state_t;

      work* of;
      Receiver to;
      void start() noexcept {
        of->succeed = [this](int number, std::string text) {
          stdexec::set_value(std::move(to), number, std::move(text));
        };
        of->fail = [this](std::exception_ptr why) { stdexec::set_error(std::move(to), std::move(why)); };
        of->stop = [this] { stdexec::set_stopped(std::move(to)); };
        of->stop_requested = [this] { return stdexec::get_stop_token(stdexec::get_env(to)).stop_requested(); };
      }
    };
    template <class Receiver>
    operation<Receiver> connect(Receiver to) && {
      return {of_, std::move(to)};
    }

   private:
    work* of_;
  };

  sender begin() noexcept { return sender(*this); }
};

task<std::string> text_of_work(work& of) {
  const auto [number, text] = co_await from_sender(of.begin());
  co_return text + std::to_string(number);
}

CO_TEST(ExecutionTest, ATaskAwaitsASender) {
  work asked;
  auto waiter = spawn(text_of_work(asked));
  co_await settle();
  asked.succeed(42, "answer ");
  EXPECT_FALSE(waiter.done()) << "it is resumed by its loop";
  EXPECT_EQ(co_await waiter.join(), "answer 42");
}

CO_TEST(ExecutionTest, ASendersErrorIsThrown) {
  work asked;
  auto waiter = spawn(text_of_work(asked));
  co_await settle();
  asked.fail(std::make_exception_ptr(std::runtime_error("no answer")));
  EXPECT_THROW(co_await waiter.join(), std::runtime_error);
}

CO_TEST(ExecutionTest, ASenderThatStopsCancelsTheTask) {
  work asked;
  auto waiter = spawn(text_of_work(asked));
  co_await settle();
  asked.stop();
  EXPECT_THROW(co_await waiter.join(), cancelled);
  EXPECT_TRUE(waiter.was_cancelled());
}

CO_TEST(ExecutionTest, CancellingTheTaskRequestsTheWorkToStop) {
  work asked;
  auto waiter = spawn(text_of_work(asked));
  co_await settle();
  EXPECT_FALSE(asked.stop_requested());
  waiter.cancel("no more");
  EXPECT_TRUE(asked.stop_requested());
  EXPECT_FALSE(waiter.done()) << "the work may go on for a while";
  asked.stop();
  std::string reason;
  try {
    co_await waiter.join();
  } catch (const cancelled& why) {
    reason = why.reason();
  }
  EXPECT_EQ(reason, "no more");
}

CO_TEST(ExecutionTest, WorkThatEndsAllTheSameHasItsResult) {
  work asked;
  std::string got;
  const auto waits = [&]() -> task<void> {
    got = co_await text_of_work(asked);
    co_await yield();
  };
  auto waiter = spawn(waits());
  co_await settle();
  waiter.cancel();
  asked.succeed(1, "late ");
  EXPECT_THROW(co_await waiter.join(), cancelled);
  EXPECT_EQ(got, "late 1");
}

TEST(ExecutionTest, ATaskThatIsDestroyedRequestsTheWorkToStop) {
  work asked;
  const auto main = [&]() -> task<void> {
    auto waiter = spawn(text_of_work(asked), "waiter");
    co_await settle();
  };
  EXPECT_THAT(judge(main).kinds(), testing::ElementsAre(verdict_kind::dropped_handle));
  EXPECT_TRUE(asked.stop_requested());
  asked.stop();
}

CO_TEST(ExecutionTest, WorkComesFromAnotherThread) {
  work asked;
  auto waiter = spawn(text_of_work(asked));
  co_await yield();
  std::jthread worker([&asked] { asked.succeed(42, "answer "); });
  EXPECT_EQ(co_await waiter.join(), "answer 42");
}

// -- the other way round ----------------------------------------------------------------------------------------------

// What a receiver was told.
struct told {
  std::optional<int> value;
  std::exception_ptr error;
  bool stopped = false;
};

class receiver {
 public:
  using receiver_concept = stdexec::receiver_t;
  struct environment {
    std::stop_token token;
    std::stop_token query(stdexec::get_stop_token_t) const noexcept { return token; }
  };

  explicit receiver(told& into, std::stop_token token = {}) noexcept : into_(&into), token_(std::move(token)) {}
  environment get_env() const noexcept { return {token_}; }
  void set_value(int value) noexcept { into_->value = value; }
  void set_value() noexcept { into_->value = 0; }
  void set_error(std::exception_ptr why) noexcept { into_->error = std::move(why); }
  void set_stopped() noexcept { into_->stopped = true; }

 private:
  told* into_;
  std::stop_token token_;
};

task<int> answered_after(duration delay, int value) {
  co_await sleep_for(delay);
  if (value < 0) throw std::invalid_argument("negative");
  co_return value;
}

CO_TEST(ExecutionTest, ATaskIsASender) {
  told answer;
  auto asked = stdexec::connect(as_sender(answered_after(std::chrono::hours(1), 42)), receiver(answer));
  stdexec::start(asked);
  co_await settle();
  EXPECT_FALSE(answer.value);
  co_await sleep_for(std::chrono::hours(1));
  co_await settle();
  EXPECT_EQ(answer.value, 42);
}

CO_TEST(ExecutionTest, ATaskWithoutAResultIsASenderAsWell) {
  told answer;
  const auto nothing = []() -> task<void> { co_return; };
  auto asked = stdexec::connect(as_sender(nothing()), receiver(answer));
  stdexec::start(asked);
  co_await settle();
  EXPECT_EQ(answer.value, 0);
}

CO_TEST(ExecutionTest, WhatLeavesTheTaskIsTheSendersError) {
  told answer;
  auto asked = stdexec::connect(as_sender(answered_after({}, -1)), receiver(answer));
  stdexec::start(asked);
  co_await settle();
  CO_ASSERT_TRUE(answer.error != nullptr);
  EXPECT_THROW(std::rethrow_exception(answer.error), std::invalid_argument);
}

CO_TEST(ExecutionTest, TheReceiversStopTokenCancelsTheTask) {
  told answer;
  std::stop_source stop;
  auto asked =
      stdexec::connect(as_sender(answered_after(std::chrono::hours(1), 42)), receiver(answer, stop.get_token()));
  stdexec::start(asked);
  co_await yield();
  stop.request_stop();
  co_await settle();
  EXPECT_TRUE(answer.stopped);
  EXPECT_EQ(now(), time_point{});
}

TEST(ExecutionTest, ATaskThatIsLeftAtTheEndOfTheRunIsStopped) {
  told answer;
  using operation = decltype(stdexec::connect(as_sender(answered_after({}, 0)), receiver(answer)));
  std::unique_ptr<operation> asked;
  const auto main = [&]() -> task<void> {
    asked.reset(new operation(answered_after(std::chrono::hours(1), 42), receiver(answer)));
    stdexec::start(*asked);
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_TRUE(answer.stopped);
}

TEST(ExecutionTest, ATaskOfARunThatStopsIsStopped) {
  told answer;
  using operation = decltype(stdexec::connect(as_sender(answered_after({}, 0)), receiver(answer)));
  std::unique_ptr<operation> asked;
  const auto main = [&]() -> task<void> {
    asked.reset(new operation(answered_after(std::chrono::hours(1), 42), receiver(answer)));
    stdexec::start(*asked);
    co_await yield();
    current_loop()->stop();
    co_await yield();
  };
  EXPECT_FALSE(judge(main).ended);
  EXPECT_TRUE(answer.stopped);
}

CO_TEST(ExecutionTest, ATaskAwaitsATaskThroughASender) {
  EXPECT_EQ(co_await from_sender(as_sender(answered_after({}, 42))), 42);
}

}  // namespace
}  // namespace lockstep
