// More programs that are right: races for an answer, a feed, phases beside daemons.
#include "planted.hpp"

#include <numeric>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- races for the first answer ---------------------------------------------------------------------------------------

task<int> mirror(mutex& log, int id) {
  const local mine;
  co_await sleep_for(random_duration("mirror", 1ms, 4ms));
  const auto held = co_await log.lock();
  co_await yield();
  co_return id;
}

task<void> asks_mirrors() {
  mutex log("log");
  for (int round = 0; round < 3; ++round) {
    std::vector<task<int>> mirrors;
    for (int id = 0; id < 3; ++id) mirrors.push_back(mirror(log, id));
    const auto first = co_await when_any(std::move(mirrors));
    require(first.value == static_cast<int>(first.index), "another's answer");
    require(!log.locked(), "a lock was lost");
  }
}

// Both may fail before either hears of the other.
task<void> asks_two_that_are_down() {
  local mine;
  bool failed = false;
  try {
    auto first = fail_beside(mine, 1s, "no route");
    auto second = fail_beside(mine, 1s, "no route");
    co_await when_all(std::move(first), std::move(second));
  } catch (const std::runtime_error&) {
    failed = true;
  }
  require(failed, "a failure was lost");
}

TEST(CorrectServices, TwoFailuresAtOnce) { EXPECT_TRUE(silent(asks_two_that_are_down)); }

TEST(CorrectServices, RacesForTheFirstAnswer) { EXPECT_TRUE(silent(asks_mirrors)); }

// -- readers that follow versions with an event that is set and cleared -----------------------------------------------

struct feed {
  event news{"news"};
  int version = 0;
  bool closed = false;
};

task<void> follow(feed& of, int& seen) {
  const local mine;
  while (!of.closed) {
    const int known = of.version;
    seen = known;
    co_await sleep_for(random_duration("think", 0ms, 2ms));
    if (of.version != known || of.closed) continue;
    co_await of.news.wait();
  }
  seen = of.version;
}

task<void> publishes() {
  feed f;
  int seen[3] = {};
  task_group readers("readers");
  for (int& each : seen) readers.spawn(follow(f, each));
  for (int i = 0; i < 5; ++i) {
    co_await sleep_for(1ms);
    ++f.version;
    f.news.set();
    f.news.clear();
  }
  f.closed = true;
  f.news.set();
  co_await readers.join();
  require(std::accumulate(seen, seen + 3, 0) == 15, "a version was missed");
}

TEST(CorrectServices, ReadersOfAnEventThatIsSetAndCleared) { EXPECT_TRUE(silent(publishes)); }

// -- phases, daemons and shielded clean-up ----------------------------------------------------------------------------

task<void> march(barrier& step, std::vector<int>& progress, std::size_t who) {
  const local mine;
  for (int phase = 1; phase <= 3; ++phase) {
    progress[who] = phase;
    co_await step.wait();
    for (const int other : progress) require(other >= phase, "a phase was overtaken");
    co_await step.wait();
  }
}

task<void> flushes_at_the_end(std::shared_ptr<mutex> m) {
  const local mine;
  try {
    for (;;) {
      const auto held = co_await m->lock();
      co_await sleep_for(10ms);
    }
  } catch (const cancelled&) {
  }
  const auto flush = [](mutex& of) -> task<void> { const auto held = co_await of.lock(); };
  co_await shield(flush(*m));
}

task<void> marches() {
  const auto m = std::make_shared<mutex>(label("log"));
  spawn_daemon(flushes_at_the_end(m), "flusher");
  spawn_daemon(flushes_at_the_end(m), "flusher 2");
  barrier step(3, "step");
  std::vector<int> progress(3);
  std::vector<task<void>> all;
  for (std::size_t i = 0; i < progress.size(); ++i) all.push_back(march(step, progress, i));
  co_await when_all(std::move(all));
  const auto held = co_await m->lock();
}

TEST(CorrectServices, PhasesBesideDaemons) { EXPECT_TRUE(silent(marches)); }

}  // namespace
}  // namespace lockstep::planted
