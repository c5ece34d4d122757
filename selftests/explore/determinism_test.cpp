#include <lockstep/explore/determinism.hpp>
#include <lockstep/explore/strategy.hpp>

#include "../runtime/judged_run.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::MatchesRegex;

template <class F>
recorded_run record(F make, schedule strategy = schedule::plain) {
  const std::unique_ptr<oracle> choices = make_oracle(strategy, 3);
  sim::world world;
  sim::world_options how;
  how.choices = choices.get();
  how.keep_trace = true;
  world.start(how);
  world.drive(make());
  recorded_run made = copy_of(world.loop().history());
  world.finish();
  return made;
}

// Runs it twice and compares, as --lockstep_check_determinism does.
template <class F>
std::string difference_of_two_runs(F make, schedule strategy = schedule::plain) {
  const recorded_run first = record(make, strategy);
  return first_difference(first, record(make, strategy)).value_or("");
}

// Hands out places and never the same two in a row, as a real allocator does that has a history.
class rotating_places {
 public:
  int* take(int value) {
    int* const place = &places_[next_++ % places_.size()];
    *place = value;
    return place;
  }

 private:
  std::array<int, 4> places_{};
  std::size_t next_ = 0;
};

// Three tasks sleep for the times that they find; whose turn it is first is up to `Key`.
template <class Key>
std::string difference_when_ordered_by(Key key_of) {
  rotating_places places;
  const auto main = [&]() -> task<void> {
    std::map<std::invoke_result_t<Key, int*>, int*> waiting;
    for (const int value : {1, 2, 3}) {
      int* const place = places.take(value);
      waiting.emplace(key_of(place), place);
    }
    for (const auto& [key, place] : waiting) co_await sleep_for(*place * 1s);
  };
  return difference_of_two_runs(main);
}

TEST(DeterminismTest, FindsAnOrderByAddress) {
  EXPECT_EQ(difference_when_ordered_by([](int* place) { return place; }),
            "the same choices gave another run; they differ first at 0 ns (virtual), after step 1\n"
            "  first run:  time moved to 1 s\n"
            "  second run: time moved to 2 s");
}

TEST(DeterminismTest, LeavesAnOrderByValueAlone) {
  EXPECT_EQ(difference_when_ordered_by([](int* place) { return *place; }), "");
}

// A request that is retried every `every`-th time, counted by `count`.
template <class Counter>
task<void> requests(Counter& count) {
  event answered;
  answered.set();
  for (int i = 0; i < 3; ++i) {
    co_await answered.wait();
    if (++count % 2 == 0) co_await yield();
  }
}

TEST(DeterminismTest, FindsACounterThatOutlivesTheRun) {
  int requests_made = 0;
  const auto main = [&]() -> task<void> { co_await requests(requests_made); };
  for (const schedule strategy : {schedule::plain, schedule::round_robin, schedule::random}) {
    requests_made = 0;
    EXPECT_THAT(difference_of_two_runs(main, strategy),
                MatchesRegex("the same choices gave another run; they differ first at 0 ns .virtual., after step 2\n"
                             "  first run:  main: event #1 at determinism_test.cpp:[0-9]+\n"
                             "  second run: main: yield at determinism_test.cpp:[0-9]+"));
  }
}

TEST(DeterminismTest, LeavesACounterOfTheRunAlone) {
  const auto main = []() -> task<void> {
    int requests_made = 0;
    co_await requests(requests_made);
  };
  for (const schedule strategy : {schedule::plain, schedule::round_robin, schedule::random}) {
    EXPECT_EQ(difference_of_two_runs(main, strategy), "");
  }
}

TEST(DeterminismTest, FindsAValueThatIsDrawnOnceOnly) {
  std::optional<int> cached;
  const auto main = [&]() -> task<void> {
    if (!cached) cached = random_int("jitter", 5, 9);
    co_await yield();
  };
  EXPECT_THAT(difference_of_two_runs(main),
              MatchesRegex("the same .*, after step 1\n  first run:  main: drew the value 0\n"
                           "  second run: main: yield at determinism_test.cpp:[0-9]+"));
}

