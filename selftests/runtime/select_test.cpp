// One of several operations happens; all others are as if they had never been there.
#include "../sync/schedules.hpp"
#include "foreign_coroutines.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

task<void> get_or_stop(queue<int>& from, event& stop, std::vector<int>& got) {
  for (;;) {
    const auto first = co_await select(from.get(), stop.wait());
    if (first.index == 1) co_return;
    got.push_back(std::get<0>(first.value));
  }
}

// -- what happens -----------------------------------------------------------------------------------------------------

CO_TEST(SelectTest, ReturnsWhichOperationHappenedAndItsResult) {
  queue<int> letters;
  queue<std::string> words;
  event stop;
  words.try_put("now");
  const auto first = co_await select(letters.get(), words.get(), stop.wait(), sleep_for(1s));
  EXPECT_EQ(first.index, 1u);
  EXPECT_EQ(std::get<1>(first.value), "now");
  const auto second = co_await select(letters.get(), words.get(), stop.wait(), sleep_for(1s));
  EXPECT_EQ(second.index, 3u);
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(SelectTest, OfSeveralThatAreReadyTakesTheFirstArgumentAndLeavesTheOthers) {
  queue<int> a;
  queue<int> b;
  a.try_put(1);
  b.try_put(2);
  const auto first = co_await select(b.get(), a.get());
  EXPECT_EQ(std::get<0>(first.value), 2);
  EXPECT_EQ(a.size(), 1u);
}

CO_TEST(SelectTest, IsGrantedByTheFirstObjectThatCanAndGivesUpItsOtherPlaces, .order = ordering::fifo) {
  queue<int> a;
  queue<int> b;
  event stop;
  std::vector<int> got;
  std::vector<int> of_rival;
  auto selecting = spawn(get_or_stop(a, stop, got));
  const auto rival = [](queue<int>& from, std::vector<int>& into) -> task<void> {
    into.push_back(co_await from.get());
  };
  co_await settle();
  auto behind = spawn(rival(a, of_rival));
  co_await settle();
  stop.set();
  a.try_put(1);
  co_await behind.join();
  co_await selecting.join();
  EXPECT_THAT(got, IsEmpty());
  EXPECT_THAT(of_rival, ElementsAre(1)) << "whoever waited behind the select was not held up";
}

CO_TEST(SelectTest, WhatCannotBeTakenBackHappensExactlyOnce) {
  queue<int> full(1);
  queue<int> also_full(1);
  full.try_put(0);
  also_full.try_put(0);
  const auto put = [&]() -> task<std::size_t> { co_return (co_await select(full.put(1), also_full.put(2))).index; };
  auto putting = spawn(put());
  co_await settle();
  EXPECT_EQ(also_full.try_get(), 0);
  EXPECT_EQ(full.try_get(), 0);
  EXPECT_EQ(co_await putting.join(), 1u);
  EXPECT_EQ(also_full.try_get(), 2);
  EXPECT_TRUE(full.empty()) << "the put that lost has put nothing";
}

CO_TEST(SelectTest, WhatLostMayBeAwaitedAnew) {
  queue<std::unique_ptr<int>> full(1);
  full.try_put(std::make_unique<int>(1));
  auto putting = full.put(std::make_unique<int>(2));
  for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await select(putting, sleep_for(1s))).index, 1u);
  EXPECT_EQ(**full.try_get(), 1);
  EXPECT_EQ((co_await select(putting, sleep_for(1s))).index, 0u);
  EXPECT_EQ(**full.try_get(), 2);
}

CO_TEST(SelectTest, HoldsALockOnlyIfThatWasTheOneThatHappened) {
  mutex door;
  queue<int> letters;
  {
    auto held = co_await door.lock();
    letters.try_put(1);
    EXPECT_EQ((co_await select(door.lock(), letters.get())).index, 1u);
    EXPECT_EQ((co_await select(door.lock(), sleep_for(1s))).index, 1u);
  }
  EXPECT_FALSE(door.locked());
  {
    const auto first = co_await select(letters.get(), door.lock());
    EXPECT_EQ(first.index, 1u);
    EXPECT_TRUE(door.locked());
  }
  EXPECT_FALSE(door.locked());
}

