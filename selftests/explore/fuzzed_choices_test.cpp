#include <lockstep/explore/fuzzed_choices.hpp>

#include "../runtime/judged_run.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;
using bytes = std::vector<std::uint8_t>;

TEST(FuzzedChoicesTest, AnAnswerTakesAsManyBytesAsItsOptionsNeed) {
  const bytes input = {1, 2, 255, 3, 1, 7, 1, 0, 0, 0, 0, 0, 0, 128, 9};
  fuzzed_choices choices(input);
  const auto pick = [&](std::uint64_t options) { return choices.pick_value({1, 1, "n"}, options); };
  EXPECT_EQ(pick(2), 1u);
  EXPECT_EQ(pick(3), 2u);
  EXPECT_EQ(pick(256), 255u);
  EXPECT_EQ(pick(257), 256u + 3 - 257);  // two bytes, the lower one first
  EXPECT_EQ(pick(7), 0u);
  EXPECT_EQ(pick(~std::uint64_t{0}), (std::uint64_t{128} << 56) + 1);
  EXPECT_EQ(pick(10), 9u);
}

TEST(FuzzedChoicesTest, PastTheEndAnswersAreTheDullest) {
  const bytes input = {5};
  fuzzed_choices choices(input);
  EXPECT_EQ(choices.pick_value({1, 1, "n"}, 1'000), 5u);  // of two bytes one is there
  EXPECT_EQ(choices.pick_value({1, 2, "n"}, 1'000), 0u);
  fuzzed_choices none({});
  EXPECT_EQ(none.pick_value({1, 1, "n"}, 2), 0u);
}

task<void> add(std::string& order, mutex& door, char name) {
  for (int i = 0; i < 2; ++i) {
    auto entry = co_await door.lock();
    order += name;
    co_await yield();
  }
}

// The order in which two tasks pass a door, and which pairs of tasks were counted there.
std::string order_of(const bytes& input, std::span<std::uint8_t> counters = {}) {
  std::string order;
  const auto main = [&]() -> task<void> {
    mutex door;
    auto a = spawn(add(order, door, 'a'));
    auto b = spawn(add(order, door, 'b'));
    co_await a.join();
    co_await b.join();
  };
  fuzzed_choices choices(input, counters);
  EXPECT_EQ(judge(main, {.choices = &choices}).messages(), "");
  return order;
}

TEST(FuzzedChoicesTest, TheEmptyInputIsThePlainRun) {
  const std::string plain = order_of({});
  EXPECT_EQ(order_of(bytes(100, 0)), plain);
  EXPECT_NE(order_of(bytes(100, 1)), plain);
}

TEST(FuzzedChoicesTest, CountsWhichTasksTouchAnObjectOneAfterTheOther) {
  std::array<std::uint8_t, 256> first{};
  std::array<std::uint8_t, 256> again{};
  std::array<std::uint8_t, 256> other{};
  order_of({}, first);
  order_of({}, again);
  order_of(bytes(100, 1), other);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
  EXPECT_GT(std::count_if(first.begin(), first.end(), [](std::uint8_t each) { return each != 0; }), 0);
}

TEST(FuzzedChoicesTest, ACounterStopsAtItsHighest) {
  std::array<std::uint8_t, 1> counter = {254};
  order_of({}, counter);
  EXPECT_EQ(counter[0], 255);
}

}  // namespace
}  // namespace lockstep
