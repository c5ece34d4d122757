// The progress of an operation, seen with one that notes what it is told.
#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// A gate that lets nobody through until it is opened, and a pass that notes what becomes of it.
struct gate final : object {
  explicit gate(label name = {}) : object(std::move(name)) {}
  agent* holder() const noexcept override { return keeper; }
  void open_for_first() { current_loop()->grant(waiting.pop_front()); }

  wait_list waiting;
  bool is_open = false;
  bool takes_back = true;
  agent* keeper = nullptr;
  std::string log;
};

class passing final : public primitive<passing> {
 public:
  explicit passing(gate& through) noexcept : primitive(operation_kind::wait_event, through), gate_(through) {}

  bool try_now() {
    gate_.log += "try ";
    return gate_.is_open;
  }
  void enqueue() noexcept override {
    gate_.log += "enqueue ";
    gate_.waiting.push_back(*this);
  }
  void withdraw() noexcept override {
    gate_.log += "withdraw ";
    unlink();
  }
  bool revoke() noexcept override {
    gate_.log += "revoke ";
    return gate_.takes_back;
  }
  void result() const { gate_.log += "result "; }

 private:
  gate& gate_;
};

task<void> go_through(gate& through) { co_await passing(through); }

CO_TEST(OperationTest, ThatNeedNotWaitIsGrantedAtOnce) {
  gate through;
  through.is_open = true;
  co_await passing(through);
  EXPECT_EQ(through.log, "try result ");
}

CO_TEST(OperationTest, ThatMustWaitIsParkedAndThenGranted) {
  gate through("north");
  auto walker = spawn(go_through(through));
  co_await settle();
  EXPECT_EQ(through.log, "try enqueue ");
  const agent& who = walker.get();
  EXPECT_EQ(who.condition(), agent::state::parked);
  CO_ASSERT_NE(who.parked_at(), nullptr);
  EXPECT_EQ(who.parked_at()->who(), &who);
  EXPECT_EQ(who.parked_at()->what(), &through);
  EXPECT_EQ(who.parked_at()->kind(), operation_kind::wait_event);
  through.open_for_first();
  EXPECT_EQ(who.parked_at(), nullptr);
  EXPECT_EQ(who.condition(), agent::state::ready);
  co_await walker.join();
  EXPECT_EQ(through.log, "try enqueue result ");
}

CO_TEST(OperationTest, ThatIsParkedIsWithdrawnByACancellation) {
  gate through;
  auto walker = spawn(go_through(through));
  co_await settle();
  walker.cancel();
  EXPECT_TRUE(through.waiting.empty());
  EXPECT_THROW(co_await walker.join(), cancelled);
  EXPECT_EQ(through.log, "try enqueue withdraw ");
}

CO_TEST(OperationTest, ThatWasGrantedAndNotSeenIsRevokedByACancellation) {
  gate through;
  auto walker = spawn(go_through(through));
  co_await settle();
  through.open_for_first();
  walker.cancel();
  EXPECT_THROW(co_await walker.join(), cancelled);
  EXPECT_EQ(through.log, "try enqueue revoke ");
}

CO_TEST(OperationTest, ThatCannotBeRevokedSucceedsAndTheCancellationIsForTheNext) {
  gate through;
  through.takes_back = false;
  const auto pass_twice = [&]() -> task<void> {
    co_await passing(through);
    co_await passing(through);
  };
  auto walker = spawn(pass_twice());
  co_await settle();
  through.open_for_first();
  walker.cancel();
  EXPECT_THROW(co_await walker.join(), cancelled);
  EXPECT_EQ(through.log, "try enqueue revoke result ");
}

CO_TEST(OperationTest, OfATaskWithAPendingCancellationIsNotEvenTried) {
  gate through;
  through.is_open = true;
  const auto work = [&]() -> task<void> {
    current_task().cancel();
    co_await passing(through);
  };
  auto walker = spawn(work());
  EXPECT_THROW(co_await walker.join(), cancelled);
  EXPECT_EQ(through.log, "");
}

TEST(OperationTest, OfATaskThatIsDestroyedIsWithdrawnOrRevoked) {
  std::string log;
  const auto main = [&]() -> task<void> {
    gate parked;
    gate granted;
    {
      const auto first = spawn(go_through(parked));
      const auto second = spawn(go_through(granted));
      co_await settle();
      granted.open_for_first();
    }
    log = parked.log + granted.log;
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle, verdict_kind::dropped_handle));
  EXPECT_EQ(log, "try enqueue withdraw try enqueue revoke ");
}

