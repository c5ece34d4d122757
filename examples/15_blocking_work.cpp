// Ten waits overlap on one loop; ten computations need workers.
#include <lockstep/testing/testing.hpp>

#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [jobs]
task<void> wait() { co_await sleep_for(100ms); }  // for a disk, or for somebody else's answer

// In production it computes for a while; in a simulation it says how long.
void compute() { consume(100ms); }

task<void> compute_on_the_loop() {
  compute();
  co_return;
}
// [/jobs]

// [measure]
template <class F>
task<void> ten_times(std::string_view what, F make) {
  const time_point began = now();
  std::vector<join_handle<void>> all;
  for (int i = 0; i < 10; ++i) all.push_back(spawn(make()));
  for (auto& each : all) co_await each.join();
  std::cout << what << ": " << to_text(now() - began) << '\n';
}

CO_TEST(BlockingWork, NeedsWorkersWhereWaitingNeedsNone) {
  co_await ten_times("ten waits, on one loop", wait);
  co_await ten_times("ten computations, on the loop", compute_on_the_loop);
  for (const unsigned workers : {1u, 4u, 10u}) {
    thread_pool pool(workers, "cpu");
    const auto on_the_pool = [&pool] { return run_blocking(pool, compute); };
    const std::string what = "ten computations, workers: " + std::to_string(workers);
    co_await ten_times(what, on_the_pool);
  }
}
// [/measure]

// [late]
// What else the loop has to do is late while a task computes on it.
task<void> beat(std::string_view beside_what) {
  for (int i = 0; i < 3; ++i) {
    const time_point due = now() + 50ms;
    co_await sleep_until(due);
    std::cout << "  beside " << beside_what << ": " << to_text(now() - due) << " late\n";
  }
}

CO_TEST(BlockingWork, MakesOthersLateOnTheLoopOnly) {
  auto beside_a_task = spawn(beat("a task that computes"));
  co_await sleep_for(10ms);
  co_await compute_on_the_loop();
  co_await beside_a_task.join();

  auto beside_a_job = spawn(beat("a blocking job"));
  co_await run_blocking(compute);
  co_await beside_a_job.join();
}
// [/late]

// [refused]
// A job runs on another thread, so it must not touch what is the loop's. A simulation has one thread, and says so all
// the same.
CO_TEST(BlockingWork, MustNotTouchWhatIsTheLoops) {
  event done("done");
  co_await run_blocking([&done] {
    compute();
    done.set();
  });
}
// [/refused]

}  // namespace
