#include "tasks.hpp"

#include <lockstep/runtime/onlooker.hpp>
#include <lockstep/testing/testing.hpp>

#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using detail::onlooker;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr time_point never = time_point::max();

CO_TEST(OnlookerTest, NotesTheEndsInTheirOrder) {
  auto slow = spawn(pass(2s));
  auto fast = spawn(pass(1s));
  const auto ended = spawn(pass(0s));
  co_await settle();
  onlooker on({&slow, &fast, &ended}, source::current());
  EXPECT_EQ(on.size(), 3u);
  EXPECT_THAT(on.ended(), ElementsAre(2));
  EXPECT_THAT(on.left(), ElementsAre(&slow.get(), &fast.get()));
  EXPECT_TRUE(co_await onlooker::wait(on, {3}, never));
  EXPECT_THAT(on.ended(), ElementsAre(2, 1, 0));
  EXPECT_THAT(on.left(), IsEmpty());
}

CO_TEST(OnlookerTest, KnowsAFailureFromACancellation) {
  auto stopped = spawn(wait_for_ever());
  auto failing = spawn(fail_after(1s));
  onlooker on({&stopped, &failing}, source::current());
  stopped.cancel();
  co_await settle();
  EXPECT_TRUE(on.has({1}));
  EXPECT_FALSE(on.has({2, true}));
  EXPECT_TRUE(co_await onlooker::wait(on, {2, true}, never));
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ(text_of(failing.exception()), "disk full");
}

CO_TEST(OnlookerTest, WaitsUntilTheDeadlineAtMost) {
  auto slow = spawn(pass(3s));
  onlooker on({&slow}, source::current());
  EXPECT_FALSE(co_await onlooker::wait(on, {1}, time_point{2s}));
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_FALSE(co_await onlooker::wait(on, {1}, time_point{2s}));
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_TRUE(co_await onlooker::wait(on, {1}, time_point{4s}));
  EXPECT_EQ(now(), time_point{3s});
  co_await sleep_for(2s);
  EXPECT_EQ(now(), time_point{5s});  // its timer, which is gone, has woken nobody
}

CO_TEST(OnlookerTest, SeveralAreToldInTheOrderInWhichTheyCame) {
  std::string order;
  auto handle = spawn(value_after(1s, 5));
  const auto looks = [&](char name) -> task<void> {
    onlooker on({&handle}, source::current());
    co_await onlooker::wait(on, {1}, never);
    order += name;
  };
  auto one = spawn(looks('1'));
  auto gone = spawn(looks('x'));
  auto two = spawn(looks('2'));
  co_await settle();
  gone.cancel();
  co_await handle.join();
  order += 'o';
  co_await settle();
  EXPECT_EQ(order, "o12");
}

// Who waited and waits no longer is not woken by the end.
CO_TEST(OnlookerTest, WakesNobodyWhoHasGivenUp) {
  auto slow = spawn(pass(3s));
  onlooker on({&slow}, source::current());
  EXPECT_FALSE(co_await onlooker::wait(on, {1}, time_point{2s}));
  co_await sleep_for(2s);
  EXPECT_EQ(now(), time_point{4s});
  EXPECT_THAT(on.ended(), ElementsAre(0));
}

// A task that has none, gets one, loses it, and gets another.
CO_TEST(OnlookerTest, LeavesATaskAsItWas) {
  auto handle = spawn(pass(2s));
  { const onlooker on({&handle}, source::current()); }
  const auto looks = [&]() -> task<bool> {
    onlooker on({&handle}, source::current());
    co_return co_await onlooker::wait(on, {1}, never);
  };
  EXPECT_THROW(co_await with_timeout(1s, looks()), timed_out);
  EXPECT_TRUE(co_await looks());
  EXPECT_EQ(now(), time_point{2s});
}

}  // namespace
}  // namespace lockstep
