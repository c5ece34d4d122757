// Work that is shared, waited for, or taken as it comes, and then left to itself.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- shared_task ------------------------------------------------------------------------------------------------------

task<int> fetch_page() {
  const local mine;
  co_await sleep_for(1s);
  co_return 7;
}

task<void> starts_a_fetch_and_leaves() {
  const shared_task<int> page(fetch_page());
  next_line_is_wrong();
  page.start();
  co_await yield();
}

task<void> starts_a_fetch_and_reads_it() {
  const shared_task<int> page(fetch_page());
  page.start();
  co_await yield();
  require(co_await page.get() == 7, "another page");
}

// The one that gives up takes the work along.
task<void> starts_a_fetch_and_gives_up() {
  const shared_task<int> page(fetch_page());
  try {
    co_await with_timeout(500ms, page.get());
  } catch (const timed_out&) {
  }
}

TEST(CombinatorBugs, SharedWorkThatStillRunsWhenTheLastCopyDies) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "fetch_page"}, starts_a_fetch_and_leaves));
  EXPECT_TRUE(silent(starts_a_fetch_and_reads_it));
  EXPECT_TRUE(silent(starts_a_fetch_and_gives_up));
}

task<void> fails_beside_nobody() {
  const local mine;
  co_await sleep_for(1s);
  throw std::runtime_error("disk full");
}

task<void> ignores_shared_work() {
  const shared_task<void> write(fails_beside_nobody());
  write.start();
  co_await sleep_for(2s);
}

task<void> one_of_two_reads_shared_work() {
  const shared_task<void> write(fails_beside_nobody());
  write.start();
  const shared_task<void> copy = write;
  co_await sleep_for(2s);
  require(!(co_await as_result(copy.get())).has_value(), "it did not fail");
}

TEST(CombinatorBugs, AnExceptionOfSharedWorkThatNobodyReads) {
  EXPECT_TRUE(caught({verdict_kind::unread_exception, "disk full"}, ignores_shared_work));
  EXPECT_TRUE(silent(one_of_two_reads_shared_work));
}

// -- wait, as_completed -----------------------------------------------------------------------------------------------

task<void> takes_an_end_for_a_success() {
  local mine;
  auto writer = spawn(fail_beside(mine, 1s, "disk full"), "writer");
  const waited found = co_await wait(wait_until::all_completed, writer);
  require(found.done.size() == 1, "it has not ended");
}

task<void> looks_at_what_has_ended() {
  local mine;
  auto writer = spawn(fail_beside(mine, 1s, "disk full"), "writer");
  const waited found = co_await wait(wait_until::all_completed, writer);
  require(found.done.size() == 1 && writer.exception() != nullptr, "it has not failed");
}

TEST(CombinatorBugs, AnExceptionThatWaitSawAndNobodyRead) {
  EXPECT_TRUE(caught({verdict_kind::unread_exception, "\"writer\" failed and nobody looked: disk full"},
                     takes_an_end_for_a_success));
  EXPECT_TRUE(silent(looks_at_what_has_ended));
}

std::vector<task<void>> two_sleeps(local& parent) {
  std::vector<task<void>> works;
  works.push_back(sleep_beside(parent, 1s));
  works.push_back(sleep_beside(parent, 2s));
  return works;
}

task<void> takes_the_first_and_leaves() {
  local mine;
  as_completed<void> ends(two_sleeps(mine));
  (co_await ends.next())->result();
}

task<void> takes_the_first_and_stops_the_rest() {
  local mine;
  as_completed<void> ends(two_sleeps(mine));
  (co_await ends.next())->result();
  ends.cancel();
  while (co_await ends.next() != nullptr) {
  }
}

TEST(CombinatorBugs, TasksThatAreLeftWhenTheFirstHasCompleted) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "sleep_beside"}, takes_the_first_and_leaves));
  EXPECT_TRUE(silent(takes_the_first_and_stops_the_rest));
}

// -- a group's cancellation -------------------------------------------------------------------------------------------

task<void> catches_and_returns(task_group& group, bool cancels) {
  if (cancels) group.cancel();
  try {
    co_await sleep_for(9s);
  } catch (const cancelled&) {
  }
}

task<void> owner_is_cancelled_in_a_body(bool by_group) {
  const auto body = [by_group](task_group& group) { return catches_and_returns(group, by_group); };
  auto owner = spawn(with_task_group(body), "owner");
  co_await sleep_for(1s);
  if (!by_group) owner.cancel();
  try {
    co_await owner.join();
  } catch (const cancelled&) {
  }
}

// What the group asked of its body, the body may take for its end; what others asked, it may not.
TEST(CombinatorBugs, ABodyThatSwallowsTheCancellationOfItsCaller) {
  EXPECT_TRUE(caught({verdict_kind::swallowed_cancellation, "\"owner\" caught `cancelled` and awaits again"},
                     [] { return owner_is_cancelled_in_a_body(false); }));
  EXPECT_TRUE(silent([] { return owner_is_cancelled_in_a_body(true); }));
}

}  // namespace
}  // namespace lockstep::planted
