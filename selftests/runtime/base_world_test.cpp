// What worlds have in common is tested with one of them, in selftests/sim/world_test.cpp and
// selftests/real/world_test.cpp. Here is how one is made.
#include "judged_run.hpp"

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// One in which time passes by itself, a second at a time, and where everybody who is left is awaited.
class slow_world final : private driver, public base_world {
 public:
  slow_world() : base_world(static_cast<driver&>(*this)) {}

  template <class T>
  T run(task<T> main) {
    start({}, nullptr, ordering::fifo, false, false);
    return run_started(std::move(main));
  }
  std::vector<std::string> hooks;

 private:
  bool idle(lockstep::loop& of) override {
    if (of.timers().empty()) return false;
    of.advance_to(of.now() + 1s, false);
    return true;
  }
  void main_begins(agent& main) override {
    hooks.push_back("begins");
    EXPECT_FALSE(main.finished());
  }
  bool main_ended(agent& main) override {
    hooks.push_back(main.finished() ? "ended" : "could not end");
    return true;
  }
};

TEST(BaseWorldTest, RunsATaskOnTheClockOfItsDriver) {
  slow_world world;
  const auto main = []() -> task<int> {
    co_await sleep_for(1ms);
    EXPECT_EQ(now(), time_point{1s});  // not at its deadline: this clock shows seconds
    co_await sleep_until(time_point{2'500ms});
    EXPECT_EQ(now(), time_point{3s});
    co_return 7;
  };
  EXPECT_EQ(world.run(main()), 7);
  EXPECT_EQ(world.summary().virtual_time, 3s);
  EXPECT_THAT(world.hooks, ElementsAre("begins", "ended"));
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(BaseWorldTest, FiresWhatIsDueTogetherInTheOrderOfDeadlines) {
  slow_world world;
  std::vector<int> order;
  const auto wake = [&](duration delay, int who) -> task<void> {
    co_await sleep_for(delay);
    order.push_back(who);
  };
  const auto main = [&]() -> task<void> { co_await when_all(wake(30ms, 3), wake(10ms, 1), wake(20ms, 2)); };
  world.run(main());
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(BaseWorldTest, SaysThatItsMainTaskCouldNotEnd) {
  slow_world world;
  const auto main = []() -> task<void> {
    event never("never");
    co_await never.wait();
  };
  EXPECT_THROW(world.run(main()), misuse);
  EXPECT_THAT(world.hooks, ElementsAre("begins", "could not end"));
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::deadlock);
}

task<void> note_after_5s(bool& cleaned_up) {
  co_await sleep_for(5s);
  cleaned_up = true;
}

// Ends only when it is cancelled, and not at once then.
task<void> sleeps_and_cleans_up(bool& cleaned_up) {
  std::exception_ptr ended;
  try {
    co_await sleep_for(24h);
  } catch (...) {
    ended = std::current_exception();
  }
  co_await shield(note_after_5s(cleaned_up));
  std::rethrow_exception(ended);
}

TEST(BaseWorldTest, CancelsAndAwaitsEverybodyWhoIsLeftIfTheWorldWantsThat) {
  slow_world world;
  join_handle<void> kept;
  bool cleaned_up = false;
  const auto main = [&]() -> task<void> {
    kept = spawn(sleeps_and_cleans_up(cleaned_up), "left");
    co_await yield();
  };
  world.run(main());
  EXPECT_TRUE(cleaned_up);
  EXPECT_EQ(world.summary().virtual_time, 5s);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

// Calls are no tasks: they are neither cancelled nor waited for. Those that become due meanwhile are made.
TEST(BaseWorldTest, WhoeverIsAwaitedAtTheEndCallsAreNot) {
  slow_world world;
  std::string log;
  callback_handle soon;
  callback_handle late;
  join_handle<void> kept;
  bool cleaned_up = false;
  const auto main = [&]() -> task<void> {
    kept = spawn(sleeps_and_cleans_up(cleaned_up), "left");
    soon = call_later(3s, [&] { log += "soon "; });
    late = call_later(7s, [&] { log += "late "; });
    co_await yield();
  };
  world.run(main());
  EXPECT_EQ(log, "soon ");
  EXPECT_FALSE(soon.cancelled());
  EXPECT_FALSE(late.cancelled());
  EXPECT_EQ(world.summary().virtual_time, 5s);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

}  // namespace
}  // namespace lockstep
