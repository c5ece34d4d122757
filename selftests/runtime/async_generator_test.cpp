#include "foreign_coroutines.hpp"
#include "generators.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <class T>
task<std::vector<T>> all_of(async_generator<T> items) {
  std::vector<T> all;
  while (T* const item = co_await items.next()) all.push_back(std::move(*item));
  EXPECT_TRUE(items.ended());
  EXPECT_EQ(co_await items.next(), nullptr) << "it stays at its end";
  co_return all;
}

// -- items ------------------------------------------------------------------------------------------------------------

CO_TEST(AsyncGeneratorTest, YieldsItsItemsInOrder) {
  EXPECT_THAT(co_await all_of(count_to(3)), ElementsAre(1, 2, 3));
  EXPECT_THAT(co_await all_of(count_to(3, 1s)), ElementsAre(1, 2, 3));
  EXPECT_EQ(now(), time_point{3s});
  EXPECT_THAT(co_await all_of(count_to(0)), IsEmpty());
}

CO_TEST(AsyncGeneratorTest, IsACallAndNoSchedulingPoint) {
  bool other_ran = false;
  const auto other = [&]() -> task<void> {
    other_ran = true;
    co_return;
  };
  auto beside = spawn(other());
  EXPECT_THAT(co_await all_of(count_to(100)), testing::SizeIs(100));
  EXPECT_FALSE(other_ran);
  co_await beside.join();
}

CO_TEST(AsyncGeneratorTest, CopiesAnLvalueAndLendsAReference) {
  const auto values = []() -> async_generator<std::string> {
    std::string kept = "kept";
    co_yield kept;
    co_yield std::move(kept);
  };
  EXPECT_THAT(co_await all_of(values()), ElementsAre("kept", "kept"));
  const auto references = []() -> async_generator<int&> {
    int own = 1;
    co_yield own;
    EXPECT_EQ(own, 5);
  };
  auto lent = references();
  int* const item = co_await lent.next();
  *item = 5;
  EXPECT_EQ(co_await lent.next(), nullptr);
  const auto moved = []() -> async_generator<std::unique_ptr<int>> { co_yield std::make_unique<int>(7); };
  EXPECT_EQ(*(co_await all_of(moved())).at(0), 7);
}

CO_TEST(AsyncGeneratorTest, RunsInTheNameOfWhoeverAsks) {
  const auto names = []() -> async_generator<std::string> {
    for (;;) co_yield current_task().name();
  };
  auto shared = names();
  const auto ask = [&]() -> task<std::string> { co_return *co_await shared.next(); };
  auto reader = spawn(ask(), "reader");
  EXPECT_EQ(co_await reader.join(), "reader");
  auto writer = spawn(ask(), "writer");
  EXPECT_EQ(co_await writer.join(), "writer");
}

CO_TEST(AsyncGeneratorTest, MayBeMovedBetweenTwoItems) {
  auto first = count_to(3, 1ms);
  EXPECT_EQ(*co_await first.next(), 1);
  auto second = std::move(first);
  EXPECT_EQ(co_await first.next(), nullptr);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(*co_await second.next(), 2);
  first = std::move(second);
  EXPECT_EQ(*co_await first.next(), 3);
  EXPECT_EQ(co_await first.next(), nullptr);
}

CO_TEST(AsyncGeneratorTest, MayAskAnother) {
  const auto doubled = [](async_generator<int> of) -> async_generator<int> {
    while (const int* item = co_await of.next()) co_yield *item * 2;
  };
  EXPECT_THAT(co_await all_of(doubled(doubled(count_to(3, 1s)))), ElementsAre(4, 8, 12));
}

CO_TEST(AsyncGeneratorTest, MayBeAskedByAForeignCoroutine) {
  auto items = count_to(2, 1s);
  const auto ask = [](async_generator<int>& of) -> foreign::lazy<int> {
    int sum = 0;
    while (const int* item = co_await of.next()) sum += *item;
    co_return sum;
  };
  EXPECT_EQ(co_await ask(items), 3);
}

// -- ending by itself -------------------------------------------------------------------------------------------------

