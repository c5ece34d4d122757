// Which promises SQLite keeps, by how it is told to sync and by what the disk promises: a table, which is compared.
#include "ledger_sweep.hpp"

#include <lockstep/sim/crash_model.hpp>
#include <lockstep/testing/crash_sweep.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace bookkeeping {
namespace {

// [table]
TEST(LedgerTest, KeepsWhatItIsToldTo) {
  const ledger_options rows[] = {
      {.journal = "DELETE", .synchronous = "OFF"},    {.journal = "DELETE", .synchronous = "NORMAL"},
      {.journal = "DELETE", .synchronous = "FULL"},   {.journal = "DELETE", .synchronous = "EXTRA"},
      {.journal = "TRUNCATE", .synchronous = "FULL"}, {.journal = "WAL", .synchronous = "OFF"},
      {.journal = "WAL", .synchronous = "NORMAL"},    {.journal = "WAL", .synchronous = "FULL"}};
  const std::vector<lockstep::sim::crash_model> models = lockstep::crash_sweep_options::all_models();
  fmt::print("{:13}", "");
  for (const lockstep::sim::crash_model& each : models) fmt::print("{:>15}", each.name);
  for (const ledger_options& how : rows) {
    fmt::print("\n{:13}", how.journal + ' ' + how.synchronous);
    for (const lockstep::sim::crash_model& each : models) {
      fmt::print("{:>15}", ledger_sweep{.how = how, .entries = 2, .images = 5, .models = {each}}.worst());
    }
  }
  fmt::print("\n");
}
// [/table]

}  // namespace
}  // namespace bookkeeping
