#include <lockstep/base/hash.hpp>
#include <lockstep/base/ring.hpp>

#include <gtest/gtest.h>

#include <deque>

namespace lockstep {
namespace {

// A queue that is given room as it needs it.
struct growing_ring : ring<int> {
  void push_back(int value) {
    reserve(size() + 1);
    ring::push_back(value);
  }
  void push_front(int value) {
    reserve(size() + 1);
    ring::push_front(value);
  }
};

TEST(RingTest, IsFirstInFirstOut) {
  growing_ring queue;
  EXPECT_TRUE(queue.empty());
  for (int i = 0; i < 10; ++i) queue.push_back(i);
  EXPECT_EQ(queue.size(), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(queue.pop_front(), i);
  EXPECT_TRUE(queue.empty());
}

TEST(RingTest, KeepsItsOrderWhenItGrowsWhileWrapped) {
  growing_ring queue;
  for (int i = 0; i < 50; ++i) queue.push_back(i);
  for (int i = 0; i < 40; ++i) queue.pop_front();
  for (int i = 50; i < 400; ++i) queue.push_back(i);
  ASSERT_EQ(queue.size(), 360u);
  for (int i = 40; i < 400; ++i) ASSERT_EQ(queue.pop_front(), i);
}

TEST(RingTest, GrowsExactlyWhenItIsFull) {
  growing_ring queue;
  for (int i = 0; i < 64; ++i) queue.push_back(i);
  queue.push_front(-1);
  ASSERT_EQ(queue.size(), 65u);
  for (int i = -1; i < 64; ++i) ASSERT_EQ(queue.pop_front(), i);
}

TEST(RingTest, StaysWhereItIsWithinTheRoomItWasGiven) {
  ring<int> queue;
  queue.reserve(1'000);
  const int* const first = queue.place(0);
  for (int i = 0; i < 1'000; ++i) queue.push_back(i);
  EXPECT_EQ(queue.place(0), first);
  EXPECT_EQ(*first, 0);
}

TEST(RingTest, PushesToTheFrontOfAnEmptyRing) {
  growing_ring queue;
  queue.push_front(2);
  queue.push_front(1);
  queue.push_back(3);
  EXPECT_EQ(queue[0], 1);
  EXPECT_EQ(queue[1], 2);
  EXPECT_EQ(queue[2], 3);
}

TEST(RingTest, TakingFromTheMiddleKeepsTheOrderOfTheRest) {
  for (std::size_t taken = 0; taken < 7; ++taken) {
    growing_ring queue;
    for (int i = 0; i < 7; ++i) queue.push_back(i);
    EXPECT_EQ(queue.take(taken), static_cast<int>(taken));
    ASSERT_EQ(queue.size(), 6u);
    for (int i = 0; i < 7; ++i) {
      if (i == static_cast<int>(taken)) continue;
      EXPECT_EQ(queue.pop_front(), i);
    }
  }
}

TEST(RingTest, ClearForgetsEverything) {
  growing_ring queue;
  for (int i = 0; i < 100; ++i) queue.push_back(i);
  queue.clear();
  EXPECT_TRUE(queue.empty());
  queue.push_back(7);
  EXPECT_EQ(queue.pop_front(), 7);
}

TEST(RingTest, BehavesLikeADeque) {
  growing_ring queue;
  std::deque<int> model;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::uint64_t random = draw(1, 1, i);
    const int value = static_cast<int>(i);
    // Grows and shrinks in long waves, so that it is sometimes empty and sometimes larger than ever.
    const bool growing = (i / 1'000) % 2 == 0;
    switch (bounded(random, growing ? 4 : 8)) {
      case 0:
      case 1: queue.push_back(value), model.push_back(value); break;
      case 2: queue.push_front(value), model.push_front(value); break;
      default:
        if (model.empty()) break;
        if (random % 2 == 0) {
          ASSERT_EQ(queue.pop_front(), model.front());
          model.pop_front();
        } else {
          const std::size_t at = bounded(mix(random), model.size());
          ASSERT_EQ(queue.take(at), model[at]);
          model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }
    ASSERT_EQ(queue.size(), model.size());
    if (!model.empty()) {
      ASSERT_EQ(queue[0], model.front());
      ASSERT_EQ(queue[model.size() - 1], model.back());
    }
  }
}

}  // namespace
}  // namespace lockstep