CO_TEST(AsyncGeneratorTest, RunsItsCleanUpsWhenTheBodyEnds) {
  std::string log;
  auto items = logged(log, 1);
  EXPECT_NE(co_await items.next(), nullptr);
  EXPECT_EQ(log, "");
  EXPECT_EQ(co_await items.next(), nullptr);
  EXPECT_EQ(log, "locals second first ");
  EXPECT_EQ(now(), time_point{2s});
}

async_generator<int> failing(std::string& log, duration pause = {}) {
  on_close(note(log, "closed "));
  co_yield 1;
  if (pause != duration{}) co_await sleep_for(pause);
  throw std::runtime_error("disk full");
}

CO_TEST(AsyncGeneratorTest, ThrowsWhatLeavesTheBodyAfterItsCleanUps) {
  for (const duration pause : {duration{}, duration{1s}}) {
    std::string log;
    auto items = failing(log, pause);
    EXPECT_NE(co_await items.next(), nullptr);
    EXPECT_THROW(co_await items.next(), std::runtime_error);
    EXPECT_EQ(log, "closed ");
    EXPECT_EQ(co_await items.next(), nullptr);
  }
}

CO_TEST(AsyncGeneratorTest, ACancellationIsDeliveredInTheBodyAndLeavesThroughNext) {
  std::string log;
  const auto read = [&]() -> task<void> {
    auto items = logged(log, 3, 10s);
    try {
      co_await items.next();
    } catch (const cancelled& why) {
      log += why.reason();
      EXPECT_TRUE(items.ended());
      throw;
    }
  };
  auto reader = spawn(read());
  co_await sleep_for(1s);
  reader.cancel("enough");
  EXPECT_THROW(co_await reader.join(), cancelled);
  EXPECT_EQ(log, "locals second first enough");
  EXPECT_EQ(now(), time_point{3s}) << "a cancelled task awaits its clean-ups";
}

CO_TEST(AsyncGeneratorTest, ATimeoutIsDeliveredInTheBody) {
  std::string log;
  auto items = logged(log, 3, 10s);
  EXPECT_THROW(co_await with_timeout(1s, items.next()), timed_out);
  EXPECT_EQ(log, "locals second first ");
  EXPECT_EQ(co_await items.next(), nullptr);
}

CO_TEST(AsyncGeneratorTest, ABodyThatDealsWithACancellationGoesOn) {
  const auto stubborn = []() -> async_generator<int> {
    bool stopped = false;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      stopped = true;
      current_task().uncancel();
    }
    co_yield stopped ? 1 : 0;
  };
  const auto read = [&]() -> task<int> {
    auto items = stubborn();
    co_return *co_await items.next();
  };
  auto reader = spawn(read());
  co_await settle();
  reader.cancel();
  EXPECT_EQ(co_await reader.join(), 1);
}

CO_TEST(AsyncGeneratorTest, LosesNoFailureOfACleanUp) {
  auto good = badly_closed(false, 1);
  co_await good.next();
  EXPECT_THROW(co_await good.next(), std::runtime_error);
  auto bad = badly_closed(true, 2);
  co_await bad.next();
  try {
    co_await bad.next();
    CO_FAIL();
  } catch (const exception_group& all) {
    CO_ASSERT_EQ(all.exceptions().size(), 3u);
    EXPECT_EQ(text_of(all.exceptions()[0]), "disk full");
    EXPECT_EQ(text_of(all.exceptions()[2]), "no goodbye");
  }
  auto closed = badly_closed(false, 1);
  co_await closed.next();
  EXPECT_THROW(co_await closed.close(), std::runtime_error);
}

CO_TEST(AsyncGeneratorTest, AFailingCleanUpReplacesACancellationWhichComesNext) {
  std::string log;
  const auto fail = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("no goodbye");
  };
  const auto waiting = [&]() -> async_generator<int> {
    on_close(fail);
    co_await sleep_for(1h);
    co_yield 1;
  };
  const auto read = [&]() -> task<void> {
    auto items = waiting();
    try {
      co_await items.next();
    } catch (const std::runtime_error&) {
      log += "failed ";
    }
    co_await yield();
    log += "not reached";
  };
  auto reader = spawn(read());
  co_await settle();
  reader.cancel();
  EXPECT_THROW(co_await reader.join(), cancelled);
  EXPECT_EQ(log, "failed ");
}

