#include "foreign_coroutines.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/runtime/call_graph.hpp>
#include <lockstep/testing/testing.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// "main > reader", one for each edge.
std::vector<std::string> edges_of(const call_graph& graph) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < graph.tasks.size(); ++i) {
    for (const std::size_t awaited : graph.awaits.at(i)) {
      found.push_back(graph.tasks[i].name + " > " + graph.tasks.at(awaited).name);
    }
  }
  return found;
}

// What somebody sees who looks on while main awaits `work`.
template <class F>
std::vector<std::string> edges_during(F work) {
  std::vector<std::string> found;
  const auto main = [&]() -> task<void> {
    const auto look = [&]() -> task<void> {
      co_await settle();
      found = edges_of(capture_call_graph());
    };
    auto onlooker = spawn(look(), "onlooker");
    co_await work();
    co_await onlooker.join();
  };
  EXPECT_EQ(judge(main).messages(), "");
  return found;
}

TEST(CallGraphTest, AJoinIsAnEdge) {
  EXPECT_THAT(edges_during([]() -> task<void> {
                auto reader = spawn(pass(1s), "reader");
                co_await reader.join();
              }),
              ElementsAre("main > reader"));
  EXPECT_THAT(edges_during([]() -> task<void> {
                auto reader = spawn(pass(1s), "reader");
                co_await reader.join_shielded();
              }),
              ElementsAre("main > reader"));
}

TEST(CallGraphTest, WhatIsSpawnedAndNotAwaitedHasNone) {
  EXPECT_THAT(edges_during([]() -> task<void> {
                auto reader = spawn(pass(1s), "reader");
                co_await sleep_for(2s);
              }),
              IsEmpty());
}

TEST(CallGraphTest, AllOfWhenAllAndOfWhenAnyAreAwaited) {
  EXPECT_THAT(edges_during([]() -> task<void> { co_await when_all(pass(1s), pass(2s), pass(0s)); }),
              ElementsAre("main > pass 2", "main > pass 3"))
      << "the third has ended";
  EXPECT_THAT(edges_during([]() -> task<void> { co_await when_any(pass(1s), pass(2s)); }),
              ElementsAre("main > pass 2", "main > pass 3"));
}

TEST(CallGraphTest, AWaitAwaitsThoseThatItLooksAt) {
  EXPECT_THAT(edges_during([]() -> task<void> {
                auto reader = spawn(pass(1s), "reader");
                auto ended = spawn(pass(0s), "ended");
                auto writer = spawn(pass(1s), "writer");
                co_await wait(wait_until::all_completed, reader, ended, writer);
              }),
              ElementsAre("main > reader", "main > writer"));
}

TEST(CallGraphTest, TheChildrenOfAGroupAreAwaitedWhenItIsJoined) {
  EXPECT_THAT(edges_during([]() -> task<void> {
                const auto body = [](task_group& group) -> task<void> {
                  group.spawn(pass(1s), "reader");
                  group.spawn(pass(0s), "ended");
                  group.spawn(pass(1s), "writer");
                  co_return;
                };
                co_await with_task_group(body);
              }),
              ElementsAre("main > reader", "main > writer"));
  EXPECT_THAT(edges_during([]() -> task<void> {
                const auto body = [](task_group& group) -> task<void> {
                  group.spawn(pass(1s), "reader");
                  co_await sleep_for(1s);
                };
                co_await with_task_group(body);
              }),
              IsEmpty())
      << "the body does something else yet";
}

TEST(CallGraphTest, ASelectAwaitsTheTasksOfAllItsArmsAndEachOnce) {
  EXPECT_THAT(edges_during([]() -> task<void> {
                queue<int> letters;
                auto reader = spawn(pass(1s), "reader");
                auto writer = spawn(pass(2s), "writer");
                co_await select(reader.join(), letters.get(), writer.join_shielded(), reader.join_shielded());
                co_await writer.join();
              }),
              ElementsAre("main > reader", "main > writer"));
  EXPECT_THAT(edges_during([]() -> task<void> {
                std::vector<join_handle<void>> handles;
                for (int i = 1; i <= 3; ++i) handles.push_back(spawn(pass(i * 1s), "reader"));
                co_await select_among(handles, [](join_handle<void>& each) { return each.join_shielded(); });
                for (join_handle<void>& each : handles) co_await each.join();
              }),
              ElementsAre("main > reader", "main > reader", "main > reader"));
}

