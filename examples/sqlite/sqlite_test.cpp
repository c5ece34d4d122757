// SQLite keeps its promises where the power is cut, and where calls on files fail.
#include "ledger.hpp"
#include "ledger_sweep.hpp"
#include "simulated_sqlite.hpp"

#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

namespace bookkeeping {
namespace {

using namespace lockstep;

TEST(LedgerTest, Probe) {
  for (const char* journal : {"DELETE", "TRUNCATE", "PERSIST", "WAL"}) {
    for (const char* sync : {"OFF", "NORMAL", "FULL", "EXTRA"}) {
      for (int may_lose : {0, 1, 100}) {
        const auto result = ledger_sweep{.how = {.journal = journal, .synchronous = sync}, .may_lose = may_lose}.run();
        std::printf("%s %s lose %d: %d %s\n", journal, sync, may_lose, (bool)result, result.message());
        std::fflush(stdout);
        if (result) break;
      }
    }
  }
}

}  // namespace
}  // namespace bookkeeping
