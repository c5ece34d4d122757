#include "background_work.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace stored {
namespace {

using namespace lockstep;
using testing::ElementsAre;
using testing::HasSubstr;

// LevelDB's own wait is the same call, in a library that is bound at run time.
class library {
 public:
  void finish(int number) {
    done_.push_back(number);
    finished_.notify_all();
  }
  void wait_until_done(std::size_t count) {
    std::unique_lock held(mutex_);
    while (done_.size() < count) finished_.wait(held);
  }
  const std::vector<int>& done() const noexcept { return done_; }

 private:
  std::mutex mutex_;
  std::condition_variable finished_;
  std::vector<int> done_;
};

void first(void* of) { static_cast<library*>(of)->finish(1); }
void second(void* of) { static_cast<library*>(of)->finish(2); }

CO_TEST(BackgroundWorkTest, IsDoneByATaskWhenTheOthersWait) {
  library used;
  background_work work;
  work.schedule(first, &used);
  work.schedule(second, &used);
  EXPECT_TRUE(used.done().empty());
  co_await settle();
  EXPECT_THAT(used.done(), ElementsAre(1, 2));
  EXPECT_FALSE(work.has_work());
}

CO_TEST(BackgroundWorkTest, IsDoneByWhoeverWaitsForIt) {
  library used;
  background_work work;
  work.schedule(first, &used);
  work.schedule(second, &used);
  used.wait_until_done(1);
  EXPECT_THAT(used.done(), ElementsAre(1));
  co_await settle();
  EXPECT_THAT(used.done(), ElementsAre(1, 2));  // by the task, and once
}

CO_TEST(BackgroundWorkTest, IsDoneOnceOfSeveralObjectsToo) {
  library used;
  background_work one;
  background_work other;
  one.schedule(first, &used);
  other.schedule(second, &used);
  used.wait_until_done(2);
  EXPECT_EQ(used.done().size(), 2u);
  co_await settle();
  EXPECT_EQ(used.done().size(), 2u);
}

CO_TEST(BackgroundWorkTest, IsForgottenWithItsObject) {
  library used;
  {
    background_work work;
    work.schedule(first, &used);
  }
  co_await settle();
  EXPECT_TRUE(used.done().empty());
}

task<void> waits_for_nobody() {
  library used;
  const background_work idle;
  used.wait_until_done(1);
  co_return;
}

TEST(BackgroundWorkTest, MakesAWaitThatWouldNeverEndMisuse) {
  sim::world of_its_own;
  EXPECT_THROW(of_its_own.run(waits_for_nobody()), misuse);
  ASSERT_EQ(of_its_own.verdicts().size(), 1u);
  EXPECT_THAT(of_its_own.verdicts().front().message, HasSubstr("no background work is left that could end the wait"));
}

// The lock is given back only by a wait, which nobody of this thread may end.
CO_TEST(BackgroundWorkTest, LeavesTheWaitsOfOtherThreadsAlone) {
  library used;
  background_work work;
  work.schedule(first, &used);
  std::mutex mutex;
  std::condition_variable told;
  std::atomic<bool> holds{false};
  bool over = false;
  std::thread other([&] {
    std::unique_lock held(mutex);
    holds = true;
    holds.notify_one();
    while (!over) told.wait(held);
  });
  holds.wait(false);
  {
    const std::unique_lock held(mutex);
    over = true;
  }
  told.notify_one();
  other.join();
  EXPECT_TRUE(used.done().empty());
  co_await settle();
  EXPECT_THAT(used.done(), ElementsAre(1));
}

}  // namespace
}  // namespace stored