TEST(CallGraphTest, AsCompletedAwaitsThoseThatAreLeft) {
  EXPECT_THAT(edges_during([]() -> task<void> {
                std::vector<join_handle<void>> handles;
                handles.push_back(spawn(pass(0s), "ended"));
                handles.push_back(spawn(pass(1s), "reader"));
                handles.push_back(spawn(pass(1s), "writer"));
                as_completed all(handles);
                while (co_await all.next() != nullptr) continue;
              }),
              ElementsAre("main > reader", "main > writer"));
}

TEST(CallGraphTest, AllWhoAwaitASharedTaskAwaitItsWork) {
  EXPECT_THAT(edges_during([]() -> task<void> {
                const shared_task<> shared(pass(1s));
                const auto ask = [&]() -> task<void> { co_await shared.get(); };
                auto one = spawn(ask(), "one");
                auto two = spawn(ask(), "two");
                co_await settle();
                co_await one.join();
                co_await two.join();
              }),
              UnorderedElementsAre("main > one", "one > pass 2.1", "two > pass 2.1"));
}

TEST(CallGraphTest, InASimulationABlockingJobIsAwaitedAtItsWorker) {
  EXPECT_THAT(edges_during([]() -> task<void> { co_await run_blocking([] { consume(1s); }); }),
              ElementsAre("main > blocking_job 2"));
}

