// Virtual time: a day of retries passes in no time, and the clock is right to the nanosecond.
#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <stdexcept>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [code]
// Offers a letter until the server is back: after 1 min, 2 min, 4 min … and then once an hour, for a day.
// Returns how many attempts it took.
task<int> deliver(time_point server_is_back) {
  const time_point deadline = now() + 24h;
  int attempts = 1;
  for (duration pause = 1min; now() < server_is_back; pause = std::min<duration>(2 * pause, 1h)) {
    if (now() + pause > deadline) throw std::runtime_error("undeliverable");
    co_await sleep_for(pause);
    ++attempts;
  }
  co_return attempts;
}
// [/code]

// [tests]
CO_TEST(Mailer, DeliversSoonAfterTheServerIsBack) {
  EXPECT_EQ(co_await deliver(time_point{10h}), 16);
  EXPECT_EQ(now(), time_point{10h + 3min});
}

CO_TEST(Mailer, GivesUpAfterADay) {
  EXPECT_THROW(co_await deliver(time_point{48h}), std::runtime_error);
  EXPECT_EQ(now(), time_point{23h + 3min});
}
// [/tests]

}  // namespace
