#include <lockstep/base/hash.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

void no_action(timer&) noexcept {}

struct numbered : timer {
  explicit numbered(int n = 0) noexcept : timer(&no_action), number(n) {}
  int number;
};

// Takes the timers of the earliest deadline out; their numbers in order, and the deadline.
std::vector<int> take(timer_wheel& wheel, time_point* at = nullptr) {
  timer_list& due = wheel.earliest();
  const time_point deadline = due.front().deadline();
  if (at != nullptr) *at = deadline;
  std::vector<int> numbers;
  while (!due.empty()) {
    auto& first = static_cast<numbered&>(due.front());
    wheel.disarm(first);
    EXPECT_EQ(first.deadline(), deadline);
    numbers.push_back(first.number);
  }
  return numbers;
}

TEST(TimerWheelTest, TakesTimersInTheOrderOfTheirDeadlines) {
  timer_wheel wheel;
  numbered late(1), soon(2), middle(3);
  wheel.arm(late, time_point{3h});
  wheel.arm(soon, time_point{1ns});
  wheel.arm(middle, time_point{1s});
  EXPECT_EQ(wheel.size(), 3u);
  time_point at;
  EXPECT_EQ(take(wheel, &at), std::vector<int>{2});
  EXPECT_EQ(at, time_point{1ns});
  EXPECT_EQ(take(wheel, &at), std::vector<int>{3});
  EXPECT_EQ(at, time_point{1s});
  EXPECT_EQ(take(wheel, &at), std::vector<int>{1});
  EXPECT_EQ(at, time_point{3h});
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, SaysWhatIsDueByATimeAndMovesNoFurther) {
  timer_wheel wheel;
  numbered soon(1), also_soon(2), late(3);
  EXPECT_EQ(wheel.due(time_point::max()), nullptr);
  EXPECT_EQ(wheel.due_from(), time_point::max());
  wheel.arm(late, time_point{1h});
  EXPECT_EQ(wheel.due_from(), time_point{1h});
  EXPECT_EQ(wheel.due(time_point{1h - 1ns}), nullptr);
  wheel.arm(soon, time_point{5ms});  // which is before the deadline that was looked at
  wheel.arm(also_soon, time_point{5ms});
  EXPECT_LE(wheel.due_from(), time_point{5ms});
  EXPECT_EQ(wheel.due(time_point{5ms - 1ns}), nullptr);
  timer_list* due = wheel.due(time_point{6ms});
  ASSERT_NE(due, nullptr);
  EXPECT_EQ(due->front().deadline(), time_point{5ms});
  EXPECT_EQ(due->size(), 2u);
  wheel.disarm(soon);
  wheel.disarm(also_soon);
  EXPECT_EQ(wheel.due(time_point{6ms}), nullptr);
  EXPECT_EQ(wheel.due(time_point{2h}), &wheel.earliest());
  wheel.disarm(late);
}

// As a driver on a real clock does: it sleeps until due_from(), which comes nearer to a deadline a few times at most.
TEST(TimerWheelTest, ComesToEachDeadlineByWayOfAFewTimesAtWhichNothingIsDue) {
  timer_wheel wheel;
  std::vector<std::unique_ptr<numbered>> timers;
  for (int i = 0; i < 500; ++i) {
    timers.push_back(std::make_unique<numbered>(i));
    const auto length = static_cast<std::int64_t>(mix(static_cast<std::uint64_t>(i)) % 3'600'000'000'000u);
    wheel.arm(*timers.back(), time_point{duration(length)});
  }
  time_point now{};
  int idle = 0;
  while (!wheel.empty()) {
    const time_point next = wheel.due_from();
    EXPECT_GE(next, now);
    now = next;
    timer_list* due = wheel.due(now);
    if (due == nullptr) {
      ++idle;
      continue;
    }
    EXPECT_EQ(due->front().deadline(), now);
    while (!due->empty()) wheel.disarm(due->front());
  }
  EXPECT_LE(idle, 500 * 4);
}

