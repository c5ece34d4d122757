// What lockstep finds in LevelDB 1.23. Each of these fails, and must: what they print is compared.
#include "sweep.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/plain_files.hpp>
#include <lockstep/testing/fault_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace stored {
namespace {

using namespace lockstep;

// [hole]
// The first two fill the log, so that the third is in a new one.
const std::vector<planned_put> with_one_sync{{40'000, false}, {40'000, false}, {100, true}};

TEST(LevelDb, KeepsThePutsBeforeASyncedOne) {
  EXPECT_TRUE(cut_power_in(with_one_sync, {}, {sim::process_crash, sim::data_journal, sim::ext4_ordered}));
}
// [/hole]

// [explored]
const store_options names_synced{.names = names_are_synced::by_the_env};

task<void> puts_and_yields(history& puts) {
  store opened(names_synced);
  puts.put(opened, 40'000, false);
  puts.put(opened, 40'000, false);
  puts.put(opened, 100, false);  // in a new log; a task is to write the first two to a table
  co_await yield();
  puts.put(opened, 100, true);
}

CO_TEST(LevelDb, KeepsThePutsBeforeASyncedOneInAnyOrder, explore(40, {.jobs = 1})) {
  sim::host& db = world().host("db");
  world().fs("db").crash_model(sim::strict_sync);  // what was not synced is lost: nothing is left to pick but the order
  history puts;
  co_await db.spawn(puts_and_yields(puts), "store").join();
  db.crash();
  world().fs().restore(world().fs("db").image());  // the disk is put into another machine
  co_await keeps_its_promises(puts, names_synced);
}
// [/explored]

// [current]
TEST(LevelDb, CanBeOpenedAgain) { EXPECT_TRUE(cut_power_in({{100, true}}, {}, {sim::btrfs_like})); }
// [/current]

// [full]
TEST(LevelDb, KeepsSyncedPutsThoughTheDiskWasFullOnce) {
  bool may_be_full = false;
  const auto body = [&]() -> task<void> {
    history puts;
    may_be_full = true;
    co_await put_all(std::vector<planned_put>(8, {9000, true}), puts, {});
    may_be_full = false;
    co_await keeps_its_promises(puts, {.paranoid = false});
  };
  const auto by_the_log = [&](const attempted_call&) { return may_be_full; };
  EXPECT_TRUE(fault_sweep(on(op::file_write).to("/store/*.log").when(by_the_log), ENOSPC, body));
}
// [/full]

}  // namespace
}  // namespace stored
