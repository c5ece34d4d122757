// Who waits for whom, printed while the program runs; and values that each task has of its own.
#include <lockstep/testing/testing.hpp>

#include <string>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [values]
constinit task_local<int> request_id{0};

task<std::string> read_page(mutex& disk) {
  const mutex_guard held = co_await disk.lock();
  co_await sleep_for(2s);
  co_return "page for request " + std::to_string(request_id.get());
}

task<std::string> serve(int number, mutex& disk) {
  request_id.set(number);  // for this task, and what it spawns from here on
  auto page = spawn(read_page(disk), "page " + std::to_string(number));
  co_return co_await page.join();
}
// [/values]

// [graph]
CO_TEST(Server, TellsWhoWaitsForWhom) {
  mutex disk("disk");
  auto first = spawn(serve(1, disk), "request 1");
  auto second = spawn(serve(2, disk), "request 2");
  co_await sleep_for(1s);
  print_call_graph(stdout);
  EXPECT_EQ(co_await first.join(), "page for request 1");
  EXPECT_EQ(co_await second.join(), "page for request 2");
}
// [/graph]

// [eager]
task<int> look_up(int key, bool cached) {
  if (!cached) co_await sleep_for(1s);
  co_return 10 * key;
}

CO_TEST(Cache, AnswersAtOnceWhatItKnows) {
  auto known = spawn_eager(look_up(1, true));
  auto unknown = spawn_eager(look_up(2, false));
  EXPECT_TRUE(known.done());  // its body has run to its end within spawn_eager()
  EXPECT_FALSE(unknown.done());
  EXPECT_EQ(known.result(), 10);
  EXPECT_EQ(co_await unknown.join(), 20);
}
// [/eager]

}  // namespace
