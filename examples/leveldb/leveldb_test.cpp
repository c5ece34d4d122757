// LevelDB as it is, under power cuts: what it promises holds where the file system does what LevelDB relies on.
// leveldb_defect_test.cpp has what does not hold.
#include "sweep.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/plain_files.hpp>
#include <lockstep/testing/fault_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace stored {
namespace {

using namespace lockstep;
using testing::AllOf;
using testing::HasSubstr;

// Some of them synced, all of them in one log, which has two blocks.
const std::vector<planned_put> in_one_log{{9000, false}, {9000, false}, {9000, true}, {9000, true}, {9000, false}};
// A log that is full, a table of what was in it, and a new log; each put synced.
const std::vector<planned_put> in_several_logs{{40'000, true}, {40'000, true}, {100, true}, {100, true}};

std::vector<sim::crash_model> models_that_keep_names_in_order() {
  return {sim::process_crash, sim::data_journal, sim::ext3_ordered, sim::ext4_ordered, sim::ext3_writeback};
}
std::vector<sim::crash_model> all_models() {
  std::vector<sim::crash_model> all = crash_sweep_options::all_models();
  for (sim::crash_model& each : all) each.rename_is_atomic = true;
  return all;
}

TEST(LevelDbTest, KeepsSyncedPutsAndThoseBeforeThemInOneLog) {
  const testing::AssertionResult result =
      cut_power_in(in_one_log, {.paranoid = false}, models_that_keep_names_in_order());
  EXPECT_TRUE(result) << result.message();
}

// Where a block of the log may be lost before one that stays, a store that is to be paranoid is not opened.
TEST(LevelDbTest, KeepsSyncedPutsInSeveralLogs) {
  const testing::AssertionResult result =
      cut_power_in(in_several_logs, {.paranoid = false}, models_that_keep_names_in_order());
  EXPECT_TRUE(result) << result.message();
  EXPECT_THAT(cut_power_in(in_several_logs, {}, models_that_keep_names_in_order()).message(),
              AllOf(HasSubstr("in the model ext3_writeback"), HasSubstr("Corruption: checksum mismatch")));
}

// LevelDB relies on the file system for the name of its log, which POSIX does not promise.
TEST(LevelDbTest, LosesSyncedPutsWithTheNameOfTheirLog) {
  EXPECT_THAT(cut_power_in(in_several_logs, {.paranoid = false}, {sim::strict_sync}).message(),
              AllOf(HasSubstr("name 000006.log in /store"), HasSubstr("put 3 is missing, which was synced")));
}

// [twin]
TEST(LevelDbTest, KeepsSyncedPutsEverywhereWithAnEnvThatSyncsNames) {
  const store_options how{.names = names_are_synced::by_the_env, .paranoid = false};
  const testing::AssertionResult result = cut_power_in(in_several_logs, how, all_models());
  EXPECT_TRUE(result) << result.message();
}
// [/twin]

task<void> puts_and_merges(history& puts, store_options how) {
  store opened(how);
  for (int i = 0; i < 5; ++i) puts.put(opened, 40'000, true);
  opened.db().CompactRange(nullptr, nullptr);  // waits until that is done, in the background
  puts.put(opened, 100, true);
  co_return;
}

TEST(LevelDbTest, KeepsSyncedPutsWhileItMergesTables) {
  const store_options how{.names = names_are_synced::by_the_env, .paranoid = false};
  history puts;
  const testing::AssertionResult result =
      crash_sweep([&] { return puts_and_merges(puts, how); }, [&] { return keeps_its_promises(puts, how); },
                  {.models = {sim::strict_sync, sim::ext4_ordered, sim::btrfs_like}, .prepare = an_empty_store()});
  EXPECT_TRUE(result) << result.message();
}

TEST(LevelDbTest, IsMadeAnewWhateverTheFirstPowerCutLeaves) {
  const store_options how{.names = names_are_synced::by_the_env};
  history puts;
  const testing::AssertionResult result = crash_sweep(
      [&] {
        return put_all({{100, true}, {100, false}}, puts, how);
      },
      [&] { return keeps_its_promises(puts, how); }, {.models = all_models()});
  EXPECT_TRUE(result) << result.message();
}

// -- calls that fail --------------------------------------------------------------------------------------------------

// But for a write: see leveldb_defect_test.cpp.
TEST(LevelDbTest, KeepsSyncedPutsWhicheverOtherCallFails) {
  bool may_fail = false;
  const auto body = [&]() -> task<void> {
    history puts;
    may_fail = true;
    {
      const store opened;
      for (int i = 0; i < 10 && opened.opened().ok(); ++i) puts.put(opened, 20'000, i % 2 != 0);
    }
    may_fail = false;
    co_await keeps_its_promises(puts, {});
  };
  for (const op each : {op::open, op::file_read, op::sync, op::list, op::link, op::rename, op::remove}) {
    const error_list errors = errors_of(each);
    const testing::AssertionResult result =
        fault_sweep(on(each).when([&](const attempted_call&) { return may_fail; }), *errors.first, body);
    EXPECT_TRUE(result) << name_of(each) << ": " << result.message();
  }
}

// -- how a store ends -------------------------------------------------------------------------------------------------

task<void> dies_full(sim::host& on, bool by_power_cut, std::string& left) {
  store opened;
  history puts;
  puts.put(opened, 70'000, false);
  puts.put(opened, 70'000, false);  // the first is to be written to a table now
  EXPECT_TRUE(opened.background().has_work());
  leveldb_env env;
  leveldb::WritableFile* made = nullptr;
  EXPECT_TRUE(env.NewWritableFile("/notes", &made).ok());
  const std::unique_ptr<leveldb::WritableFile> notes(made);
  EXPECT_TRUE(notes->Append("in the buffer, which its destructor writes").ok());
  left = world().fs(on.name()).image().fingerprint();
  by_power_cut ? on.crash() : on.kill();
  co_await yield();
  ADD_FAILURE() << "it lives on";
}

// Its destructor waits for background work, and closes files.
CO_TEST(LevelDbTest, ChangesNothingOnceItsHostIsDead) {
  for (const bool by_power_cut : {false, true}) {
    sim::host& db = world().host(by_power_cut ? "crashed" : "killed");
    world().fs(db.name()).crash_model(sim::process_crash);
    std::string left;
    auto dying = db.spawn(dies_full(db, by_power_cut, left), "store");
    const result<void> died = co_await as_result(dying.join());
    EXPECT_FALSE(died);
    EXPECT_FALSE(left.empty());
    EXPECT_EQ(world().fs(db.name()).image().fingerprint(), left);
  }
}

task<void> fills(history& puts) {
  store opened;
  for (int i = 0; i < 6; ++i) puts.put(opened, 40'000, false);
  EXPECT_TRUE(opened.background().has_work());
  co_return;
}

// The third log is full before the scheduler had a turn, so LevelDB waits for room, and does the work itself; and what
// is left when it is closed.
CO_TEST(LevelDbTest, NeverWaitsForWorkThatNobodyDoes) {
  history puts;
  co_await fills(puts);
  const store again;
  EXPECT_EQ(puts.broken(again), "");
  EXPECT_TRUE(again.has_table()) << world().fs().tree();
}

}  // namespace
}  // namespace stored
