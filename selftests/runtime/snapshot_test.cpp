#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/runtime/snapshot.hpp>
#include <lockstep/testing/testing.hpp>

#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names_of(const std::vector<task_snapshot>& tasks) {
  std::vector<std::string> names;
  for (const task_snapshot& each : tasks) names.push_back(each.name);
  return names;
}

CO_TEST(SnapshotTest, TellsWhatATaskWaitsForAndWhoHoldsIt) {
  mutex tx("tx");
  const mutex_guard held = co_await tx.lock();
  unsigned line = 0;
  const auto reader = [&]() -> task<void> {
    line = source::current().line() + 1;
    const mutex_guard mine = co_await tx.lock();
  };
  const auto middle = [&]() -> task<void> { co_await reader(); };
  auto handle = spawn(middle(), "reader");
  co_await settle();
  const task_snapshot seen = snapshot_of({&handle.get()}).front();
  EXPECT_EQ(seen.name, "reader");
  EXPECT_EQ(seen.state, task_snapshot::condition::waiting);
  EXPECT_EQ(seen.waits_for, "mutex \"tx\"");
  EXPECT_EQ(seen.held_by, "main");
  CO_ASSERT_EQ(seen.stack.size(), 2u);
  EXPECT_EQ(seen.stack[0].line(), line);
  EXPECT_EQ(file_of(seen.stack[1]), "snapshot_test.cpp");
  EXPECT_EQ(file_of(seen.spawned_at), "snapshot_test.cpp");
  EXPECT_FALSE(seen.daemon);
  EXPECT_FALSE(seen.parent);
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
}

CO_TEST(SnapshotTest, TellsTheStateOfATask) {
  auto waiting = spawn(wait_for_ever());
  auto finished = spawn([]() -> task<void> { co_return; }());
  agent& daemon = spawn_daemon(wait_for_ever(), "server");
  co_await settle();
  auto ready = spawn(wait_for_ever());
  EXPECT_EQ(snapshot_of({&waiting.get()})[0].state, task_snapshot::condition::waiting);
  EXPECT_EQ(snapshot_of({&finished.get()})[0].state, task_snapshot::condition::finished);
  EXPECT_EQ(snapshot_of({&ready.get()})[0].state, task_snapshot::condition::ready);
  EXPECT_EQ(snapshot_of({&ready.get()})[0].waits_for, "");
  EXPECT_EQ(snapshot_of({&current_task()})[0].state, task_snapshot::condition::running);
  EXPECT_TRUE(snapshot_of({&daemon})[0].daemon);
  for (auto* handle : {&waiting, &ready}) {
    handle->cancel();
    EXPECT_THROW(co_await handle->join(), cancelled);
  }
}

CO_TEST(SnapshotTest, PutsParentsBeforeTheirChildrenAndEachTaskOnce) {
  std::vector<agent*> made;
  const auto child = [&]() -> task<void> {
    auto grandchild = spawn(wait_for_ever(), "grandchild");
    made.push_back(&grandchild.get());
    co_await grandchild.join();
  };
  auto handle = spawn(child(), "child");
  auto other = spawn(wait_for_ever(), "other");
  co_await settle();
  agent& grandchild = *made.front();

  const auto all = snapshot_of({&grandchild, &other.get(), &handle.get(), &grandchild, &current_task()});
  EXPECT_THAT(names_of(all), ElementsAre("main", "child", "other", "grandchild"));
  EXPECT_EQ(all[1].parent, 0u);
  EXPECT_EQ(all[2].parent, 0u);
  EXPECT_EQ(all[3].parent, 1u);

  // The nearest ancestor that is there takes the place of a parent that is not.
  const auto some = snapshot_of({&grandchild, &current_task()});
  EXPECT_THAT(names_of(some), ElementsAre("main", "grandchild"));
  EXPECT_EQ(some[1].parent, 0u);
  EXPECT_FALSE(snapshot_of({&grandchild})[0].parent);

  EXPECT_THAT(snapshot_of({}), IsEmpty());
  for (auto* each : {&handle, &other}) {
    each->cancel();
    EXPECT_THROW(co_await each->join(), cancelled);
  }
}

CO_TEST(SnapshotTest, TellsTheNotesOfATaskTheOutermostFirst) {
  const auto work = []() -> task<void> {
    const scoped_annotation outer("page 1");
    const auto inner = []() -> task<void> {
      const scoped_annotation note("attempt 2");
      co_await wait_for_ever();
    };
    co_await inner();
  };
  auto handle = spawn(work());
  co_await settle();
  const task_snapshot seen = snapshot_of({&handle.get()}).front();
  CO_ASSERT_EQ(seen.notes.size(), 2u);
  EXPECT_TRUE(seen.notes[0].ends_with(": page 1")) << seen.notes[0];
  EXPECT_TRUE(seen.notes[0].starts_with("snapshot_test.cpp:")) << seen.notes[0];
  EXPECT_TRUE(seen.notes[1].ends_with(": attempt 2")) << seen.notes[1];
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_THAT(snapshot_of({&handle.get()})[0].notes, IsEmpty()) << "they end with their scopes";
}

CO_TEST(SnapshotTest, OfAFailedTaskTellsWhereItThrew) {
  unsigned line = 0;
  const auto fails = [&]() -> task<void> {
    line = source::current().line() + 1;
    co_await yield();
    throw std::runtime_error("disk full");
  };
  const auto middle = [&]() -> task<void> { co_await fails(); };
  auto handle = spawn(middle());
  co_await settle();
  const task_snapshot seen = snapshot_of({&handle.get()}).front();
  CO_ASSERT_EQ(seen.stack.size(), 2u);
  EXPECT_EQ(seen.stack[0].line(), line);
  EXPECT_EQ(text_of(handle.exception()), "disk full");
}

}  // namespace
}  // namespace lockstep
