// Ways to wait for several tasks: for all, whatever they come to; for the first; in the order of their ends; and once
// for all who ask.
#include <lockstep/testing/testing.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

task<int> answer_after(duration delay, int answer) {
  co_await sleep_for(delay);
  co_return answer;
}

task<int> fail_after(duration delay) {
  co_await sleep_for(delay);
  throw std::runtime_error("no route");
}

// [settled]
CO_TEST(Answers, ComeAsResultsWhateverTheyAre) {
  auto [one, two] = co_await when_all_settled(answer_after(2s, 1), fail_after(1s));
  EXPECT_EQ(one.value(), 1);
  EXPECT_EQ(text_of(two.error()), "no route");
}
// [/settled]

// [wait]
CO_TEST(Answers, AreAskedAgainWhereTheFirstIsLate) {
  auto first = spawn(answer_after(3s, 1));
  const waited in_time = co_await wait(wait_until::all_completed, 1s, first);
  EXPECT_TRUE(in_time.done.empty());
  auto second = spawn(answer_after(1s, 2));
  const waited either = co_await wait(wait_until::first_completed, first, second);
  EXPECT_EQ(either.done, std::vector<std::size_t>{1});
  EXPECT_EQ(second.result(), 2);
  EXPECT_EQ(co_await first.join(), 1);  // it is still ours
}
// [/wait]

// [as_completed]
CO_TEST(Answers, AreTakenAsTheyCome) {
  std::vector<task<int>> questions;
  for (const int seconds : {3, 1, 2}) questions.push_back(answer_after(std::chrono::seconds(seconds), seconds));
  as_completed<int> answers(std::move(questions));
  std::vector<int> order;
  while (join_handle<int>* const each = co_await answers.next()) order.push_back(each->result());
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}
// [/as_completed]

// [shared]
class book {
 public:
  // Whoever asks while the answer is under way waits for that one.
  task<int> answer_to(std::string question) {
    auto found = under_way_.find(question);
    if (found == under_way_.end()) {
      found = under_way_.emplace(question, shared_task(look_up(question))).first;
    }
    const shared_task<int> mine = found->second;
    co_return co_await mine.get();
  }
  int looked_up = 0;

 private:
  task<int> look_up(std::string question) {
    ++looked_up;
    co_await sleep_for(1s);
    co_return static_cast<int>(question.size());
  }

  std::map<std::string, shared_task<int>> under_way_;
};

CO_TEST(Answers, AreLookedUpOnceForAllWhoAsk) {
  book pages;
  auto [one, two, other] = co_await when_all(pages.answer_to("why"), pages.answer_to("why"), pages.answer_to("how so"));
  EXPECT_EQ(one + two + other, 12);
  EXPECT_EQ(pages.looked_up, 2);
}
// [/shared]

// [body]
task<int> read_all(std::vector<duration> parts) {
  const auto body = [&](timeout_scope& limit) -> task<int> {
    int read = 0;
    for (const duration each : parts) {
      co_await sleep_for(each);
      ++read;
      limit.reschedule(now() + 2s);  // as long as something comes
    }
    co_return read;
  };
  co_return co_await with_timeout(2s, body);
}
// [/body]

// [halting]
CO_TEST(Answers, MayTakeLongAsLongAsSomethingComes) {
  const std::vector<duration> steady{1s, 1s, 1s};
  EXPECT_EQ(co_await read_all(steady), 3);
  const std::vector<duration> halting{1s, 3s, 1s};
  EXPECT_THROW(co_await read_all(halting), timed_out);
  EXPECT_EQ(now(), time_point{6s});
}
// [/halting]

// [cancel]
CO_TEST(Answers, OneIsEnoughForTheGroup) {
  int first = 0;
  const auto ask = [&](task_group& group, duration delay, int answer) -> task<void> {
    first = co_await answer_after(delay, answer);
    group.cancel();
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(ask(group, 2s, 2));
    group.spawn(ask(group, 1s, 1));
    co_await sleep_until(time_point::max());
  };
  co_await with_task_group(body);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(now(), time_point{1s});
}
// [/cancel]

}  // namespace
