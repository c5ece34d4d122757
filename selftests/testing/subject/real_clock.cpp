// Tests on the operating system.
#include <lockstep/testing/testing.hpp>

#include <iostream>
#include <utility>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

CO_TEST(OnTheRealClock, Passes, .clock = clock_mode::real, .time_scale = 1'000'000) {
  co_await sleep_for(1h);
  EXPECT_EQ(now(), time_point{1h});
}

CO_TEST(OnTheRealClock, Fails, .clock = clock_mode::real) {
  co_await sleep_for(1ms);
  ADD_FAILURE() << "it fails";
}

CO_TEST(OnTheRealClock, CannotEnd, .clock = clock_mode::real) {
  event never("never");
  co_await never.wait();
}

CO_TEST(OnTheRealClock, Waits, .clock = clock_mode::real) { co_await sleep_for(1h); }

CO_TEST(OnTheRealClock, WaitsLongerThanAStepMay, .clock = clock_mode::real) { co_await sleep_for(1s); }

CO_TEST(OnTheRealClock, SaysWhenItFailed, .clock = clock_mode::real) {
  bool looked = false;
  const quiesce_check once([&] {
    if (!std::exchange(looked, true)) ADD_FAILURE() << "all is quiet";
  });
  const auto look = []() -> task<void> {
    co_await sleep_for(1ms);
    EXPECT_EQ(now(), time_point{2ms});
  };
  auto looking = spawn(look(), "looker");
  co_await looking.join();
}

CO_TEST(OnTheRealClock, AsksForRunsAsWell, .runs = 100, .clock = clock_mode::real) { co_return; }

CO_TEST(OnAnyClock, IsRunAHundredTimes, .schedule = schedule::random, .runs = 100) {
  static int runs = 0;
  ++runs;
  co_await sleep_for(1h);
  std::cout << "run " << runs << '\n';
}

}  // namespace
