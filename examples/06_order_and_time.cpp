// The order that one already knows, written down; and time that the test moves itself.
#include <lockstep/testing/testing.hpp>

#include <optional>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [cache]
// A copy of a value that lives elsewhere. One that changes while it is being copied must not be kept.
class cached_value {
 public:
  explicit cached_value(const int& original) : original_(original) {}

  task<int> get() {
    while (!copy_) {
      const int version = version_;
      const int read = original_;
      co_await point("get:has-read");
      co_await point("get:stores");
      if (version == version_) copy_ = read;
    }
    co_return *copy_;
  }
  void invalidate() {
    copy_.reset();
    ++version_;
  }

 private:
  const int& original_;
  std::optional<int> copy_;
  int version_ = 0;
};
// [/cache]

// [order]
CO_TEST(CachedValue, IsReadAgainWhenInvalidatedWhileBeingRead) {
  int original = 1;
  cached_value value(original);
  const order the_bad_one("get:has-read", "invalidated", "get:stores");
  auto reader = spawn(value.get());
  co_await yield();
  original = 2;
  value.invalidate();
  co_await point("invalidated");
  EXPECT_EQ(co_await reader.join(), 2);
}
// [/order]

task<void> count_minutes(int& minutes) {
  for (;;) {
    co_await sleep_for(1min);
    ++minutes;
  }
}

// [time]
CO_TEST(Time, MovesOnlyWhenTheTestSaysSo, .clock = clock_mode::paused) {
  int minutes = 0;
  auto counter = spawn(count_minutes(minutes));
  co_await settle();  // until every other task waits; no time passes
  co_await advance(59s);
  EXPECT_EQ(minutes, 0);
  co_await advance(1s);
  EXPECT_EQ(minutes, 1);
  const auto date = wall_now();
  shift_wall_clock(-24h);  // the date is set back, which no timer notices
  co_await advance(1h);
  EXPECT_EQ(minutes, 61);
  EXPECT_EQ(wall_now(), date - 23h);
  counter.cancel();
  EXPECT_THROW(co_await counter.join(), cancelled);
}
// [/time]

}  // namespace