// -- misuse -----------------------------------------------------------------------------------------------------------

TEST(AsyncGeneratorTest, AskingWhileAnotherAsksIsMisuse) {
  const auto main = []() -> task<void> {
    auto items = count_to(3, 1s);
    const auto ask = [&]() -> task<void> { co_await items.next(); };
    auto reader = spawn(ask());
    co_await settle();
    EXPECT_THROW(co_await items.next(), misuse);
    EXPECT_THROW(co_await items.close(), misuse);
    co_await reader.join();
    EXPECT_EQ(*co_await items.next(), 2);
  };
  const std::string said =
      "misuse: next() or close() of an async_generator, count_to(), while a next() of it is under way\n";
  EXPECT_EQ(judge(main).messages(), said + said);
}

TEST(AsyncGeneratorTest, ThatAsksItselfIsMisuse) {
  const auto main = []() -> task<void> {
    std::optional<async_generator<int>> items;
    const auto ask_itself = [](std::optional<async_generator<int>>& self) -> async_generator<int> {
      co_yield *co_await self->next();
    };
    items.emplace(ask_itself(items));
    EXPECT_THROW(co_await items->next(), misuse);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

TEST(AsyncGeneratorTest, ThatDiesWhileATaskIsInItIsMisuse) {
  std::string log;
  const auto main = [&]() -> task<void> {
    auto items = std::make_unique<async_generator<int>>(logged(log, 3, 1s));
    const auto ask = [](async_generator<int>& of) -> task<void> { co_await of.next(); };
    auto reader = spawn(ask(*items));
    co_await settle();
    items.reset();
    EXPECT_EQ(log, "") << "the body is the reader's";
    EXPECT_THROW(co_await reader.join(), misuse);
    EXPECT_EQ(log, "locals second first ");
  };
  EXPECT_EQ(judge(main).messages(), "misuse: an async_generator, logged(), died while a next() of it is under way\n");
}

TEST(AsyncGeneratorTest, DroppedOnAnotherThreadIsMisuseAndCleanedUpByTheLoop) {
  std::string log;
  const auto main = [&]() -> task<void> {
    auto items = std::make_unique<async_generator<int>>(logged(log, 3));
    co_await items->next();
    std::thread([&items] { items.reset(); }).join();
    EXPECT_EQ(log, "");
    co_await sleep_for(5s);
    EXPECT_EQ(log, "locals second first ");
  };
  EXPECT_EQ(judge(main).messages(), "misuse: the generator of logged() was destroyed on another thread\n");
}

// -- on_close ---------------------------------------------------------------------------------------------------------

// Counts the copies of what it is a part of, and how often they are destroyed.
struct owned {
  explicit owned(int& in) noexcept : alive(&in) { ++*alive; }
  owned(const owned& other) noexcept : alive(other.alive) { ++*alive; }
  owned(owned&& other) noexcept : alive(other.alive) { ++*alive; }
  owned& operator=(const owned&) = delete;
  ~owned() { --*alive; }
  int* alive;
};

CO_TEST(AsyncGeneratorTest, AClosureThatOwnsSomethingMayBeWrittenInTheCallOfOnClose) {
  int alive = 0;
  std::string log;
  const auto closing = [](int& counted, std::string& into) -> async_generator<int> {
    on_close([own = owned(counted), text = std::make_unique<std::string>("a text that is long enough"), &into] {
      EXPECT_EQ(*own.alive, 1);
      return note(into, *text)();
    });
    EXPECT_EQ(counted, 1);
    co_yield 1;
  };
  auto items = closing(alive, log);
  co_await items.next();
  EXPECT_EQ(alive, 1);
  co_await items.close();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(log, "a text that is long enough");
}

void register_for(std::string& log, const char* text) { on_close(note(log, text)); }

CO_TEST(AsyncGeneratorTest, OnCloseMayBeCalledAnywhereInTheBodyAndByFunctionsThatItCalls) {
  std::string log;
  const auto pass_in = []() -> foreign::lazy<int> { co_return 1; };
  const auto body = [&]() -> async_generator<int> {
    register_for(log, "1 ");
    co_await sleep_for(1s);
    register_for(log, "2 ");
    co_await pass(0s);
    register_for(log, "3 ");
    co_await pass_in();
    register_for(log, "4 ");
    co_await outside(pass_in());
    register_for(log, "5 ");
    co_await yield();
    register_for(log, "6 ");
    co_yield 1;
    register_for(log, "7 ");
    auto nested = logged(log, 1);
    co_await nested.next();
    register_for(log, "8 ");
    co_await nested.close();
    register_for(log, "9 ");
  };
  EXPECT_THAT(co_await all_of(body()), ElementsAre(1));
  EXPECT_EQ(log, "locals second first 9 8 7 6 5 4 3 2 1 ");
}

TEST(AsyncGeneratorTest, OnCloseElsewhereIsMisuse) {
  std::string log;
  const auto main = [&]() -> task<void> {
    EXPECT_THROW(register_for(log, "in a task "), misuse);
    const auto in_task = [&]() -> task<void> {
      EXPECT_THROW(register_for(log, "in a task that a body awaits "), misuse);
      co_return;
    };
    const auto body = [&]() -> async_generator<int> {
      co_await in_task();
      co_yield 1;
    };
    EXPECT_THAT(co_await all_of(body()), ElementsAre(1));
    const auto plain = [&]() -> generator<int> {
      EXPECT_THROW(register_for(log, "in a generator that does not wait "), misuse);
      co_yield 1;
    };
    for (const int item : plain()) EXPECT_EQ(item, 1);
  };
  const std::string said = "misuse: on_close() outside of the body of an async_generator\n";
  EXPECT_EQ(judge(main).messages(), said + said + said);
  EXPECT_THROW(register_for(log, "where no loop runs "), misuse);
  EXPECT_EQ(log, "");
}

// -- stacks and reports -----------------------------------------------------------------------------------------------

TEST(AsyncGeneratorTest, StandsInTheStackOfTheTaskThatAsks) {
  const auto main = []() -> task<void> {
    const auto for_ever = []() -> async_generator<int> {
      co_await wait_for_ever();
      co_yield 1;
    };
    auto items = for_ever();
    co_await items.next();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  const std::vector<place>& stack = run.verdicts[0].tasks[0].stack;
  ASSERT_EQ(stack.size(), 3u);
  EXPECT_EQ(stack[2].line(), stack[1].line() + 4);
}

TEST(AsyncGeneratorTest, AnExceptionTellsWhereItWasThrown) {
  const auto main = []() -> task<void> {
    std::string log;
    auto items = failing(log);
    co_await items.next();
    co_await items.next();
  };
  const judged_run run = judge(main);
  ASSERT_TRUE(run.failure_report.has_value());
  ASSERT_GE(run.failure_report->tasks[0].stack.size(), 2u);
  EXPECT_EQ(function_of(run.failure_report->tasks[0].stack[0]), "failing");
}

// -- for_each ---------------------------------------------------------------------------------------------------------

CO_TEST(AsyncGeneratorTest, ForEachHandsOverEachItem) {
  std::vector<std::unique_ptr<int>> kept;
  const auto moved = []() -> async_generator<std::unique_ptr<int>> {
    co_yield std::make_unique<int>(7);
    co_yield std::make_unique<int>(8);
  };
  const auto keep = [&kept](std::unique_ptr<int> item) { kept.push_back(std::move(item)); };
  co_await for_each(moved(), keep);
  CO_ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(*kept[1], 8);
  int sum = 0;
  const auto add = [&sum](int item) -> task<void> {
    co_await sleep_for(1s);
    sum += item;
  };
  co_await for_each(count_to(3), add);
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(AsyncGeneratorTest, ForEachClosesWhatItLeavesEarly) {
  std::string log;
  const auto fail = [](int item) {
    if (item == 2) throw std::runtime_error("enough");
  };
  EXPECT_THROW(co_await for_each(logged(log, 3), fail), std::runtime_error);
  EXPECT_EQ(log, "locals second first ");
  log.clear();
  const auto wait = [](int) -> task<void> { co_await wait_for_ever(); };
  auto reader = spawn(for_each(logged(log, 3), wait));
  co_await settle();
  reader.cancel();
  EXPECT_THROW(co_await reader.join(), cancelled);
  EXPECT_EQ(log, "locals second first ");
}

}  // namespace
}  // namespace lockstep
