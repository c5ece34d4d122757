// A spawn that runs out of memory has not happened: the task never runs, and no verdict tells of it. In a binary of its
// own, because it replaces the allocation functions.
#include "judged_run.hpp"

#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace {

long left = -1;  // allocations until one fails; none does if negative

void* allocate(std::size_t bytes, std::size_t alignment) {
  const bool fails = left == 0;
  if (left >= 0) --left;
  if (fails) throw std::bad_alloc();
  void* const block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace lockstep {
namespace {

// While it lives, the allocation after `before` others fails.
class shortage {
 public:
  explicit shortage(int before) noexcept { left = before; }
  shortage(const shortage&) = delete;
  shortage& operator=(const shortage&) = delete;
  ~shortage() { left = -1; }
};

using program = task<void> (*)(int before, int& started);

task<void> count(int& started) {
  ++started;
  co_return;
}

// Has each allocation of `run` fail in turn, each time in a new world. It starts `tasks` if none does.
void expect_all_or_nothing(program run, int tasks) {
  for (int before = 0; before < 100; ++before) {
    int started = 0;
    bool failed = false;
    const auto main = [&]() -> task<void> {
      try {
        co_await run(before, started);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      co_await yield();
    };
    const judged_run judged = judge(main);
    EXPECT_TRUE(judged.ended);
    EXPECT_EQ(judged.messages(), "") << "after " << before;
    EXPECT_EQ(started, failed ? 0 : tasks) << "after " << before;
    if (!failed) {
      EXPECT_GT(before, 0) << "nothing was allocated";
      return;
    }
  }
  ADD_FAILURE() << "it fails even when no allocation does";
}

task<void> spawns(int before, int& started) {
  task<void> work = count(started);
  join_handle<void> handle;
  {
    const shortage memory(before);
    handle = spawn(std::move(work));
  }
  co_await handle.join();
}

// When the control blocks that there are at first are taken.
task<void> spawns_one_more(int before, int& started) {
  const auto nothing = []() -> task<void> { co_return; };
  for (std::size_t i = 1; i < agent_pool::blocks_at_once; ++i) spawn_daemon(nothing());
  co_await spawns(before, started);
}

task<void> spawns_by_name(int before, int& started) {
  task<void> work = count(started);
  join_handle<void> handle;
  {
    const shortage memory(before);
    handle = spawn(std::move(work), "counter");
  }
  co_await handle.join();
}

task<void> spawns_a_daemon(int before, int& started) {
  task<void> work = count(started);
  const shortage memory(before);
  spawn_daemon(std::move(work), "counter");
  co_await yield();
}

task<void> spawns_into_a_group(int before, int& started) {
  task<void> work = count(started);
  task_group group;
  {
    const shortage memory(before);
    group.spawn(std::move(work));
  }
  co_await group.join();
}

task<void> spawns_by_name_into_a_group(int before, int& started) {
  task<void> work = count(started);
  task_group group;
  {
    const shortage memory(before);
    group.spawn(std::move(work), "counter");
  }
  co_await group.join();
}

task<void> starts_by_name(int before, int& started) {
  task<void> work = count(started);
  join_handle<void> handle;
  {
    const shortage memory(before);
    handle = spawn_eager(std::move(work), "counter");
  }
  co_await handle.join();
}

task<void> starts_by_name_in_a_group(int before, int& started) {
  task<void> work = count(started);
  task_group group;
  {
    const shortage memory(before);
    group.spawn_eager(std::move(work), "counter");
  }
  co_await group.join();
}

constinit task_local<int> request_id{0};

task<void> spawns_with_values(int before, int& started) {
  request_id.set(1);
  co_await spawns(before, started);
}

task<void> starts_with_values(int before, int& started) {
  request_id.set(1);
  co_await starts_by_name(before, started);
}

task<void> waits_for_all(int before, int& started) {
  task<void> one = count(started);
  task<void> other = count(started);
  const shortage memory(before);
  co_await when_all(std::move(one), std::move(other));
}

task<void> waits_for_all_of_many(int before, int& started) {
  std::vector<task<void>> works;
  for (int i = 0; i < 40; ++i) works.push_back(count(started));
  const shortage memory(before);
  co_await when_all(std::move(works));
}

task<void> waits_for_the_first(int before, int& started) {
  task<void> one = count(started);
  task<void> other = count(started);
  const shortage memory(before);
  co_await when_any(std::move(one), std::move(other));
}

task<void> waits_for_the_first_of_many(int before, int& started) {
  std::vector<task<void>> works;
  for (int i = 0; i < 40; ++i) works.push_back(count(started));
  const shortage memory(before);
  co_await when_any(std::move(works));
}

TEST(FailingAllocations, OfASpawnLeaveNoTask) {
  expect_all_or_nothing(spawns_one_more, 1);
  expect_all_or_nothing(spawns_by_name, 1);
  expect_all_or_nothing(spawns_a_daemon, 1);
}

TEST(FailingAllocations, OfAGroupLeaveNoTask) {
  expect_all_or_nothing(spawns_into_a_group, 1);
  expect_all_or_nothing(spawns_by_name_into_a_group, 1);
}

TEST(FailingAllocations, OfAnEagerStartLeaveNoTask) {
  expect_all_or_nothing(starts_by_name, 1);
  expect_all_or_nothing(starts_by_name_in_a_group, 1);
}

TEST(FailingAllocations, OfWhatATaskInheritsLeaveNoTask) {
  expect_all_or_nothing(spawns_with_values, 1);
  expect_all_or_nothing(starts_with_values, 1);
}

TEST(FailingAllocations, OfACombinatorLeaveNoTask) {
  expect_all_or_nothing(waits_for_all, 2);
  expect_all_or_nothing(waits_for_all_of_many, 40);
  expect_all_or_nothing(waits_for_the_first, 2);
  expect_all_or_nothing(waits_for_the_first_of_many, 40);
}

}  // namespace
}  // namespace lockstep