CO_TEST(SelectTest, ThrowsWhatTheOperationThrowsThatHappened) {
  queue<int> letters;
  letters.shut_down();
  EXPECT_THROW(co_await select(sleep_for(1s), letters.get()), queue_shut_down);
  EXPECT_EQ(now(), time_point{}) << "the sleep had not begun";
  const auto fail = []() -> task<void> {
    co_await sleep_for(1s);
    throw std::runtime_error("disk full");
  };
  auto failing = spawn(fail());
  EXPECT_THROW(co_await select(failing.join(), sleep_for(2s)), std::runtime_error);
}

CO_TEST(SelectTest, AJoinThatLostLeavesTheTaskAlone) {
  auto slow = spawn(value_after(2s, 7));
  EXPECT_EQ((co_await select(slow.join(), sleep_for(1s))).index, 1u);
  EXPECT_FALSE(slow.done());
  const auto first = co_await select(sleep_for(9s), slow.join());
  EXPECT_EQ(std::get<1>(first.value), 7);
}

CO_TEST(SelectTest, ASleepWhoseTimeHasComeYieldsOnce, .order = ordering::fifo) {
  queue<int> letters;
  queue<int> behind;
  bool other_ran = false;
  const auto other = [&]() -> task<void> {
    other_ran = true;
    co_return;
  };
  auto beside = spawn(other());
  EXPECT_EQ((co_await select(letters.get(), sleep_for(0s), behind.get())).index, 1u);
  EXPECT_TRUE(other_ran);
  EXPECT_TRUE(letters.try_put(1));
  EXPECT_TRUE(behind.try_put(1));
  EXPECT_EQ(letters.size() + behind.size(), 2u) << "nobody waits there any more";
  co_await beside.join();
}

CO_TEST(SelectTest, TwoPlacesInOneLineAreTakenOnce) {
  queue<int> letters;
  event go;
  semaphore permits(0);
  const auto twice = [&]() -> task<int> {
    const auto first = co_await select(letters.get(), letters.get());
    co_await select(go.wait(), go.wait());
    co_await select(permits.acquire(), permits.acquire());
    co_return first.index == 0 ? std::get<0>(first.value) : std::get<1>(first.value);
  };
  auto selecting = spawn(twice());
  co_await settle();
  letters.try_put(1);
  letters.try_put(2);
  go.set();
  co_await settle();
  permits.release();
  permits.release();
  EXPECT_EQ(co_await selecting.join(), 1);
  EXPECT_EQ(letters.size(), 1u);
  EXPECT_EQ(permits.available(), 1u);
}

// All who join a task are woken in one go, in which the select leaves the places it still has.
CO_TEST(SelectTest, TwoJoinsOfOneTaskAreWokenOnce) {
  auto work = spawn(value_after(1s, 7));
  int first_result = 0;
  const auto join_twice = [&]() -> task<void> {
    const auto first = co_await select(work.join(), work.join(), work.join_shielded());
    EXPECT_EQ(first.index, 0u);
    first_result = std::get<0>(first.value);
  };
  int wakings = 0;
  const auto watch = [&]() -> task<void> {
    while (!work.done()) co_await select(work.join_shielded(), sleep_for(10s));
    ++wakings;
  };
  auto before = spawn(watch());
  auto selecting = spawn(join_twice());
  auto after = spawn(watch());
  co_await selecting.join();
  co_await before.join();
  co_await after.join();
  EXPECT_EQ(first_result, 7);
  EXPECT_EQ(wakings, 2);
}

CO_TEST(SelectTest, TwoPointsOfOneOrderArePassedOneAtATime) {
  const order wanted("a", "b", "c");
  const auto pass_one = []() -> task<std::size_t> { co_return (co_await select(point("b"), point("b"))).index; };
  auto selecting = spawn(pass_one());
  const auto last = []() -> task<void> { co_await point("c"); };
  auto behind = spawn(last());
  co_await settle();
  co_await point("a");
  co_await behind.join();
  EXPECT_LE(co_await selecting.join(), 1u);
}

// -- among many -------------------------------------------------------------------------------------------------------

CO_TEST(SelectTest, AmongManyObjectsReturnsThePlaceOfOne) {
  std::vector<std::unique_ptr<queue<int>>> inboxes;
  for (int i = 0; i < 5; ++i) inboxes.push_back(std::make_unique<queue<int>>());
  const auto post = [&]() -> task<void> {
    co_await sleep_for(1s);
    inboxes[3]->try_put(7);
  };
  auto posting = spawn(post());
  const auto [index, letter] = co_await select_among(inboxes, [](auto& each) { return each->get(); });
  EXPECT_EQ(index, 3u);
  EXPECT_EQ(letter, 7);
  co_await posting.join();
  std::vector<duration> lengths{3s, 2s, 4s};
  EXPECT_EQ((co_await select_among(lengths, [](duration each) { return sleep_for(each); })).index, 1u);
}

