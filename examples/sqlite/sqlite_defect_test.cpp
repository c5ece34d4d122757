// What SQLite does not promise, found. These fail, and must: what they print is compared.
#include "ledger.hpp"
#include "ledger_sweep.hpp"
#include "simulated_sqlite.hpp"

#include <lockstep/sim/crash_model.hpp>
#include <lockstep/testing/fault_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace bookkeeping {
namespace {

using namespace lockstep;

// [off]
TEST(LedgerWithoutSyncs, IsWhole) {
  const ledger_sweep what{.how = {.synchronous = "OFF"}, .may_lose = 3};
  EXPECT_TRUE(what.run());
}
// [/off]

// [normal]
TEST(LedgerWithFewerSyncs, IsWhole) {
  const ledger_options how{.synchronous = "NORMAL", .page_bytes = 512};
  const ledger_sweep what{.how = how, .entries = 2, .may_lose = 2, .images = 300, .models = {sim::weakest}};
  EXPECT_TRUE(what.run());
}
// [/normal]

// [full]
TEST(LedgerByDefault, KeepsItsPromises) {
  const ledger_sweep what{.how = {.synchronous = "FULL"}};
  EXPECT_TRUE(what.run());
}
// [/full]

// [directory]
TEST(LedgerWhoseDirectoryCannotBeSynced, KeepsItsPromises) {
  const simulated_sqlite on_simulated_disks;
  const auto body = [] { return bears_faults({.synchronous = "EXTRA"}, true); };
  EXPECT_TRUE(fault_sweep(on(op::open).at("client").to("/"), EIO, body));
}
// [/directory]

}  // namespace
}  // namespace bookkeeping
