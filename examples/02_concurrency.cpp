// Concurrency: waits overlap, and each way to end them early: the first result, a timeout, a cancellation, a failure.
#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <vector>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [code]
// Stands for anything that waits for the outside: a disk, a server, a person.
task<int> answer_after(duration delay, int answer) {
  co_await sleep_for(delay);
  co_return answer;
}

task<void> fail_after(duration delay) {
  co_await sleep_for(delay);
  throw std::runtime_error("connection refused");
}
// [/code]

// [when_all]
CO_TEST(Waits, Overlap) {
  std::vector<task<int>> questions;
  for (int i = 1; i <= 10; ++i) questions.push_back(answer_after(i * 100ms, i));
  const std::vector<int> answers = co_await when_all(std::move(questions));
  EXPECT_EQ(answers, (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(now(), time_point{1s});
}
// [/when_all]

// [when_any]
CO_TEST(Waits, EndWithTheFirstResult) {
  const auto first = co_await when_any(answer_after(3s, 30), answer_after(2s, 20));
  EXPECT_EQ(first.index, 1u);
  EXPECT_EQ(std::get<1>(first.value), 20);
  EXPECT_EQ(now(), time_point{2s});
}
// [/when_any]

// [timeout]
CO_TEST(Waits, EndWithTheirTimeout) {
  EXPECT_THROW(co_await with_timeout(1s, answer_after(1h, 0)), timed_out);
  EXPECT_EQ(now(), time_point{1s});
}
// [/timeout]

// [other_waits]
CO_TEST(Waits, ForALetterEndWithTheirTimeoutAsWell) {
  queue<int> letters;
  EXPECT_THROW(co_await with_timeout(1s, letters.get()), timed_out);
}
// [/other_waits]

// [cancelled]
CO_TEST(Waits, EndWhenCancelled) {
  auto question = spawn(answer_after(1h, 0));
  co_await sleep_for(1s);
  question.cancel();
  EXPECT_THROW(co_await question.join(), cancelled);
  EXPECT_EQ(now(), time_point{1s});
}
// [/cancelled]

// [task_group]
CO_TEST(Waits, EndWhenAnotherTaskOfTheirGroupFails) {
  const auto body = [](task_group& group) -> task<void> {
    group.spawn(answer_after(1h, 0));
    group.spawn(fail_after(2s));
    co_return;
  };
  EXPECT_THROW(co_await with_task_group(body), exception_group);
  EXPECT_EQ(now(), time_point{2s});
}
// [/task_group]

}  // namespace
