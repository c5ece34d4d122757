// What a select() leaves behind when its task or an object ends before it; and objects that grant out of turn.
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// -- ends that come early ---------------------------------------------------------------------------------------------

TEST(SelectTest, OfATaskThatIsDestroyedLeavesAllPlaces) {
  const auto main = []() -> task<void> {
    queue<int> parked;
    queue<int> granted;
    const auto wait = [](queue<int>& from, queue<int>& full) -> task<void> {
      co_await select(sleep_for(1h), from.get(), full.put(9));
    };
    queue<int> full(1);
    full.try_put(0);
    {
      const auto first = spawn(wait(parked, full));
      const auto second = spawn(wait(granted, full));
      co_await settle();
      granted.try_put(1);
    }
    EXPECT_EQ(granted.try_get(), 1);
    EXPECT_TRUE(parked.try_put(2));
    EXPECT_EQ(parked.try_get(), 2);
    EXPECT_EQ(full.try_get(), 0);
    EXPECT_TRUE(full.empty());
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle, verdict_kind::dropped_handle));
}

TEST(SelectTest, GoesOnWithTheOthersWhenAnObjectDies) {
  const auto main = []() -> task<void> {
    auto dying = std::make_unique<queue<int>>(queue<int>::unbounded, label("dying"));
    queue<int> other;
    bool began = false;
    const auto wait = [&](queue<int>& gone) -> task<int> {
      began = true;
      const auto first = co_await select(gone.get(), other.get(), gone.join());
      EXPECT_EQ(first.index, 1u);
      co_return std::get<1>(first.value);
    };
    dying->try_put(0);
    static_cast<void>(dying->try_get());  // unfinished, so that join() waits as well
    auto selecting = spawn(wait(*dying), "reader");
    while (!began) co_await yield();
    dying.reset();
    other.try_put(1);
    EXPECT_EQ(co_await selecting.join(), 1);
  };
  for (std::uint64_t seed = 0; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    const auto choices = make_oracle(seed == 0 ? schedule::plain : schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    const judged_run run = judge(main, how);
    EXPECT_TRUE(run.ended);
    for (const verdict& each : run.verdicts) {
      EXPECT_EQ(each.message, "the queue \"dying\" died while task \"reader\" waits for it");
    }
    EXPECT_GE(run.verdicts.size(), 1u);
  }
}

TEST(SelectTest, MayBeCancelledWhenAnObjectOfItIsGone) {
  const auto main = []() -> task<void> {
    auto dying = std::make_unique<event>(label("dying"));
    event other;
    const auto wait = [&](event& gone) -> task<void> { co_await select(gone.wait(), other.wait()); };
    auto selecting = spawn(wait(*dying), "reader");
    co_await settle();
    dying.reset();
    selecting.cancel();
    EXPECT_THROW(co_await selecting.join(), cancelled);
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.messages(), "misuse: the event \"dying\" died while task \"reader\" waits for it\n");
}

TEST(SelectTest, WaitsForGoodWhenAllItsObjectsAreGone) {
  const auto make = [] { return std::make_unique<std::pair<queue<int>, event>>(); };
  const auto main = [&]() -> task<void> {
    auto dying = make();
    const auto wait = [&](std::pair<queue<int>, event>& gone) -> task<void> {
      co_await select(gone.first.get(), gone.second.wait());
    };
    auto selecting = spawn(wait(*dying), "reader");
    co_await settle();
    dying.reset();
    selecting.cancel();  // does not reach it any more
    co_await selecting.join();
  };
  const judged_run run = judge(main);
  ASSERT_EQ(run.verdicts.size(), 3u);
  EXPECT_EQ(run.verdicts[2].kind, verdict_kind::deadlock);
  EXPECT_EQ(run.verdicts[2].tasks.back().waits_for, "select, which is gone");
}

// The lock that it was handed is gone with the mutex; the item of a queue is its own.
TEST(SelectTest, ThatWasGrantedKeepsWhatDoesNotNeedTheObject) {
  const auto main = []() -> task<void> {
    auto letters = std::make_unique<queue<int>>();
    int got = 0;
    const auto wait = [&](queue<int>& from) -> task<void> {
      got = std::get<0>((co_await select(from.get(), sleep_for(1h))).value);
    };
    auto selecting = spawn(wait(*letters));
    co_await settle();
    letters->try_put(7);
    letters.reset();
    co_await selecting.join();
    EXPECT_EQ(got, 7);
    auto door = std::make_unique<mutex>(label("door"));
    std::optional<mutex_guard> held(co_await door->lock());
    const auto lock = [](mutex& wanted) -> task<void> { co_await select(wanted.lock(), sleep_for(1h)); };
    auto locking = spawn(lock(*door), "locker");
    co_await settle();
    held.reset();
    door.reset();
    co_await locking.join();
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts.back().tasks.back().waits_for, "select, which is gone");
}

// -- an object that grants while an operation is withdrawn ------------------------------------------------------------

// A line in which nobody is served before the first; when that leaves, the second is.
struct line final : object {
  explicit line(label name = {}) : object(std::move(name)) {}
  wait_list waiting;
  int given = 0;
  int taken_back = 0;
};

class standing final : public primitive<standing> {
 public:
  standing(line& in, bool blocks) noexcept : primitive(operation_kind::wait_event, in), line_(in), blocks_(blocks) {}
  bool try_now() const noexcept { return false; }
  void enqueue() noexcept override { line_.waiting.push_back(*this); }
  void withdraw() noexcept override {
    unlink();
    if (!blocks_ || line_.waiting.empty()) return;
    ++line_.given;
    current_loop()->grant(line_.waiting.pop_front());
  }
  bool revoke() noexcept override {
    ++line_.taken_back;
    return true;
  }
  void result() const noexcept {}

 private:
  line& line_;
  bool blocks_;
};

CO_TEST(SelectTest, WhatAWithdrawalLetsThroughIsGivenBack) {
  line own;
  event go;
  const auto wait = [&]() -> task<std::size_t> {
    co_return (co_await select(standing(own, true), standing(own, false), go.wait())).index;
  };
  auto selecting = spawn(wait());
  co_await settle();
  go.set();
  EXPECT_EQ(co_await selecting.join(), 2u);
  EXPECT_EQ(own.given, 1);
  EXPECT_EQ(own.taken_back, 1);
}

CO_TEST(SelectTest, WhatACancelledOneLetsThroughIsGivenBackAsWell) {
  line own;
  const auto wait = [&]() -> task<void> { co_await select(standing(own, true), standing(own, false)); };
  auto selecting = spawn(wait());
  co_await settle();
  selecting.cancel();
  EXPECT_TRUE(co_await was_cancelled(selecting));
  EXPECT_EQ(own.taken_back, own.given);
}

}  // namespace
}  // namespace lockstep
