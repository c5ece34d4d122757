// A driver of one's own: what sim::world and, later, the operating system's do.
#include "judged_run.hpp"

#include <functional>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class collector final : public monitor {
 public:
  void report(verdict found) noexcept override { kinds.push_back(found.kind); }
  std::vector<verdict_kind> kinds;
};

class scripted_driver final : public driver {
 public:
  bool idle(loop& of) override {
    ++calls;
    return when_idle(of);
  }
  std::function<bool(loop&)> when_idle = [](loop&) { return false; };
  int calls = 0;
};

// Runs `main` to its end or to where nothing goes on; whether it ended.
bool run(loop& owner, task<void> main) {
  const auto root = main.release();
  owner.start({}, nullptr, ordering::any_order);
  const loop_scope scope(owner);
  agent& who = owner.adopt(root, source());
  if (owner.run(who)) owner.wind_up();
  const bool ended = who.finished();
  owner.tear_down();
  loop::release(who);
  return ended;
}

TEST(DriverTest, IsNotAskedWhileSomeTaskIsReady) {
  scripted_driver idle;
  collector verdicts;
  loop owner(idle, verdicts);
  const auto main = []() -> task<void> {
    for (int i = 0; i < 10; ++i) co_await yield();
    co_await settle();
  };
  EXPECT_TRUE(run(owner, main()));
  EXPECT_EQ(idle.calls, 0);
}

TEST(DriverTest, IsAskedAgainAndAgainUntilTheMainTaskHasFinished) {
  scripted_driver idle;
  idle.when_idle = [](loop& of) { return of.advance_to_next_deadline(); };
  collector verdicts;
  loop owner(idle, verdicts);
  const auto main = []() -> task<void> {
    for (int i = 0; i < 3; ++i) co_await sleep_for(1s);
  };
  EXPECT_TRUE(run(owner, main()));
  EXPECT_EQ(idle.calls, 3);
  EXPECT_THAT(verdicts.kinds, IsEmpty());
}

TEST(DriverTest, MayWakeTasksByOtherMeansThanTimers) {
  scripted_driver idle;
  collector verdicts;
  loop owner(idle, verdicts);
  std::optional<event> completion;
  idle.when_idle = [&](loop&) {
    completion->set();
    return true;
  };
  const auto main = [&]() -> task<void> {
    completion.emplace(label("completion"));
    co_await completion->wait();
    completion.reset();
  };
  EXPECT_TRUE(run(owner, main()));
  EXPECT_EQ(idle.calls, 1);
}

TEST(DriverTest, MakesADeadlockOfAWaitThatItCannotEnd) {
  scripted_driver idle;
  collector verdicts;
  loop owner(idle, verdicts);
  const auto main = []() -> task<void> { co_await sleep_for(1s); };
  EXPECT_FALSE(run(owner, main()));
  EXPECT_EQ(idle.calls, 1);
  EXPECT_THAT(verdicts.kinds, ElementsAre(verdict_kind::deadlock));
}

TEST(DriverTest, IsAskedForTheDaemonsThatEnd) {
  scripted_driver idle;
  idle.when_idle = [](loop& of) { return of.advance_to_next_deadline(); };
  collector verdicts;
  loop owner(idle, verdicts);
  bool flushed = false;
  const auto flush = [&]() -> task<void> {
    co_await sleep_for(1s);
    flushed = true;
  };
  const auto serve = [&]() -> task<void> { co_await shield(flush()); };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve());
    co_await yield();
  };
  EXPECT_TRUE(run(owner, main()));
  EXPECT_TRUE(flushed);
  EXPECT_EQ(idle.calls, 1);
}

}  // namespace
}  // namespace lockstep