TEST(CallGraphTest, ACallIsNoTask) {
  std::vector<std::string> names;
  bool called = false;
  const auto main = [&]() -> task<void> {
    auto reader = spawn(pass(1s), "reader");
    reader.on_done([] {});
    call_later(2s, [] {});
    const auto look = [&] {
      for (const task_snapshot& each : capture_call_graph().tasks) names.push_back(each.name);
      called = true;
    };
    call_soon(look);
    co_await reader.join();
    look();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_TRUE(called);
  EXPECT_THAT(names, ElementsAre("main", "reader", "main"));
}

// Who will set a promise is not known, but who made it is.
TEST(CallGraphTest, AFutureIsNamedWithTheTaskThatMadeItsPromise) {
  std::vector<std::string> waits;
  const auto main = [&]() -> task<void> {
    promise<int> own("own");
    const auto ask = [](future<int> wanted) -> task<void> { co_await wanted.get(); };
    const auto serve = [](promise<int>*& made) -> task<void> {
      promise<int> answer("answer");
      made = &answer;
      co_await sleep_for(1s);
      answer.set_value(1);
    };
    promise<int>* made = nullptr;
    auto server = spawn_eager(serve(made), "server");
    auto one = spawn(ask(own.get_future()), "one");
    auto two = spawn(ask(made->get_future()), "two");
    const auto look = [&]() -> task<void> {
      co_await settle();
      for (const task_snapshot& each : capture_call_graph().tasks) waits.push_back(each.waits_for);
      own.set_value(1);
    };
    auto onlooker = spawn(look(), "onlooker");
    EXPECT_EQ(co_await own.get_future().get(), 1);
    for (join_handle<void>* each : {&server, &one, &two, &onlooker}) co_await each->join();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_THAT(waits, ElementsAre("future \"own\"", "sleep until 1 s", "future \"own\" made by main",
                                 "future \"answer\" made by server", ""));
}

TEST(CallGraphTest, TheBodyOfAGeneratorStandsInTheStackOfWhoeverAsks) {
  std::vector<unsigned> lines;
  unsigned first = 0;
  const auto main = [&]() -> task<void> {
    first = source::current().line();
    const auto inner = []() -> async_generator<int> {
      co_await sleep_for(1s);
      co_yield 1;
    };
    const auto outer = [](async_generator<int> of) -> async_generator<int> {
      while (const int* item = co_await of.next()) co_yield int{*item};
    };
    const auto ask = [&]() -> task<void> {
      auto items = outer(inner());
      co_await items.next();
    };
    auto reader = spawn(ask(), "reader");
    co_await settle();
    const call_graph seen = capture_call_graph();
    for (const place& at : seen.tasks.at(1).stack) lines.push_back(at.line() - first);
    co_await reader.join();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_THAT(lines, ElementsAre(2, 6, 10));
}

TEST(CallGraphTest, SeveralMayAwaitOne) {
  EXPECT_THAT(edges_during([]() -> task<void> {
                auto shared = spawn(pass(1s), "shared");
                const auto join = [&]() -> task<void> { co_await shared.join(); };
                auto one = spawn(join(), "one");
                auto two = spawn(join(), "two");
                co_await shared.join();
                co_await one.join();
                co_await two.join();
              }),
              UnorderedElementsAre("main > shared", "one > shared", "two > shared"));
}

TEST(CallGraphTest, TasksMayAwaitEachOther) {
  std::optional<join_handle<void>> one;
  std::optional<join_handle<void>> two;
  std::vector<std::string> found;
  const auto main = [&]() -> task<void> {
    const auto join = [](std::optional<join_handle<void>>& other) -> task<void> { co_await other->join(); };
    one.emplace(spawn(join(two), "one"));
    two.emplace(spawn(join(one), "two"));
    co_await settle();
    found = edges_of(capture_call_graph());
  };
  static_cast<void>(judge(main));
  one.reset();
  two.reset();
  EXPECT_THAT(found, ElementsAre("one > two", "two > one"));
}

CO_TEST(CallGraphTest, IsAPictureOfThisMoment) {
  co_await sleep_for(1s);
  auto reader = spawn(pass(1s), "reader");
  const call_graph before = capture_call_graph();
  co_await settle();
  const call_graph graph = capture_call_graph();
  EXPECT_EQ(before.tasks.at(1).state, task_snapshot::condition::ready);
  EXPECT_EQ(graph.at, time_point{1s});
  EXPECT_EQ(graph.step, current_loop()->steps());
  EXPECT_TRUE(graph.inside);
  CO_ASSERT_EQ(graph.tasks.size(), 2u);
  EXPECT_EQ(graph.tasks[0].name, "main");
  EXPECT_EQ(graph.tasks[0].state, task_snapshot::condition::running);
  EXPECT_EQ(graph.tasks[1].name, "reader");
  EXPECT_EQ(graph.tasks[1].waits_for, "sleep until 2 s");
  EXPECT_EQ(file_of(graph.tasks[1].stack.at(0)), "tasks.hpp");
  co_await reader.join();
}

TEST(CallGraphTest, OutsideOfEveryLoopThereIsNothing) {
  const call_graph graph = capture_call_graph();
  EXPECT_FALSE(graph.inside);
  EXPECT_THAT(graph.tasks, IsEmpty());
}

// Wherever it is asked for: in the middle of what a loop does.
class looks_when_it_dies {
 public:
  explicit looks_when_it_dies(std::vector<std::size_t>& seen) : seen_(seen) {}
  looks_when_it_dies(const looks_when_it_dies&) = delete;
  looks_when_it_dies& operator=(const looks_when_it_dies&) = delete;
  ~looks_when_it_dies() { seen_.push_back(capture_call_graph().tasks.size()); }

 private:
  std::vector<std::size_t>& seen_;
};

TEST(CallGraphTest, MayBeTakenWhileTasksAreDestroyed) {
  std::vector<std::size_t> seen;
  const auto leaf = [&]() -> task<void> {
    const looks_when_it_dies local(seen);
    co_await wait_for_ever();
  };
  const auto body = [&](task_group& group) -> task<void> {
    const looks_when_it_dies local(seen);
    group.spawn(leaf());
    co_await when_all(leaf(), leaf());
  };
  const auto work = [&]() -> task<void> {
    const looks_when_it_dies local(seen);
    co_await with_task_group(body);
  };
  const auto main = [&]() -> task<void> {
    {
      const auto dropped = spawn(work());
      co_await settle();
    }
    auto torn_down = spawn(work());
    co_await settle();
    current_loop()->stop();
    co_await yield();
  };
  static_cast<void>(judge(main));
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(seen.back(), 1u) << "the main task is the last";
}

CO_TEST(CallGraphTest, MayBeTakenInAFirstStepAndInAForeignCoroutine) {
  const auto look = []() -> task<std::size_t> { co_return capture_call_graph().tasks.size(); };
  auto eager = spawn_eager(look());
  EXPECT_EQ(eager.result(), 2u);
  const auto in_foreign = []() -> foreign::lazy<std::size_t> { co_return capture_call_graph().tasks.size(); };
  EXPECT_EQ(co_await in_foreign(), 1u);
}

}  // namespace
}  // namespace lockstep
