#include "judged_run.hpp"

#include <lockstep/runtime/inbox.hpp>

#include <thread>
#include <vector>

namespace lockstep {
namespace {

using detail::foreign_wait;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(InboxTest, KeepsWhatWasPostedInOrderOfArrival) {
  inbox box;
  EXPECT_TRUE(box.empty());
  foreign_wait first(no_frame, true);
  foreign_wait second(no_frame, true);
  box.post(second);
  box.post(first);
  EXPECT_FALSE(box.empty());
  EXPECT_THAT(box.take().done, ElementsAre(&second, &first));
  EXPECT_TRUE(box.empty());
  EXPECT_THAT(box.take().done, IsEmpty());
}

TEST(InboxTest, WhatWasWithdrawnIsNotTaken) {
  inbox box;
  foreign_wait first(no_frame, true);
  foreign_wait second(no_frame, true);
  box.post(first);
  box.post(second);
  box.withdraw(first);
  EXPECT_THAT(box.take().done, ElementsAre(&second));
}

TEST(InboxTest, KeepsComplaintsWithTheirRun) {
  inbox box;
  box.complain(7, "x");
  EXPECT_FALSE(box.empty());
  const inbox::mail arrived = box.take();
  ASSERT_EQ(arrived.complaints.size(), 1u);
  EXPECT_EQ(arrived.complaints[0].run, 7u);
  EXPECT_EQ(arrived.complaints[0].message, "x");
  EXPECT_THAT(box.take().complaints, IsEmpty());
}

TEST(InboxTest, WaitEndsWhenAnotherThreadPosts) {
  inbox box;
  foreign_wait done(no_frame, true);
  std::thread poster([&] { box.post(done); });
  box.wait();
  EXPECT_THAT(box.take().done, ElementsAre(&done));
  poster.join();
}

TEST(InboxTest, LosesNothingOfManyThreads) {
  constexpr int threads = 4;
  constexpr int complaints = 200;
  inbox box;
  std::vector<std::thread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&box, i] {
      for (int n = 0; n < complaints; ++n) box.complain(static_cast<std::uint64_t>(i), std::to_string(n));
    });
  }
  std::vector<int> next(threads);
  for (int left = threads * complaints; left > 0;) {
    box.wait();
    for (const inbox::complaint& each : box.take().complaints) {
      EXPECT_EQ(each.message, std::to_string(next[each.run]++));
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
      poster = std::thread([&box] { box.complain(1, "last words"); });
      box.wait();
      EXPECT_EQ(box.take().complaints.size(), 1u);
    }
    poster.join();
  }
}

}  // namespace
}  // namespace lockstep