TEST(SelectTest, AmongNoneIsMisuse) {
  const auto main = []() -> task<void> {
    std::vector<duration> none;
    co_await select_among(none, [](duration each) { return sleep_for(each); });
  };
  EXPECT_EQ(judge(main).messages(), "misuse: select() among no operations would wait for ever\n");
}

TEST(SelectTest, OfAnOperationThatIsSpentOrGivenTwiceIsMisuse) {
  const auto twice = []() -> task<void> {
    auto rest = sleep_for(1s);
    co_await select(rest, rest);
  };
  const auto again = []() -> task<void> {
    auto rest = sleep_for(1s);
    co_await rest;
    co_await select(rest, sleep_for(1s));
  };
  const std::string said = "misuse: select() of an operation that was awaited before, or is given twice\n";
  EXPECT_EQ(judge(twice).messages(), said);
  EXPECT_EQ(judge(again).messages(), said);
}

// -- cancellation -----------------------------------------------------------------------------------------------------

CO_TEST(SelectTest, CancellationWithdrawsAllOfThem) {
  queue<int> a;
  queue<int> b(1);
  b.try_put(0);
  mutex door;
  const auto held = co_await door.lock();
  const auto wait = [&]() -> task<void> { co_await select(a.get(), b.put(1), door.lock(), sleep_for(1h)); };
  auto selecting = spawn(wait());
  co_await settle();
  selecting.cancel("enough");
  EXPECT_TRUE(co_await was_cancelled(selecting));
  a.try_put(1);
  EXPECT_EQ(a.size(), 1u);
  EXPECT_EQ(b.try_get(), 0);
  EXPECT_TRUE(b.empty());
  co_await sleep_for(2s);
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(SelectTest, CancelledJustAfterItWasGrantedGivesThatBack) {
  queue<int> a;
  queue<int> b;
  std::vector<int> got;
  event stop;
  const auto wait = [&]() -> task<void> { co_await select(a.get(), b.get()); };
  auto selecting = spawn(wait());
  co_await settle();
  b.try_put(1);
  selecting.cancel();
  EXPECT_TRUE(co_await was_cancelled(selecting));
  EXPECT_EQ(b.try_get(), 1);
}

CO_TEST(SelectTest, CancelledJustAfterAPutHappenedReturnsAndIsCancelledNext) {
  queue<int> full(1);
  full.try_put(0);
  bool returned = false;
  const auto wait = [&]() -> task<void> {
    co_await select(full.put(1), sleep_for(1h));
    returned = true;
    co_await yield();
  };
  auto selecting = spawn(wait());
  co_await settle();
  EXPECT_EQ(full.try_get(), 0);
  selecting.cancel();
  EXPECT_TRUE(co_await was_cancelled(selecting));
  EXPECT_TRUE(returned);
  EXPECT_EQ(full.try_get(), 1);
}

CO_TEST(SelectTest, CancellingItDoesNotCancelATaskThatItJoins) {
  auto work = spawn(value_after(1s, 7));
  const auto wait = [&]() -> task<void> { co_await select(work.join(), work.join_shielded()); };
  auto selecting = spawn(wait());
  co_await settle();
  selecting.cancel();
  EXPECT_TRUE(co_await was_cancelled(selecting));
  EXPECT_EQ(co_await work.join(), 7);
}

// -- choices and reports ----------------------------------------------------------------------------------------------

// Answers every question for a value with the highest, and notes how many options there were.
class highest final : public oracle {
 public:
  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    EXPECT_EQ(point.domain, domain_identity("select-main"));
    EXPECT_EQ(point.nth, asked.size() + 1);
    asked.push_back(options);
    return options - 1;
  }
  std::vector<std::uint64_t> asked;
};