TEST(TimerWheelTest, TakesEqualDeadlinesTogetherInTheOrderOfArming) {
  timer_wheel wheel;
  std::vector<std::unique_ptr<numbered>> timers;
  std::vector<int> expected;
  for (int i = 0; i < 200; ++i) {
    timers.push_back(std::make_unique<numbered>(i));
    wheel.arm(*timers.back(), time_point{5s});
    expected.push_back(i);
  }
  EXPECT_EQ(take(wheel), expected);
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, KeepsTheOrderOfArmingOfThoseArmedFromDifferentTimes) {
  timer_wheel wheel;
  numbered first(1), second(2), third(3), step_one(11), step_two(12);
  wheel.arm(first, time_point{100'000ns});
  wheel.arm(step_one, time_point{70'000ns});
  take(wheel);  // the first is now near, the next are armed at a lower level
  wheel.arm(second, time_point{100'000ns});
  wheel.arm(step_two, time_point{99'999ns});
  take(wheel);
  wheel.arm(third, time_point{100'000ns});
  EXPECT_EQ(take(wheel), (std::vector<int>{1, 2, 3}));
}

TEST(TimerWheelTest, ForgetsATimerThatIsDisarmed) {
  timer_wheel wheel;
  numbered a(1), b(2), c(3);
  wheel.arm(a, time_point{1s});
  wheel.arm(b, time_point{1s});
  wheel.arm(c, time_point{1s});
  wheel.disarm(b);
  EXPECT_FALSE(b.armed());
  EXPECT_TRUE(a.armed());
  EXPECT_EQ(wheel.size(), 2u);
  EXPECT_EQ(take(wheel), (std::vector<int>{1, 3}));
}

TEST(TimerWheelTest, ATimerArmedAgainComesLast) {
  timer_wheel wheel;
  numbered a(1), b(2);
  wheel.arm(a, time_point{1s});
  wheel.arm(b, time_point{1s});
  wheel.disarm(a);
  wheel.arm(a, time_point{1s});
  EXPECT_EQ(take(wheel), (std::vector<int>{2, 1}));
}

TEST(TimerWheelTest, ReachesTheEndOfTime) {
  timer_wheel wheel;
  numbered last(1), before_last(2), year(3);
  wheel.arm(last, time_point::max());
  wheel.arm(before_last, time_point::max() - 1ns);
  wheel.arm(year, time_point{24h * 366});
  EXPECT_EQ(take(wheel), std::vector<int>{3});
  EXPECT_EQ(take(wheel), std::vector<int>{2});
  EXPECT_EQ(take(wheel), std::vector<int>{1});
}

TEST(TimerWheelTest, TakesADeadlineThatIsNow) {
  timer_wheel wheel;
  numbered start(1), now(2), later(3);
  wheel.arm(start, time_point{64ns});
  take(wheel);
  wheel.arm(later, time_point{65ns});
  wheel.arm(now, time_point{64ns});
  EXPECT_EQ(take(wheel), std::vector<int>{2});
  EXPECT_EQ(take(wheel), std::vector<int>{3});
}

// A timer may disarm another one that is due with it and has not fired: a timeout that expires just as the sleep in it
// ends.
TEST(TimerWheelTest, ATimerThatIsDueMayStillBeDisarmed) {
  timer_wheel wheel;
  numbered timeout(1), sleep(2), later(3);
  wheel.arm(timeout, time_point{1s});
  wheel.arm(sleep, time_point{1s});
  wheel.arm(later, time_point{2s});
  const timer_list& due = wheel.earliest();
  wheel.disarm(timeout);
  ASSERT_TRUE(sleep.armed());
  wheel.disarm(sleep);
  EXPECT_TRUE(due.empty());
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(take(wheel), std::vector<int>{3});
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, ResetBeginsAtTimeZeroAgain) {
  timer_wheel wheel;
  numbered old(1), old_far(2);
  wheel.arm(old, time_point{1h});
  wheel.arm(old_far, time_point::max());
  take(wheel);
  wheel.reset();
  EXPECT_TRUE(wheel.empty());
  numbered fresh(3);
  wheel.arm(fresh, time_point{1ns});
  EXPECT_EQ(take(wheel), std::vector<int>{3});
  EXPECT_TRUE(wheel.empty());
}

// Random arming, cancelling and jumping against a multimap, which keeps equal keys in the order of insertion.
void compare_with_model(std::uint64_t seed, unsigned bits_max) {
  timer_wheel wheel;
  std::multimap<time_point, numbered*> model;
  std::vector<std::unique_ptr<numbered>> timers;
  std::vector<numbered*> idle;
  time_point now{};
  std::uint64_t draws = 0;
  const auto random = [&](std::uint64_t options) { return bounded(draw(seed, 1, ++draws), options); };
  for (int i = 0; i < 6'000; ++i) {
    const std::uint64_t what = random(10);
    if (what < 5) {
      if (idle.empty()) {
        timers.push_back(std::make_unique<numbered>(static_cast<int>(timers.size())));
        idle.push_back(timers.back().get());
      }
      numbered& item = *idle.back();
      idle.pop_back();
      // Deadlines of every magnitude; few different ones, so that many are equal.
      const std::uint64_t magnitude = std::uint64_t{1} << random(bits_max);
      const duration ahead(static_cast<duration::rep>(magnitude * random(4) + random(3)));
      const time_point deadline = saturating_add(now, ahead);
      wheel.arm(item, deadline);
      model.emplace(deadline, &item);
    } else if (what < 8) {
      if (model.empty()) continue;
      auto at = model.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(random(std::min<std::size_t>(model.size(), 50))));
      wheel.disarm(*at->second);
      idle.push_back(at->second);
      model.erase(at);
    } else if (!model.empty()) {
      const auto [first, last] = model.equal_range(model.begin()->first);
      std::vector<int> expected;
      for (auto at = first; at != last; ++at) {
        expected.push_back(at->second->number);
        idle.push_back(at->second);
      }
      const time_point deadline = first->first;
      model.erase(first, last);
      ASSERT_EQ(take(wheel, &now), expected) << "seed " << seed << ", action " << i;
      ASSERT_EQ(now, deadline);
    }
    ASSERT_EQ(wheel.size(), model.size());
  }
  while (!model.empty()) {
    const time_point deadline = model.begin()->first;
    const std::size_t due = model.erase(deadline);
    ASSERT_EQ(take(wheel, &now).size(), due);
    ASSERT_EQ(now, deadline);
  }
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, BehavesLikeAMultimapForNearDeadlines) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) compare_with_model(seed, 8);
}

TEST(TimerWheelTest, BehavesLikeAMultimapForDeadlinesOfEveryMagnitude) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) compare_with_model(seed, 62);
}

}  // namespace
}  // namespace lockstep
