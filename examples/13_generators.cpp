// Sequences that wait, and one of several waits: a generator that says goodbye when it is left, and a select().
#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [plain]
// How long to wait between attempts: 1 s, 2 s, 4 s, and so on, but no longer than a minute.
generator<duration> pauses() {
  for (duration pause = 1s;; pause = std::min<duration>(2 * pause, 1min)) co_yield pause;
}

task<bool> try_for(duration limit, task<bool> (*attempt)()) {
  const time_point deadline = saturating_add(now(), limit);
  for (const duration pause : pauses()) {
    if (co_await attempt()) co_return true;
    if (now() + pause > deadline) break;
    co_await sleep_for(pause);
  }
  co_return false;
}
// [/plain]

task<bool> succeed_after_two_minutes() { co_return now() >= time_point{2min}; }

CO_TEST(Attempts, AreMadeAtGrowingIntervals) {
  EXPECT_FALSE(co_await try_for(1min, succeed_after_two_minutes));
  EXPECT_EQ(now(), time_point{31s});
  EXPECT_TRUE(co_await try_for(1h, succeed_after_two_minutes));
  EXPECT_EQ(now(), time_point{31s + 123s});
}

struct sensor {
  queue<int> readings;
  bool connected = true;
};

// [generator]
task<void> disconnect(std::shared_ptr<sensor> from) {
  co_await sleep_for(2s);
  from->connected = false;
}

async_generator<double> celsius(std::shared_ptr<sensor> from) {
  on_close([from] { return disconnect(from); });  // runs however this ends, and owns what it needs
  for (;;) co_yield co_await from->readings.get() / 10.0;
}
// [/generator]

CO_TEST(Sensor, IsDisconnectedWhenItsReaderHasSeenEnough) {
  const auto outdoors = std::make_shared<sensor>();
  for (const int reading : {185, 192, 203, 211}) co_await outdoors->readings.put(reading);
  // [consumer]
  auto temperatures = celsius(outdoors);
  while (const double* now_measured = co_await temperatures.next()) {
    if (*now_measured > 20) break;
  }
  co_await temperatures.close();
  // [/consumer]
  EXPECT_FALSE(outdoors->connected);
  EXPECT_EQ(outdoors->readings.size(), 1u);
  EXPECT_EQ(now(), time_point{2s});
}

// [select]
task<std::vector<int>> collect(queue<int>& readings, event& stop) {
  std::vector<int> all;
  for (;;) {
    const auto first = co_await select(readings.get(), stop.wait(), sleep_for(1min));
    if (first.index != 0) co_return all;
    all.push_back(std::get<0>(first.value));
  }
}
// [/select]

// [collect]
CO_TEST(Sensor, IsReadUntilItIsToldToStopOrFallsSilent) {
  queue<int> readings;
  event stop;
  auto collecting = spawn(collect(readings, stop));
  for (int i = 1; i <= 3; ++i) {
    co_await sleep_for(50s);
    co_await readings.put(i);
  }
  EXPECT_EQ((co_await collecting.join()).size(), 3u);
  EXPECT_EQ(now(), time_point{210s});
}
// [/collect]

}  // namespace