// Once overtakes the task that could go on, then goes in order.
class overtaking final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override {
    if (!from.first_is_running()) return 0;
    ++chances;
    return chances == 1 ? 1 : 0;
  }
  std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
  int chances = 0;
};

TEST(OperationTest, IsTriedAfterTheSwitchAndNotBefore) {
  gate* through = nullptr;
  const auto close = [&]() -> task<void> {
    EXPECT_EQ(through->log, "");  // it was overtaken before it tried
    through->is_open = false;
    co_return;
  };
  const auto main = [&]() -> task<void> {
    gate own;
    through = &own;
    own.is_open = true;
    auto closer = spawn(close());
    const auto reopen = [&]() -> task<void> {
      co_await settle();
      own.open_for_first();
    };
    auto opener = spawn(reopen());
    co_await passing(own);
    EXPECT_EQ(own.log, "try enqueue result ");
    co_await closer.join();
    co_await opener.join();
  };
  overtaking picks;
  sim::world_options how;
  how.choices = &picks;
  EXPECT_EQ(judge(main, how).messages(), "");
  EXPECT_GE(picks.chances, 1);
}

TEST(OperationTest, OfAnObjectThatDiedIsOrphaned) {
  const auto main = []() -> task<void> {
    auto own = std::make_unique<gate>(label("north"));
    auto walker = spawn(go_through(*own), "walker");
    co_await settle();
    own->waiting.pop_front().orphan();
    own.reset();
    walker.cancel();  // cannot reach it any more
    co_await walker.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
}

CO_TEST(OperationTest, SaysWhatItWaitsForAndWhoCouldEndIt) {
  gate named("north");
  gate unnamed;
  named.keeper = &current_task();
  const passing first(named);
  const passing second(unnamed);
  EXPECT_EQ(first.describe(), "event \"north\"");
  EXPECT_EQ(first.holder(), &current_task());
  EXPECT_EQ(second.describe(), "event #" + std::to_string(unnamed.number()));
  EXPECT_EQ(second.holder(), nullptr);
  EXPECT_EQ(sleep_for(std::chrono::seconds(2)).describe(), "sleep until 2 s");
  co_return;
}

TEST(OperationTest, AwaitedOnceMoreAfterAWaitIsMisuse) {
  const auto main = []() -> task<void> {
    auto nap = sleep_for(1s);
    co_await nap;
    EXPECT_THROW(co_await nap, misuse);
    EXPECT_EQ(now(), time_point{1s});
  };
  const std::string refused =
      "misuse: an operation (sleep) is awaited that was awaited before, or is awaited elsewhere; make another one\n";
  EXPECT_EQ(judge(main).messages(), refused);
  contrary choices;
  sim::world_options how;
  how.choices = &choices;
  EXPECT_EQ(judge(main, how).messages(), refused);
}

TEST(OperationTest, AwaitedOnceMoreAfterItsCancellationIsMisuse) {
  const auto main = []() -> task<void> {
    const auto body = []() -> task<void> {
      event never("never");
      auto wait = never.wait();
      EXPECT_THROW(co_await wait, cancelled);
      current_task().uncancel();
      EXPECT_THROW(co_await wait, misuse);
    };
    auto waiter = spawn(body());
    co_await settle();
    waiter.cancel();
    co_await waiter.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

// The first of the two gets what it waits for all the same, whether or not others might have run before the second.
TEST(OperationTest, AwaitedByTwoTasksIsMisuseOfTheSecond) {
  const auto main = []() -> task<void> {
    event begun("begun");
    auto shared = begun.wait();
    const auto wait = [&]() -> task<void> { co_await shared; };
    auto first = spawn(wait());
    auto second = spawn(wait());
    co_await settle();
    EXPECT_NE(first.done(), second.done());
    join_handle<void>& refused = first.done() ? first : second;
    join_handle<void>& waiting = first.done() ? second : first;
    EXPECT_THROW(co_await refused.join(), misuse);
    begun.set();
    co_await waiting.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
  contrary choices;
  sim::world_options how;
  how.choices = &choices;
  EXPECT_THAT(judge(main, how).kinds(), ElementsAre(verdict_kind::misuse));
}

}  // namespace
}  // namespace lockstep
