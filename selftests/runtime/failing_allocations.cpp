// A spawn that runs out of memory has not happened: the task never runs, and no verdict tells of it. No exception is
// lost for want of memory. In a binary of its own, because it replaces the allocation functions.
#include "judged_run.hpp"

#include <lockstep/explore/strategy.hpp>
#include <lockstep/runtime/run_blocking.hpp>
#include <lockstep/testing/failing_new.hpp>

#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

// While it lives, the allocation after `before` others fails.
class shortage {
 public:
  explicit shortage(int before) : by_(disturbance_kind::fail_alloc, static_cast<std::uint64_t>(before) + 1) {
    detail::here().fails = &by_;
  }
  shortage(const shortage&) = delete;
  shortage& operator=(const shortage&) = delete;
  ~shortage() { detail::here().fails = nullptr; }

 private:
  disturbance by_;
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

// -- what must not be lost --------------------------------------------------------------------------------------------

constexpr const char* why = "the disk is full, and so is the text of this error, which needs memory";

task<void> fail_deep_down(int frames) {
  if (frames == 0) throw std::runtime_error(why);
  co_await yield();
  co_await fail_deep_down(frames - 1);
}

// `work()` is what must throw `why` whichever allocation fails while that passes; or, if the work itself is cut short,
// std::bad_alloc.
template <class F>
void expect_the_failure(F work) {
  int told = 0;
  for (int before = 0; before < 200; ++before) {
    bool short_of_memory = false;
    const auto main = [&]() -> task<void> {
      std::string text;
      const shortage memory(before);
      try {
        co_await work();
      } catch (const std::bad_alloc&) {
        short_of_memory = true;
      } catch (const std::exception& thrown) {
        const sparing_allocations of_the_test;
        text = thrown.what();
        short_of_memory = text == "1 task failed: std::bad_alloc";
      }
      const sparing_allocations of_the_test;
      if (!short_of_memory) {
        ++told;
        EXPECT_TRUE(text.find(why) != std::string::npos || text == "some tasks failed") << before << ": " << text;
      }
    };
    const judged_run judged = judge(main);
    EXPECT_TRUE(judged.ended);
    EXPECT_EQ(judged.messages(), "") << "after " << before;
  }
  EXPECT_GT(told, 100) << "those after which nothing is allocated, at least";
}

TEST(FailingAllocations, LoseATrailAndNoException) {
  const auto work = []() -> task<void> { co_await fail_deep_down(3); };
  expect_the_failure(work);
}

TEST(FailingAllocations, LoseNoExceptionOfATask) {
  const auto work = []() -> task<void> {
    auto child = spawn(fail_deep_down(2), "child");
    co_await child.join();
  };
  expect_the_failure(work);
}

TEST(FailingAllocations, LoseNoExceptionOfAGroup) {
  const auto work = []() -> task<void> {
    const auto body = [](task_group& group) -> task<void> {
      group.spawn(fail_deep_down(2));
      co_await sleep_until(time_point::max());
    };
    co_await with_task_group(body);
  };
  expect_the_failure(work);
}

struct without_memory : std::exception {
  const char* what() const noexcept override { return why; }
};

async_generator<int> badly_closed(bool fails) {
  for (const char* const what : {"no first goodbye", "no second goodbye", "no third goodbye"}) {
    on_close([what]() -> task<void> {
      const auto fail = [](const char* said) -> task<void> {
        throw std::runtime_error(said);
        co_return;
      };
      return fail(what);
    });
  }
  co_yield 1;
  if (fails) throw without_memory();
}

// Whichever allocation fails, each failure is in what next() or close() throws, or in a verdict on the clean-ups, which
// are the loop's then; but one of a clean-up that could not begin is std::bad_alloc.
void expect_all_failures(bool body_fails) {
  int whole = 0;
  for (int before = 0; before < 60; ++before) {
    std::string text;
    const auto main = [&]() -> task<void> {
      auto items = badly_closed(body_fails);
      co_await items.next();
      std::optional<task<int*>> next;
      std::optional<task<void>> close;
      if (body_fails) {
        next.emplace(items.next());
      } else {
        close.emplace(items.close());
      }
      {
        const shortage memory(before);
        try {
          if (body_fails) {
            co_await std::move(*next);
          } else {
            co_await std::move(*close);
          }
        } catch (const exception_group& thrown) {
          const sparing_allocations of_the_test;
          for (const std::exception_ptr& each : thrown.exceptions()) text += text_of(each) + "; ";
        } catch (const std::exception& thrown) {
          const sparing_allocations of_the_test;
          text = thrown.what();
        }
      }
      co_await sleep_for(std::chrono::seconds(1));
    };
    const judged_run judged = judge(main);
    EXPECT_TRUE(judged.ended);
    const std::string all = text + judged.messages();
    int told = 0;
    for (const char* const what : {"no first goodbye", "no second goodbye", "no third goodbye"}) {
      if (all.find(what) != std::string::npos) ++told;
    }
    whole += told == 3 ? 1 : 0;
    const bool not_run = all.find("could not be run") != std::string::npos;
    EXPECT_TRUE(told == 3 || (told == 2 && all.find("std::bad_alloc") != std::string::npos) || not_run)
        << before << ": " << all;
    EXPECT_EQ(text.find(why) != std::string::npos, body_fails) << before << ": " << all;
  }
  EXPECT_GT(whole, 30) << "those after which nothing is allocated, at least";
}

TEST(FailingAllocations, LoseNoExceptionOfAGeneratorAndItsCleanUps) {
  expect_all_failures(true);
  expect_all_failures(false);
}

TEST(FailingAllocations, LoseNothingOfAGroupThatIsSplit) {
  const auto failure = [](const char* text) { return std::make_exception_ptr(std::runtime_error(text)); };
  const auto mistake = [](const char* text) { return std::make_exception_ptr(std::logic_error(text)); };
  const exception_group inner({failure("one"), mistake("two")});
  const exception_group all({std::make_exception_ptr(inner), mistake("three"), failure("four")});
  const auto main = [&]() -> task<void> {
    int whole = 0;
    for (int before = 0; before < 60; ++before) {
      std::optional<exception_group::parts> found;
      {
        const shortage memory(before);
        try {
          found = all.split<std::runtime_error>();
        } catch (const std::bad_alloc&) {
        }
      }
      if (!found) continue;
      ++whole;
      EXPECT_EQ(found->matching->flatten().size(), 2u) << before;
      EXPECT_EQ(found->rest->flatten().size(), 2u) << before;
      for (const std::exception_ptr& each : found->matching->flatten()) EXPECT_TRUE(holds<std::runtime_error>(each));
      for (const std::exception_ptr& each : found->rest->flatten()) EXPECT_TRUE(holds<std::logic_error>(each));
    }
    EXPECT_GT(whole, 10);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(FailingAllocations, OfABlockingJobReachItsTask) {
  const auto main = []() -> task<void> {
    bool done = false;
    for (int before = 0; !done; ++before) {
      EXPECT_LT(before, 30);
      try {
        const shortage memory(before);
        co_await run_blocking([&done] { done = true; });
      } catch (const std::bad_alloc&) {
        EXPECT_FALSE(done);
      }
      co_await yield();
    }
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.messages(), "");
}

TEST(FailingAllocations, LetAPromiseThatDiesUnsetBreak) {
  const auto main = []() -> task<void> {
    std::optional<promise<int>> answer(std::in_place, label("answer"));
    future<int> wanted = answer->get_future();
    {
      const shortage memory(0);
      answer.reset();
    }
    EXPECT_THROW(co_await wanted.get(), broken_promise);
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(FailingAllocations, LeaveAPromiseUnsetThatWasToBeSetToAnException) {
  const auto main = []() -> task<void> {
    const std::exception_ptr disk_full = std::make_exception_ptr(std::runtime_error("disk full"));
    int before = 0;
    for (bool is_set = false; !is_set; ++before) {
      promise<int> answer;
      future<int> wanted = answer.get_future();
      try {
        const shortage memory(before);
        answer.set_exception(disk_full);
        is_set = true;
      } catch (const std::bad_alloc&) {
        EXPECT_FALSE(answer.done());
        answer.set_exception(disk_full);
      }
      EXPECT_THROW(wanted.result(), std::runtime_error);
    }
    promise<int> never_set;  // for want of memory; so there is no exception in it that nobody reads
    future<int> wanted = never_set.get_future();
    try {
      const shortage memory(before - 2);
      promise<int>(std::move(never_set)).set_exception(disk_full);
      ADD_FAILURE() << "memory was not short";
    } catch (const std::bad_alloc&) {
    }
    EXPECT_THROW(wanted.result(), broken_promise);
    EXPECT_GT(before, 1) << "nothing was allocated";
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// An operation that other tasks have overtaken is attempted by the loop.
TEST(FailingAllocations, OfAnOperationThatWasOvertakenReachItsTask) {
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    const auto main = []() -> task<void> {
      queue<int> numbers;
      const auto put_many = [&]() -> task<void> {
        for (int i = 0; i < 20; ++i) co_await numbers.put(i);
      };
      auto one = spawn(put_many());
      auto other = spawn(put_many());
      int failed = 0;
      const shortage memory(0);
      for (join_handle<void>* each : {&one, &other}) {
        try {
          co_await each->join();
        } catch (const std::bad_alloc&) {
          ++failed;
        }
      }
      const sparing_allocations of_the_test;
      EXPECT_EQ(failed, 1);
    };
    const auto choices = make_oracle(schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    const judged_run judged = judge(main, how);
    EXPECT_TRUE(judged.ended);
    EXPECT_EQ(judged.messages(), "");
  }
}

}  // namespace
}  // namespace lockstep
