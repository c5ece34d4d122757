// SQLite keeps what it has promised where the power is cut, and where calls on files fail.
//
// LOCKSTEP_SQLITE_ENTRIES=30 makes the sweeps that much longer.
#include "ledger.hpp"
#include "ledger_sweep.hpp"
#include "simulated_sqlite.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/testing/crash_sweep.hpp>
#include <lockstep/testing/fault_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <set>
#include <string>

namespace bookkeeping {
namespace {

using namespace lockstep;
using namespace std::chrono_literals;

int entries_of_sweeps() {
  const char* const told = std::getenv("LOCKSTEP_SQLITE_ENTRIES");
  return told == nullptr ? 2 : std::max(1, std::atoi(told));
}

// -- power cuts -------------------------------------------------------------------------------------------------------

testing::AssertionResult sweep(const char* journal, const char* synchronous, int may_lose = 0) {
  const ledger_sweep what{.how = {.journal = journal, .synchronous = synchronous},
                          .entries = entries_of_sweeps(),
                          .may_lose = may_lose,
                          .images = crash_sweep_options{}.images};
  return what.run();
}

// [survives]
TEST(LedgerTest, KeepsItsPromisesInModeDelete) { EXPECT_TRUE(sweep("DELETE", "EXTRA")); }
TEST(LedgerTest, KeepsItsPromisesInModeTruncate) { EXPECT_TRUE(sweep("TRUNCATE", "FULL")); }
TEST(LedgerTest, KeepsItsPromisesInModePersist) { EXPECT_TRUE(sweep("PERSIST", "FULL")); }
TEST(LedgerTest, KeepsItsPromisesInModeWal) { EXPECT_TRUE(sweep("WAL", "FULL")); }
// [/survives]
// The journal is removed, and only EXTRA syncs its directory.
TEST(LedgerTest, LosesNoMoreThanTheLastEntryInModeDelete) { EXPECT_TRUE(sweep("DELETE", "FULL", 1)); }

// -- faults -----------------------------------------------------------------------------------------------------------

const ledger_options modes[] = {{.journal = "DELETE", .synchronous = "EXTRA"},
                                {.journal = "WAL", .checkpoint_pages = 4}};

struct failing_call {
  op what;
  int error;

  friend void PrintTo(const failing_call& call, std::ostream* to) { *to << name_of(call.what) << ' ' << call.error; }
};

class FaultsOnTheLedger : public testing::TestWithParam<failing_call> {
 protected:
  void sweep(const std::string& file, bool with_power_cut) {
    const simulated_sqlite on_simulated_disks;
    const auto [what, error] = GetParam();
    for (const ledger_options& each : modes) {
      if (what == op::resize && each.journal == "DELETE") continue;  // nothing is truncated
      const auto body = [&] { return bears_faults(each, with_power_cut); };
      EXPECT_TRUE(fault_sweep(on(what).at("client").to(file), error, body)) << each.journal;
    }
  }
};

TEST_P(FaultsOnTheLedger, BreakNoPromise) { sweep("/*", false); }
TEST_P(FaultsOnTheLedger, OnItsFilesBreakNoPromiseWhenThePowerIsCutAsWell) { sweep("/ledger.db*", true); }

INSTANTIATE_TEST_SUITE_P(Of, FaultsOnTheLedger,
                         testing::Values(failing_call{op::open, EIO}, failing_call{op::open, ENOSPC},
                                         failing_call{op::file_read, EIO}, failing_call{op::file_write, EIO},
                                         failing_call{op::file_write, ENOSPC}, failing_call{op::sync, EIO},
                                         failing_call{op::resize, EIO}, failing_call{op::stat, EIO},
                                         failing_call{op::remove, EIO}),
                         [](const auto& of) {
                           return std::string(name_of(of.param.what)) + "_" + std::to_string(of.param.error);
                         });

class LedgerOnADisk : public testing::Test {
 private:
  simulated_sqlite on_simulated_disks_;
};

CO_TEST_F(LedgerOnADisk, BearsCallsThatAreShortOrInterrupted) {
  const auto read = on(op::file_read).nth(3).fail(EINTR);
  const auto written = on(op::file_write).nth(5).fail(EINTR);
  const auto short_reads = on(op::file_read).forever().shorten(7);
  const auto short_writes = on(op::file_write).forever().shorten(100);
  ledger book({.journal = "WAL"});
  for (int number = 1; number <= 3; ++number) book.enter(number);
  EXPECT_EQ(book.audit(), "ok");
  EXPECT_EQ(book.entries(), (std::set<int>{1, 2, 3}));
  co_return;
}

// -- hosts ------------------------------------------------------------------------------------------------------------

// [host]
task<void> enter_slowly(int& promised) {
  ledger book({.journal = "WAL"});
  for (int number = 1;; ++number) {
    book.enter(number);
    promised = number;
    co_await sleep_for(1s);
  }
}

task<void> look_up(int promised) {
  ledger book({.journal = "WAL"});
  EXPECT_EQ(book.audit(), "ok");
  EXPECT_EQ(book.entries().size(), static_cast<std::size_t>(promised));
  co_return;
}

CO_TEST_F(LedgerOnADisk, IsThereWhenTheHostComesBack) {
  int promised = 0;
  sim::host& bank = world().host("bank");
  world().fs("bank").crash_model(sim::strict_sync);
  const auto writer = bank.spawn(enter_slowly(promised));
  co_await sleep_for(2500ms);
  bank.crash();
  EXPECT_EQ(promised, 3);
  auto reader = bank.restart([&] { return look_up(promised); });
  co_await reader.join();
}
// [/host]

// Random numbers too, wherever SQLite has been before.
TEST(LedgerTest, IsTheSameToTheByteEachTime) {
  const simulated_sqlite on_simulated_disks;
  const auto enter_two = []() -> task<void> {
    ledger book({.journal = "PERSIST"});
    book.enter(1);
    book.enter(2);
    co_return;
  };
  sim::world first;
  first.run(enter_two());
  sim::world second;
  second.run(bears_faults({}, false));
  second.run(enter_two());
  EXPECT_TRUE(first.fs().exists("/ledger.db"));
  EXPECT_EQ(first.fs().image().difference(second.fs().image()), "");
}

CO_TEST_F(LedgerOnADisk, TakesTheTimeOfTheDisk) {
  world().fs().pace({.sync = 10ms});
  ledger book({.journal = "WAL"});
  const time_point before = now();
  book.enter(1);
  EXPECT_EQ(now() - before, 10ms);
  co_return;
}

// -- for real ---------------------------------------------------------------------------------------------------------

TEST(LedgerForRealTest, IsTheSameOnTheFilesOfTheMachine) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "lockstep_ledger";
  for (const ledger_options& each : modes) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    ledger_options how = each;
    how.file = folder / "ledger.db";
    for (int number = 1; number <= 3; ++number) {
      ledger book(how);
      ledger reader(how);
      book.enter(number);
      EXPECT_EQ(reader.audit(), "ok");
      EXPECT_EQ(reader.entries().size(), static_cast<std::size_t>(number));
    }
    EXPECT_TRUE(std::filesystem::exists(folder / "ledger.db"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace bookkeeping