TEST(SelectTest, ASearchMayBeginWithAnotherOneInAnyOrderOnly) {
  std::vector<std::size_t> taken;
  const auto main = [&]() -> task<void> {
    taken.clear();
    event one;
    event two;
    event three;
    one.set();
    two.set();
    taken.push_back((co_await select(one.wait(), sleep_for(1s), two.wait(), three.wait(), sleep_for(1s))).index);
    taken.push_back((co_await select(sleep_for(1s), one.wait(), two.wait())).index);
    taken.push_back((co_await select(sleep_for(1s), one.wait())).index);
  };
  highest choices;
  sim::world_options how;
  how.choices = &choices;
  EXPECT_EQ(judge(main, how).messages(), "");
  EXPECT_THAT(taken, ElementsAre(0, 2, 1)) << "after the last of them it begins at the first";
  EXPECT_THAT(choices.asked, ElementsAre(3, 2)) << "a sleep is never there at once, and one answer is no question";
  how.order = ordering::fifo;
  EXPECT_EQ(judge(main, how).messages(), "");
  EXPECT_THAT(taken, ElementsAre(0, 1, 1));
  EXPECT_EQ(choices.asked.size(), 2u);
}

TEST(SelectTest, ThePlainRunIsTheOneOfTheDullestAnswers) {
  const auto main = []() -> task<void> {
    queue<int> a;
    queue<int> b;
    event stop;
    std::vector<int> got;
    auto one = spawn(get_or_stop(a, stop, got));
    auto two = spawn(get_or_stop(b, stop, got));
    for (int i = 0; i < 5; ++i) {
      co_await a.put(i);
      co_await b.put(i);
    }
    stop.set();
    co_await one.join();
    co_await two.join();
  };
  dullest choices;
  sim::world_options how;
  how.choices = &choices;
  const judged_run asked = judge(main, how);
  EXPECT_GT(choices.value_picks, 0);
  EXPECT_EQ(asked.summary.trace_hash, judge(main).summary.trace_hash);
}

TEST(SelectTest, SaysWhatItWaitsForAndWhoCouldEndIt) {
  const auto main = []() -> task<void> {
    mutex door("door");
    queue<int> letters(queue<int>::unbounded, "letters");
    const auto keep = [&]() -> task<void> {
      const auto held = co_await door.lock();
      co_await sleep_until(time_point::max());
    };
    auto keeper = spawn(keep(), "keeper");
    co_await settle();
    const auto wait = [&]() -> task<void> { co_await select(letters.get(), door.lock()); };
    auto selecting = spawn(wait(), "reader");
    const auto lock = [&]() -> task<void> { co_await select(door.lock(), keeper.join()); };
    auto locking = spawn(lock(), "locker");
    co_await selecting.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  const std::vector<task_snapshot>& tasks = run.verdicts[0].tasks;
  ASSERT_EQ(tasks.size(), 4u);
  EXPECT_EQ(tasks[2].waits_for, "select(get from queue \"letters\", mutex \"door\")");
  EXPECT_EQ(tasks[2].held_by, "") << "a letter may come";
  EXPECT_EQ(tasks[3].waits_for, "select(mutex \"door\", join(keeper))");
  EXPECT_EQ(tasks[3].held_by, "keeper") << "nobody else can end it";
}

// -- coroutines of others ---------------------------------------------------------------------------------------------

foreign::lazy<int> select_abroad(queue<int>& letters, event& stop) {
  const auto first = co_await select(letters.get(), stop.wait());
  co_return first.index == 0 ? std::get<0>(first.value) : -1;
}

CO_TEST(SelectTest, MayBeAwaitedInAForeignCoroutine) {
  queue<int> letters;
  event stop;
  const auto abroad = [&]() -> task<int> { co_return co_await select_abroad(letters, stop); };
  auto first = spawn(abroad());
  auto second = spawn(abroad());
  co_await settle();
  letters.try_put(7);
  EXPECT_EQ(co_await first.join(), 7);
  second.cancel();
  EXPECT_THROW(co_await second.join(), cancelled);
  letters.try_put(8);
  EXPECT_EQ(letters.size(), 1u);
}

foreign::fire_and_forget select_alone(queue<int>& letters, event& stop, int& got) {
  const auto first = co_await select(letters.get(), stop.wait());
  got = first.index == 0 ? std::get<0>(first.value) : -1;
}

CO_TEST(SelectTest, MayBeAwaitedByAForeignCoroutineOfItsOwn) {
  queue<int> letters;
  event stop;
  int got = 0;
  select_alone(letters, stop, got);
  co_await settle();
  letters.try_put(7);
  co_await settle();
  EXPECT_EQ(got, 7);
}

}  // namespace
}  // namespace lockstep
