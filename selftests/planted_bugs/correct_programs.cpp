// Larger programs that are right: no detector may say otherwise, in any order.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- a pipeline of bounded queues that is shut down from its head -----------------------------------------------------

task<void> stage(queue<int>& from, queue<int>& to) {
  const local mine;
  for (;;) {
    int item = 0;
    try {
      item = co_await from.get();
    } catch (const queue_shut_down&) {
      break;
    }
    co_await sleep_for(random_duration("work", 0ms, 3ms));
    co_await to.put(item + 1);
    from.task_done();
  }
}

task<void> collect(queue<int>& from, int& sum) {
  const local mine;
  try {
    for (;;) sum += co_await from.get();
  } catch (const queue_shut_down&) {
  }
}

task<void> pumps() {
  queue<int> raw(2, "raw");
  queue<int> cooked(1, "cooked");
  int sum = 0;
  task_group workers("workers");
  for (int i = 0; i < 3; ++i) workers.spawn(stage(raw, cooked));
  auto sink = spawn(collect(cooked, sum), "sink");
  for (int i = 0; i < 10; ++i) co_await raw.put(i);
  co_await raw.join();
  raw.shut_down();
  co_await workers.join();
  cooked.shut_down();
  co_await sink.join();
  require(sum == 55, "an item was lost");
}

TEST(CorrectPrograms, APipelineThatIsShutDown) { EXPECT_TRUE(silent(pumps)); }

// -- workers with a bound on what they do at once, cancelled half-way -------------------------------------------------

struct tally {
  int now = 0;
  int most = 0;
  int done = 0;
};

task<void> fetch(semaphore& slots, tally& seen) {
  const local mine;
  co_await slots.acquire();
  const permit held(slots);
  seen.most = std::max(seen.most, ++seen.now);
  try {
    co_await sleep_for(random_duration("latency", 1ms, 9ms));
    ++seen.done;
  } catch (const cancelled&) {
    --seen.now;
    throw;
  }
  --seen.now;
}

task<void> fetches_until_cancelled(duration patience) {
  semaphore slots(3, "slots");
  tally seen;
  std::vector<join_handle<void>> handles;
  for (int i = 0; i < 8; ++i) handles.push_back(spawn(fetch(slots, seen)));
  co_await sleep_for(patience);
  for (auto& handle : handles) handle.cancel();
  for (auto& handle : handles) {
    try {
      co_await handle.join();
    } catch (const cancelled&) {
    }
  }
  require(slots.available() == 3 && seen.now == 0 && seen.most <= 3, "a permit was lost");
}

TEST(CorrectPrograms, WorkersThatAreCancelled) {
  for (const duration patience : {0ms, 1ms, 7ms, 100ms}) {
    EXPECT_TRUE(silent([patience] { return fetches_until_cancelled(patience); }));
  }
}

// -- groups in groups, with timeouts on several levels ----------------------------------------------------------------

task<void> leaf_work(mutex& m, int& finished) {
  const local mine;
  const auto held = co_await m.lock();
  co_await sleep_for(random_duration("leaf", 1ms, 5ms));
  ++finished;
}

task<void> branch(mutex& m, int& finished) {
  const local mine;
  const auto body = [&m, &finished](task_group& group) -> task<void> {
    for (int i = 0; i < 2; ++i) group.spawn(leaf_work(m, finished));
    co_await sleep_for(1ms);
  };
  try {
    co_await with_timeout(6ms, with_task_group(body));
  } catch (const timed_out&) {
  }
}

task<void> nests_groups(duration limit) {
  mutex m("m");
  int finished = 0;
  const auto body = [&m, &finished](task_group& group) -> task<void> {
    for (int i = 0; i < 3; ++i) group.spawn(branch(m, finished));
    co_return;
  };
  bool in_time = true;
  try {
    co_await with_timeout(limit, with_task_group(body));
  } catch (const timed_out&) {
    in_time = false;
  }
  require(!m.locked(), "a lock was lost");
  require(finished > 0 || !in_time, "nothing was done");
}

TEST(CorrectPrograms, GroupsInGroupsWithTimeouts) {
  for (const duration limit : {0ms, 3ms, 6ms, 1000ms}) {
    EXPECT_TRUE(silent([limit] { return nests_groups(limit); }));
  }
}

// -- producers and consumers on one condition variable ----------------------------------------------------------------

struct buffer {
  mutex guard{"guard"};
  condition_variable changed{guard, "changed"};
  std::vector<int> items;
};

task<void> produce(buffer& to, int first, int count) {
  const local mine;
  for (int i = 0; i < count; ++i) {
    const auto held = co_await to.guard.lock();
    co_await to.changed.wait([&to] { return to.items.size() < 2; });
    to.items.push_back(first + i);
    to.changed.notify_all();
  }
}

task<int> consume(buffer& from, int count) {
  const local mine;
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    const auto held = co_await from.guard.lock();
    co_await from.changed.wait([&from] { return !from.items.empty(); });
    sum += from.items.back();
    from.items.pop_back();
    from.changed.notify_all();
  }
  co_return sum;
}

task<void> trades() {
  buffer b;
  auto first = spawn(produce(b, 0, 4));
  auto second = spawn(produce(b, 100, 4));
  auto one = spawn(consume(b, 3));
  auto two = spawn(consume(b, 5));
  const int sum_of_one = co_await one.join();
  const int sum_of_two = co_await two.join();
  co_await first.join();
  co_await second.join();
  require(sum_of_one + sum_of_two == 412, "an item was lost");
}

TEST(CorrectPrograms, ProducersAndConsumers) { EXPECT_TRUE(silent(trades)); }

}  // namespace
}  // namespace lockstep::planted
