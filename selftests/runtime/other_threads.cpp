// What belongs to a run and is used on another thread: each is misuse, told to the run.
#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <version>
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

task<void> rest(duration length) { co_await sleep_for(length); }
task<void> fails_there() {
  co_await yield();
  throw std::runtime_error("disk full");
}

// What `work` throws as misuse; empty if it does not.
std::string misuse_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const misuse& error) {
    return error.what();
  }
  return {};
}

// The same on another thread, which ends before this returns.
std::string elsewhere(const std::function<void()>& work) {
  std::string thrown;
  std::thread other([&] { thrown = misuse_of(work); });
  other.join();
  return thrown;
}

testing::Matcher<std::string> here(const std::string& text) {
  return MatchesRegex(text + " on another thread \\(other_threads.cpp:[0-9]*\\)");
}

// -- tasks ------------------------------------------------------------------------------------------------------------

// Each is thrown there, and is a verdict at the line of the call, which names the task.
TEST(OtherThreadsTest, WhatChangesATaskIsMisuse) {
  const auto main = []() -> task<void> {
    auto reader = spawn(rest(1h), "reader");
    task_group group;
    const std::vector<std::function<void()>> uses = {
        [&] { reader.cancel(); },
        [&] { reader.get().cancel("reason"); },
        [&] { reader.get().uncancel(); },
        [&] { static_cast<void>(reader.join()); },
        [&] { static_cast<void>(reader.join_shielded()); },
        [&] { group.cancel(); },
        [&] { group.spawn(rest(1s)); },
    };
    for (const auto& use : uses)
      EXPECT_THAT(elsewhere(use), MatchesRegex("task \"(reader|main)\" .* on another thread.*"));
    EXPECT_EQ(group.size(), 0u);
    EXPECT_EQ(reader.get().cancelling(), 0u);
    co_await reader.join();
    co_await group.join();
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  std::vector<std::string> found;
  for (const verdict& each : run.verdicts) {
    EXPECT_EQ(each.kind, verdict_kind::misuse);
    EXPECT_EQ(file_of(each.where), "other_threads.cpp");
    found.push_back(each.message);
  }
  EXPECT_THAT(found, ElementsAre(here("task \"reader\" was cancelled"), here("task \"reader\" was cancelled"),
                                 here("task \"reader\" was uncancelled"), here("task \"reader\" was joined"),
                                 here("task \"reader\" was joined"), here("task \"main\" had its task_group cancelled"),
                                 here("task \"main\" had a task spawned into its task_group")));
}

TEST(OtherThreadsTest, ATaskOfAnotherRunIsNotCancelledByTheOneWithin) {
  std::string inner;
  const auto main = [&]() -> task<void> {
    auto reader = spawn(rest(1h), "reader");
    const auto nested = [&]() -> task<void> {
      EXPECT_NE(misuse_of([&] { reader.cancel(); }), "");
      co_return;
    };
    inner = judge(nested).messages();
    co_await reader.join();
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.messages(),
              MatchesRegex("misuse: task \"reader\" was cancelled in another run than its own \\(.*\\)\n"));
  EXPECT_THAT(inner, MatchesRegex("misuse: task \"reader\" was cancelled in another run than its own \\(.*\\)\n"));
}

#ifdef __cpp_lib_jthread
TEST(OtherThreadsTest, StoppingATokenThereIsAVerdictAndTheWorkGoesOn) {
  const auto main = []() -> task<void> {
    std::stop_source stop;
    const auto work = [&]() -> task<void> {
      co_await sleep_for(1s);
      EXPECT_EQ(elsewhere([&] { stop.request_stop(); }), "");
      co_await sleep_for(1s);
    };
    co_await with_stop_token(stop.get_token(), work());
    EXPECT_EQ(now(), time_point{2s});
  };
  EXPECT_EQ(judge(main).messages(), "misuse: task \"lambda 1\" was cancelled by its stop_token on another thread\n");
}

TEST(OtherThreadsTest, AStopOfWorkThatHasEndedIsNobodysConcern) {
  const auto main = []() -> task<void> {
    std::stop_source stop;
    co_await with_stop_token(stop.get_token(), rest(1s));
    EXPECT_EQ(elsewhere([&] { stop.request_stop(); }), "");
  };
  EXPECT_EQ(judge(main).messages(), "");
}
#endif

// -- owners -----------------------------------------------------------------------------------------------------------

TEST(OtherThreadsTest, TheLoopDropsWhatLostItsHandleThere) {
  const auto main = []() -> task<void> {
    const auto flag = std::make_shared<int>(1);
    const auto hold = [](std::shared_ptr<int>) -> task<void> { co_await sleep_for(1h); };
    auto handle = spawn(hold(flag), "holder");
    co_await yield();
    elsewhere([&] { auto dropped = std::move(handle); });
    EXPECT_EQ(flag.use_count(), 2) << "the frame lives";
    co_await sleep_for(1s);
    EXPECT_EQ(flag.use_count(), 1);
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.messages(), "misuse: task \"holder\" lost its handle on another thread\n");
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  EXPECT_EQ(run.verdicts[0].where.line(), run.verdicts[0].tasks[0].spawned_at.line());
}

TEST(OtherThreadsTest, AHandleOfATaskThatHasEndedIsDroppedByTheLoopToo) {
  const auto main = []() -> task<void> {
    auto done = spawn(rest(1s), "done");
    auto failed = spawn(fails_there(), "failed");
    co_await done.join();
    EXPECT_NE(failed.exception(), nullptr);
    elsewhere([&] { auto dropped = std::move(done); });
    elsewhere([&] { auto dropped = std::move(failed); });
  };
  EXPECT_EQ(
      judge(main).messages(),
      "misuse: task \"done\" lost its handle on another thread\nmisuse: task \"failed\" lost its handle on another "
      "thread\n");
}

TEST(OtherThreadsTest, AGroupThatDiesThereLeavesItsTasksToTheLoop) {
  const auto main = []() -> task<void> {
    auto group = std::make_unique<task_group>();
    group->spawn(rest(1h), "first");
    group->spawn(rest(1h), "second");
    co_await yield();
    elsewhere([&] { group.reset(); });
    co_await sleep_for(1s);
    EXPECT_EQ(current_loop()->alive().size(), 1u);
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.messages(),
            "misuse: task \"second\" lost its handle on another thread\n"
            "misuse: task \"first\" lost its handle on another thread\n");
}

TEST(OtherThreadsTest, TheLoopDestroysATaskThatWasNotAwaitedThere) {
  const auto main = []() -> task<void> {
    const auto flag = std::make_shared<int>(1);
    const auto hold = [](std::shared_ptr<int>) -> task<void> { co_return; };
    auto made = hold(flag);
    elsewhere([&] { auto dropped = std::move(made); });
    EXPECT_EQ(flag.use_count(), 2);
    co_await sleep_for(1s);
    EXPECT_EQ(flag.use_count(), 1);
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "misuse: the task of lambda() was destroyed on another thread\n");
  EXPECT_EQ(file_of(run.verdicts.at(0).where), "other_threads.cpp");
}

TEST(OtherThreadsTest, WhatIsDroppedInTheTearDownCounts) {
  const auto main = []() -> task<void> {
    struct dropper {
      join_handle<void> handle;
      task<void> unawaited;
      ~dropper() {
        elsewhere([this] {
          auto dropped = std::move(handle);
          auto destroyed = std::move(unawaited);
        });
      }
    };
    const dropper local{spawn(rest(1h), "rest"), rest(1s)};
    co_await sleep_until(time_point::max());
  };
  const judged_run run = judge(main, {.time_max = 2h});
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock, verdict_kind::misuse, verdict_kind::misuse));
}

