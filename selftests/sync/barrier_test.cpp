#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

task<void> arrive(barrier& at, std::vector<std::size_t>& places) { places.push_back(co_await at.wait()); }

// What became of one that waits: "passed" or "broken".
task<std::string> fate(barrier& at) {
  try {
    co_await at.wait();
  } catch (const broken_barrier&) {
    co_return "broken";
  }
  co_return "passed";
}

CO_TEST(BarrierTest, HoldsAllBackUntilTheLastHasCome) {
  barrier all(3);
  EXPECT_EQ(all.parties(), 3u);
  std::vector<std::size_t> places;
  auto a = spawn(arrive(all, places));
  auto b = spawn(arrive(all, places));
  co_await settle();
  EXPECT_EQ(all.waiting_now(), 2u);
  EXPECT_THAT(places, testing::IsEmpty());
  EXPECT_EQ(co_await all.wait(), 2u);
  EXPECT_EQ(all.waiting_now(), 0u);
  co_await a.join();
  co_await b.join();
  EXPECT_THAT(places, ElementsAre(0u, 1u));
}

CO_TEST(BarrierTest, CanBeUsedAgainAtOnce) {
  barrier both(2);
  std::vector<std::size_t> places;
  const auto twice = [&]() -> task<void> {
    for (int i = 0; i < 3; ++i) places.push_back(co_await both.wait());
  };
  auto a = spawn(twice());
  auto b = spawn(twice());
  co_await a.join();
  co_await b.join();
  EXPECT_EQ(places.size(), 6u);
  EXPECT_EQ(both.waiting_now(), 0u);
}

CO_TEST(BarrierTest, OfOneNeverWaits) {
  barrier alone(1);
  EXPECT_EQ(co_await alone.wait(), 0u);
  EXPECT_EQ(co_await alone.wait(), 0u);
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(BarrierTest, ACancelledPartyCanBeReplaced) {
  barrier all(3);
  std::vector<std::size_t> places;
  auto a = spawn(arrive(all, places));
  auto b = spawn(arrive(all, places));
  co_await settle();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_EQ(all.waiting_now(), 1u);
  auto c = spawn(arrive(all, places));
  co_await settle();
  EXPECT_THAT(places, testing::IsEmpty());
  EXPECT_EQ(co_await all.wait(), 2u);
  co_await b.join();
  co_await c.join();
  EXPECT_THAT(places, ElementsAre(0u, 1u));
}

CO_TEST(BarrierTest, APartyCancelledAfterAllCameLetsTheOthersPass) {
  barrier both(2);
  std::vector<std::size_t> places;
  auto a = spawn(arrive(both, places));
  co_await settle();
  EXPECT_EQ(co_await both.wait(), 1u);
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_EQ(both.waiting_now(), 0u) << "it does not count in the next round";
}

CO_TEST(BarrierTest, ResetBreaksItForThoseWhoWaitAndNobodyElse) {
  barrier all(3);
  auto a = spawn(fate(all));
  auto b = spawn(fate(all));
  co_await settle();
  all.reset();
  EXPECT_FALSE(all.broken());
  EXPECT_EQ(all.waiting_now(), 0u);
  auto c = spawn(fate(all));
  auto d = spawn(fate(all));
  EXPECT_EQ(co_await a.join(), "broken");
  EXPECT_EQ(co_await b.join(), "broken");
  co_await settle();
  EXPECT_EQ(co_await fate(all), "passed");
  EXPECT_EQ(co_await c.join(), "passed");
  EXPECT_EQ(co_await d.join(), "passed");
}

CO_TEST(BarrierTest, AbortBreaksItUntilItIsReset) {
  barrier both(2);
  auto a = spawn(fate(both));
  co_await settle();
  both.abort();
  EXPECT_TRUE(both.broken());
  EXPECT_EQ(co_await a.join(), "broken");
  EXPECT_EQ(co_await fate(both), "broken");
  EXPECT_EQ(both.waiting_now(), 0u);
  both.reset();
  auto b = spawn(fate(both));
  EXPECT_EQ(co_await fate(both), "passed");
  EXPECT_EQ(co_await b.join(), "passed");
}

TEST(BarrierTest, OfNobodyIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(barrier(0), misuse);
    EXPECT_THROW(barrier(static_cast<std::size_t>(-1)), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: a barrier needs at least 1 party, not 0\n"
            "misuse: a barrier needs at least 1 party, not -1\n");
}

TEST(BarrierTest, ADestroyedPartyCanBeReplaced) {
  std::vector<std::size_t> places;
  const auto main = [&]() -> task<void> {
    barrier both(2);
    {
      auto a = spawn(arrive(both, places));
      co_await settle();
    }
    EXPECT_EQ(both.waiting_now(), 0u);
    auto b = spawn(arrive(both, places));
    co_await settle();
    co_await both.wait();
    co_await b.join();
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
}

TEST(BarrierTest, DyingUnderAWaiterIsMisuse) {
  std::vector<std::size_t> places;
  expect_that_death_under_a_waiter_is_misuse([] { return std::make_unique<barrier>(2u, label("start")); },
                                             [&](barrier& both) { return arrive(both, places); }, "barrier \"start\"",
                                             "barrier");
}

TEST(BarrierTest, NobodyIsARoundAheadInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    constexpr std::size_t parties = 4;
    constexpr int rounds_max = 3;
    barrier all(parties);
    std::vector<int> rounds(parties, 0);
    std::vector<std::size_t> places(rounds_max, 0);
    const auto work = [&](std::size_t me) -> task<void> {
      for (int round = 0; round < rounds_max; ++round) {
        rounds[me] = round;
        const std::size_t place = co_await all.wait();
        places[static_cast<std::size_t>(round)] |= std::size_t{1} << place;
        for (const int other : rounds) EXPECT_GE(other, round);
      }
    };
    std::vector<join_handle<void>> workers;
    for (std::size_t i = 0; i < parties; ++i) workers.push_back(spawn(work(i)));
    for (join_handle<void>& worker : workers) co_await worker.join();
    EXPECT_THAT(places, testing::Each((std::size_t{1} << parties) - 1)) << "each round gives each place once";
  });
}

// One of four is cancelled around the time when the third comes; the fifth makes up for it, or one waits in vain.
TEST(BarrierTest, CountsThoseWhoAreThereInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    barrier all(3);
    std::vector<std::size_t> places;
    std::vector<join_handle<void>> parties;
    for (int i = 0; i < 3; ++i) parties.push_back(spawn(arrive(all, places)));
    const auto cancel = [&]() -> task<void> {
      co_await yield();
      parties[0].cancel();
    };
    auto cancelling = spawn(cancel());
    co_await cancelling.join();
    co_await settle();
    EXPECT_TRUE(places.empty() ? all.waiting_now() == 2 : all.waiting_now() == 0);
    if (places.empty()) co_await all.wait();
    for (join_handle<void>& party : parties) co_await was_cancelled(party);
    EXPECT_GE(places.size(), 2u);
  });
}

}  // namespace
}  // namespace lockstep