TEST(DeterminismTest, FindsARunThatEndsEarlier) {
  int rounds = 3;
  const auto main = [&]() -> task<void> {
    for (int i = 0; i < rounds; ++i) co_await yield();
    rounds = 1;
  };
  EXPECT_THAT(difference_of_two_runs(main),
              MatchesRegex("the same .*, after step 2\n  first run:  main: yield at determinism_test.cpp:[0-9]+\n"
                           "  second run: the run had ended"));
}

TEST(DeterminismTest, FindsALongRunsOnlyDifference) {
  bool again = false;
  const auto main = [&]() -> task<void> {
    for (int i = 0; i < 20'000; ++i) {
      if (i == 15'000 && again) co_await sleep_for(1s);
      co_await yield();
    }
    again = true;
  };
  EXPECT_THAT(difference_of_two_runs(main), HasSubstr("differ first at 0 ns (virtual), after step 15001\n"));
}

TEST(DeterminismTest, TheSameRunWithoutItsRecordsIsTheSame) {
  EXPECT_EQ(first_difference({}, {}), std::nullopt);
  recorded_run one;
  one.hashes = {1, 2, 3};
  EXPECT_EQ(first_difference(one, one), std::nullopt);
}

task<void> fetch(duration latency, bool again) {
  co_await sleep_for(latency);
  if (again) co_await yield();
}
task<void> crawl(const int& runs) {
  auto slow = spawn(fetch(2s, runs == 2));
  auto quick = spawn(fetch(1s, false));
  co_await quick.join();
  co_await slow.join();
}

TEST(DeterminismTest, SaysWhenAndInWhichTasksTheRunsPart) {
  int runs = 0;
  const auto main = [&]() -> task<void> {
    ++runs;
    auto unrelated = spawn(fetch(5s, false));
    auto crawler = spawn(crawl(runs), "crawler");
    co_await crawler.join();
    co_await unrelated.join();
  };
  EXPECT_THAT(difference_of_two_runs(main),
              MatchesRegex("the same .* differ first at 2 s .virtual., after step 8\n"
                           "  first run:  crawler .2.: join at determinism_test.cpp:[0-9]+\n"
                           "  second run: fetch 2.1: yield at determinism_test.cpp:[0-9]+"));
}

TEST(DeterminismTest, PutsARecordInWords) {
  const auto work = []() -> task<void> { co_await yield(); };
  const auto main = [&]() -> task<void> {
    mutex lock;
    const auto held = co_await lock.lock();
    co_await sleep_for(1500ms);
    random_int("x", 1, 2);
    auto worker = spawn(work(), "worker");
    auto nameless = spawn(work());
    co_await worker.join();
    co_await nameless.join();
  };
  const recorded_run made = record(main);
  std::string text;
  for (std::size_t i = 0; i <= made.records.size(); ++i) text += text_of_record(made, i) + '\n';
  EXPECT_THAT(text, MatchesRegex("main: was made\n"
                                 "main: start at determinism_test.cpp in a lambda\n"
                                 "main: made object #1, [0-9a-f]+\n"
                                 "main: mutex #1 at determinism_test.cpp:[0-9]+\n"
                                 "time moved to 1.5 s\n"
                                 "main: sleep at determinism_test.cpp:[0-9]+\n"
                                 "main: drew the value 0\n"
                                 "worker .1.: was made\n"
                                 "lambda 2: was made\n"
                                 "worker .1.: start at determinism_test.cpp in a lambda\n"
                                 "lambda 2: start at determinism_test.cpp in a lambda\n"
                                 "worker .1.: yield at determinism_test.cpp:[0-9]+\n"
                                 "lambda 2: yield at determinism_test.cpp:[0-9]+\n"
                                 "main: join at determinism_test.cpp:[0-9]+\n"
                                 "main: join at determinism_test.cpp:[0-9]+\n"
                                 "the run had ended\n"));
}

}  // namespace
}  // namespace lockstep
