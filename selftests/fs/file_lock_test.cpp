#include <lockstep/fs/file_lock.hpp>

#include "in_each_world.hpp"

#include <optional>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

constexpr open_options lock_file{.read = true, .write = true, .create = true};

task<void> excludes_others(std::string folder) {
  file one = co_await open(folder + "/lock", lock_file);
  file other = co_await open(folder + "/lock", lock_file);
  file_lock held = co_await one.lock();
  EXPECT_TRUE(held);
  EXPECT_FALSE(co_await other.try_lock());
  EXPECT_FALSE(co_await other.try_lock(lock_kind::shared));
  held.unlock();
  EXPECT_FALSE(held);
  const file_lock shared = co_await one.try_lock(lock_kind::shared);
  EXPECT_TRUE(shared);
  EXPECT_TRUE(co_await other.try_lock(lock_kind::shared));
  EXPECT_FALSE(co_await other.try_lock());
}

TEST(FileLockTest, ExcludesOthersWhoHaveOpenedTheFile) { run_in_each_world(excludes_others); }

task<void> waits_for_the_lock(std::string folder) {
  file one = co_await open(folder + "/lock", lock_file);
  file other = co_await open(folder + "/lock", lock_file);
  std::optional<file_lock> held = co_await one.lock();
  const auto wait = [](file& of) -> task<void> { const file_lock mine = co_await of.lock(); };
  auto waiter = spawn(wait(other), "waiter");
  co_await sleep_for(10ms);
  EXPECT_FALSE(waiter.done());
  held.reset();
  co_await waiter.join();
  EXPECT_TRUE(co_await one.try_lock());
}

TEST(FileLockTest, IsWaitedFor) { run_in_each_world(waits_for_the_lock); }

task<void> grows_its_pauses(std::string folder) {
  file one = co_await open(folder + "/lock", lock_file);
  file other = co_await open(folder + "/lock", lock_file);
  const file_lock held = co_await one.lock();
  const std::uint64_t before = current_loop()->steps();
  const auto got = co_await as_result(with_timeout(10s, other.lock()));
  EXPECT_FALSE(got.has_value());
  EXPECT_EQ(now().time_since_epoch(), 10s);
  EXPECT_LT(current_loop()->steps() - before, 300U);  // two for each attempt
}

TEST(FileLockTest, AsksLessAndLessOften) { run_with_disk(0ms, grows_its_pauses); }

task<void> is_undone_by_cancellation(std::string folder) {
  file one = co_await open(folder + "/lock", lock_file);
  file other = co_await open(folder + "/lock", lock_file);
  const auto take = [](file& of) -> task<void> { const file_lock mine = co_await of.lock(); };
  auto taker = spawn(take(one), "taker");
  co_await sleep_for(5ms);  // the disk has it, and takes its time
  taker.cancel();
  EXPECT_TRUE((co_await as_result(taker.join())).was_cancelled());
  EXPECT_TRUE(co_await other.try_lock());
}

TEST(FileLockTest, IsUndoneByACancellation) { run_with_disk(10ms, is_undone_by_cancellation); }

task<void> may_outlive_its_file(std::string folder) {
  file_lock outlives;
  EXPECT_FALSE(outlives);
  {
    file it = co_await open(folder + "/lock", lock_file);
    outlives = co_await it.lock();
    EXPECT_TRUE(outlives);
    file_lock moved = std::move(outlives);
    EXPECT_FALSE(outlives);
    outlives = std::move(moved);
    file elsewhere = std::move(it);
    EXPECT_TRUE(outlives);
    file_lock& same = outlives;
    outlives = std::move(same);
    EXPECT_TRUE(outlives);
  }
  EXPECT_FALSE(outlives);
  file again = co_await open(folder + "/lock", lock_file);
  outlives = co_await again.lock();
  co_await again.close();
  EXPECT_FALSE(outlives);
}

TEST(FileLockTest, MayOutliveItsFile) { run_in_each_world(may_outlive_its_file); }

task<void> takes_the_place_of_another(std::string folder) {
  file one = co_await open(folder + "/lock", lock_file);
  file other = co_await open(folder + "/lock", lock_file);
  file_lock first = co_await one.lock();
  file_lock second = co_await one.lock(lock_kind::shared);
  EXPECT_FALSE(first);
  first.unlock();
  EXPECT_TRUE(second);
  EXPECT_TRUE(co_await other.try_lock(lock_kind::shared));
}

TEST(FileLockTest, TakesThePlaceOfAnother) { run_in_each_world(takes_the_place_of_another); }

// Linux gives the lock up that is to be another.
task<void> loses_what_it_cannot_change(std::string folder) {
  file one = co_await open(folder + "/lock", lock_file);
  file other = co_await open(folder + "/lock", lock_file);
  file third = co_await open(folder + "/lock", lock_file);
  const file_lock shared = co_await one.lock(lock_kind::shared);
  file_lock of_other = co_await other.lock(lock_kind::shared);
  EXPECT_FALSE(co_await one.try_lock());
  EXPECT_FALSE(shared);
  of_other.unlock();
  EXPECT_TRUE(co_await third.try_lock());
}

TEST(FileLockTest, IsLostWhereItCannotBeMadeStronger) { run_in_each_world(loses_what_it_cannot_change); }

}  // namespace
}  // namespace lockstep