TEST(OtherThreadsTest, AfterTheRunItMayBeDroppedAnywhere) {
  join_handle<int> kept;
  task<void> unawaited = rest(0s);
  {
    sim::world world;
    const auto value = []() -> task<int> { co_return 7; };
    const auto main = [&]() -> task<void> {
      kept = spawn(value());
      unawaited = rest(1s);
      co_await kept.join_shielded();
    };
    world.run(main());
    EXPECT_THAT(world.verdicts(), testing::SizeIs(1)) << "the task that was there before";
    elsewhere([&] { EXPECT_EQ(kept.result(), 7); });
    elsewhere([&] { auto dropped = std::move(unawaited); });
    world.start();
    world.finish();
    EXPECT_THAT(world.verdicts(), IsEmpty());
  }
  elsewhere([&] { auto dropped = std::move(kept); });
}

// Its frame is the memory of the loop in which it was made.
TEST(OtherThreadsTest, ATaskIsNotSpawnedInAnotherLoopThere) {
  const auto flag = std::make_shared<int>(1);
  std::string there;
  const auto main = [&]() -> task<void> {
    const auto hold = [](std::shared_ptr<int>) -> task<void> { co_return; };
    auto spawned = hold(flag);
    elsewhere([&] {
      const auto other = [&]() -> task<void> {
        EXPECT_THROW(static_cast<void>(spawn(std::move(spawned))), misuse);
        co_return;
      };
      there = judge(other).messages();
    });
    co_await sleep_for(1s);
    EXPECT_EQ(flag.use_count(), 1);
  };
  const std::string here = judge(main).messages();
  EXPECT_THAT(here, MatchesRegex("misuse: the task of lambda\\(\\) was started on another thread "
                                 "\\(other_threads.cpp:[0-9]*\\)\n"));
  EXPECT_EQ(there, here);
}

