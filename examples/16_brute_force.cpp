// Brute force: one task is cancelled at every await, each allocation fails, the world ends at each step. What must hold
// all the same is written down once.
#include <lockstep/testing/failing_new.hpp>  // in one source of the program: operator new fails when it is asked to
#include <lockstep/testing/testing.hpp>

#include <new>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [pool]
task<void> query(semaphore& connections) {
  co_await connections.acquire();
  co_await sleep_for(1s);  // the server thinks
  connections.release();
}

task<void> query_with_a_permit(semaphore& connections) {
  co_await connections.acquire();
  const permit one(connections);
  co_await sleep_for(1s);
}
// [/pool]

// [test]
task<void> three_queries(task<void> (*make)(semaphore&)) {
  semaphore connections(2, "connections");
  auto first = spawn(make(connections), "first");
  auto victim = spawn(make(connections), "victim");
  auto last = spawn(make(connections), "last");
  put_under_test(victim);
  try {
    co_await victim.join();
  } catch (const cancelled&) {
  }
  co_await first.join();
  co_await last.join();
  EXPECT_EQ(connections.available(), 2u);
}

CO_TEST(Connections, AreNotLost, .cancel_every = true) { co_await three_queries(query); }

CO_TEST(Connections, AreNotLostWithAPermit, .runs = 20, .cancel_every = true, .destroy_every = true) {
  co_await three_queries(query_with_a_permit);
}
// [/test]

// [alloc]
struct board {
  std::vector<std::string> names;
  std::size_t count = 0;

  void add(std::string name) {
    ++count;
    names.push_back(std::move(name));
  }
};

CO_TEST(Board, CountsItsNames, .fail_alloc_every = true) {
  board of;
  const quiesce_check it_counts([&] { EXPECT_EQ(of.names.size(), of.count); });
  for (const char* const name : {"Ada", "Grace"}) {
    try {
      of.add(name);
    } catch (const std::bad_alloc&) {
    }
    co_await sleep_for(1s);
  }
}
// [/alloc]

}  // namespace
