#include "judged_run.hpp"

#include <lockstep/runtime/inbox.hpp>

#include <memory>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using detail::foreign_wait;
using detail::wake_up;
using testing::ElementsAre;
using testing::IsEmpty;

wake_up of(foreign_wait& wait) { return {&wait, true, false, 1, 0, source()}; }

detail::usage use_of(std::string subject) { return {std::move(subject), 0, "was used", source()}; }

TEST(InboxTest, KeepsWhatWasPostedInOrderOfArrival) {
  inbox box;
  EXPECT_TRUE(box.empty());
  foreign_wait first(no_frame, true);
  foreign_wait second(no_frame, true);
  wake_up of_first = of(first);
  wake_up of_second = of(second);
  box.post(of_second);
  box.post(of_first);
  EXPECT_FALSE(box.empty());
  EXPECT_THAT(box.take().done, ElementsAre(&second, &first));
  EXPECT_TRUE(box.empty());
  EXPECT_THAT(box.take().done, IsEmpty());
}

TEST(InboxTest, WhatWasWithdrawnIsNotTaken) {
  inbox box;
  foreign_wait first(no_frame, true);
  foreign_wait second(no_frame, true);
  wake_up of_first = of(first);
  wake_up of_second = of(second);
  wake_up late = of(first);
  box.post(of_first);
  box.post(of_second);
  box.withdraw(of_first);
  box.withdraw(late);
  box.post(late);
  EXPECT_THAT(box.take().done, ElementsAre(&second));
}

TEST(InboxTest, KeepsComplaintsOfTheRunUnderWay) {
  inbox box;
  box.tell(7, use_of("early"));
  box.open(7);
  EXPECT_EQ(box.tell(7, use_of("x")), "x was used in another run than its own");
  box.tell(6, use_of("of another run"));
  EXPECT_FALSE(box.empty());
  const inbox::mail arrived = box.take();
  ASSERT_EQ(arrived.complaints.size(), 1u);
  EXPECT_EQ(arrived.complaints[0].run, 7u);
  EXPECT_EQ(arrived.complaints[0].use.subject, "x");
  box.close();
  box.tell(7, use_of("late"));
  EXPECT_THAT(box.take().complaints, IsEmpty());
}

TEST(InboxTest, KnowsItsThread) {
  inbox box;
  EXPECT_FALSE(box.on_its_thread());
  box.open(1);
  EXPECT_TRUE(box.on_its_thread());
  std::thread other([&] {
    EXPECT_FALSE(box.on_its_thread());
    EXPECT_EQ(box.tell(1, use_of("x")), "x was used on another thread");
  });
  other.join();
}

TEST(InboxTest, TakesOverUnstartedTasksForAsLongAsThereIsALoop) {
  const auto flag = std::make_shared<int>(1);
  const auto make = [&flag] {
    const auto hold = [](std::shared_ptr<int>) -> task<void> { co_return; };
    return hold(flag).release();
  };
  const auto elsewhere = [](const auto& deed) { std::thread(deed).join(); };
  inbox box;
  box.open(1);
  box.take_over(make(), use_of("x"));
  EXPECT_EQ(flag.use_count(), 2);
  inbox::mail taken = box.close();
  EXPECT_EQ(taken.complaints.size(), 1u);
  ASSERT_EQ(taken.unstarted.size(), 1u);
  taken.unstarted[0].destroy();

  box.take_over(make(), use_of("between two runs"));
  EXPECT_EQ(flag.use_count(), 1) << "on its thread, it goes at once";
  elsewhere([&] { box.take_over(make(), use_of("between two runs, elsewhere")); });
  EXPECT_EQ(flag.use_count(), 2);
  EXPECT_FALSE(box.empty());
  taken = box.close();
  EXPECT_THAT(taken.complaints, IsEmpty());
  ASSERT_EQ(taken.unstarted.size(), 1u);
  taken.unstarted[0].destroy();

  box.retire();
  elsewhere([&] { box.take_over(make(), use_of("without a loop")); });
  EXPECT_EQ(flag.use_count(), 1);
  EXPECT_TRUE(box.empty());
}

TEST(InboxTest, WaitEndsWhenAnotherThreadPosts) {
  inbox box;
  foreign_wait done(no_frame, true);
  wake_up of_done = of(done);
  std::thread poster([&] { box.post(of_done); });
  box.wait();
  EXPECT_THAT(box.take().done, ElementsAre(&done));
  poster.join();
}

TEST(InboxTest, LosesNothingOfManyThreads) {
  constexpr int threads = 4;
  constexpr int complaints = 200;
  inbox box;
  box.open(1);
  std::vector<std::thread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&box, i] {
      for (int n = 0; n < complaints; ++n) box.tell(1, {std::to_string(n), static_cast<identity>(i), "", source()});
    });
  }
  std::vector<int> next(threads);
  for (int left = threads * complaints; left > 0;) {
    box.wait();
    for (const inbox::complaint& each : box.take().complaints) {
      EXPECT_EQ(each.use.subject, std::to_string(next[each.use.task]++));
      --left;
    }
  }
  for (std::thread& each : posters) each.join();
}

TEST(InboxTest, MayBeDestroyedAsSoonAsWhatWasPostedIsThere) {
  for (int i = 0; i < 50; ++i) {
    std::thread poster;
    {
      inbox box;
      box.open(1);
      poster = std::thread([&box] { box.tell(1, use_of("last words")); });
      box.wait();
      EXPECT_EQ(box.take().complaints.size(), 1u);
    }
    poster.join();
  }
}

}  // namespace
}  // namespace lockstep