// Not by that thread: the loop's memory is the loop's.
TEST(OtherThreadsTest, WhatOutlivedItsRunAndDiesElsewhereGoesWhenTheNextBegins) {
  const auto flag = std::make_shared<int>(1);
  const auto hold = [](std::shared_ptr<int> held) -> task<std::shared_ptr<int>> { co_return held; };
  join_handle<std::shared_ptr<int>> kept;
  std::optional<task<std::shared_ptr<int>>> unawaited;
  const auto main = [&]() -> task<void> {
    kept = spawn(hold(flag));
    unawaited.emplace(hold(flag));
    co_await yield();
  };
  sim::world world;
  world.run(main());
  const auto held = flag.use_count();
  EXPECT_GT(held, 2);
  elsewhere([&] {
    auto dropped = std::move(kept);
    unawaited.reset();
  });
  EXPECT_EQ(flag.use_count(), held);
  world.run(rest(1s));
  EXPECT_EQ(flag.use_count(), 1);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(OtherThreadsTest, AHandleThatOutlivedItsRunIsNoConcernOfTheNext) {
  join_handle<void> kept;
  const auto first = [&]() -> task<void> {
    kept = spawn(rest(0s));
    co_await kept.join_shielded();
  };
  const auto second = [&]() -> task<void> {
    EXPECT_FALSE(kept.cancel());
    elsewhere([&] { auto dropped = std::move(kept); });
    co_await sleep_for(1s);
  };
  sim::world world;
  world.run(first());
  world.run(second());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(OtherThreadsTest, WhatOutlivesItsWorldMayDieOnSeveralThreadsAtOnce) {
  constexpr int count = 100;
  std::vector<join_handle<int>> kept;
  std::vector<task<int>> unawaited;
  const auto main = [&]() -> task<void> {
    const auto value = []() -> task<int> { co_return 7; };
    for (int i = 0; i < count; ++i) {
      kept.push_back(spawn(value()));
      unawaited.push_back(value());
    }
    co_await yield();
  };
  sim::world().run(main());
  std::thread handles([&] { kept.clear(); });
  std::thread tasks([&] { unawaited.clear(); });
  handles.join();
  tasks.join();
}

// -- objects ----------------------------------------------------------------------------------------------------------

TEST(OtherThreadsTest, AGuardThatUnlocksThereLeavesTheMutexLocked) {
  const auto main = []() -> task<void> {
    mutex tx("tx");
    auto guard = co_await tx.lock();
    elsewhere([&] { const mutex_guard dying = std::move(guard); });
    EXPECT_TRUE(tx.locked());
    tx.unlock();
  };
  EXPECT_EQ(judge(main).messages(), "misuse: mutex \"tx\" was unlocked by its guard on another thread\n");
}

TEST(OtherThreadsTest, APermitThatIsReleasedThereStaysTaken) {
  const auto main = []() -> task<void> {
    bounded_semaphore slots(1, "slots");
    co_await slots.acquire();
    auto slot = std::make_unique<permit>(slots);
    elsewhere([&] { slot.reset(); });
    EXPECT_EQ(slots.available(), 0u);
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: bounded_semaphore \"slots\" was released by its permit on another thread\n");
}

TEST(OtherThreadsTest, AnObjectThatIsWaitedForMayNotDieThere) {
  const auto main = []() -> task<void> {
    auto go = std::make_unique<event>(label("go"));
    auto unused = std::make_unique<event>(label("unused"));
    const auto wait = [&]() -> task<void> { co_await go->wait(); };
    auto waiter = spawn(wait(), "waiter");
    co_await yield();
    elsewhere([&] { go.reset(); });
    elsewhere([&] { unused.reset(); });
    co_await waiter.join();
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), testing::UnorderedElementsAre(verdict_kind::misuse, verdict_kind::deadlock));
  EXPECT_THAT(run.messages(), HasSubstr("misuse: event \"go\" died while a task waits for it on another thread\n"));
}

// What has no name is called by its number.
TEST(OtherThreadsTest, EachObjectIsCalledByItsKindAndName) {
  std::vector<std::string> found;
  const auto main = [&]() -> task<void> {
    mutex m("m");
    event e("e");
    semaphore s(1, "s");
    bounded_semaphore b(1, "b");
    queue<int> q(1, "q");
    barrier r(1, "r");
    condition_variable c(m, "c");
    event unnamed;
    const std::vector<std::function<void()>> uses = {
        [&] { m.unlock(); },    [&] { e.clear(); }, [&] { s.release(); },    [&] { b.release(); },
        [&] { q.shut_down(); }, [&] { r.abort(); }, [&] { c.notify_all(); }, [&] { unnamed.set(); },
    };
    for (const auto& use : uses) found.push_back(elsewhere(use));
    co_return;
  };
  EXPECT_EQ(judge(main).verdicts.size(), 8u);
  EXPECT_THAT(found, ElementsAre(here("mutex \"m\" was unlocked"), here("event \"e\" was cleared"),
                                 here("semaphore \"s\" was released"), here("bounded_semaphore \"b\" was released"),
                                 here("queue \"q\" was shut down"), here("barrier \"r\" was aborted"),
                                 here("condition_variable \"c\" was notified"), here("event #8 was set")));
}

}  // namespace
}  // namespace lockstep
