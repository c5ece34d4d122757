// Power cuts and faults on a ledger: what is entered, and what must be found afterwards.
#pragma once

#include "ledger.hpp"

#include <lockstep/runtime/task.hpp>
#include <lockstep/sim/crash_model.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bookkeeping {

struct ledger_sweep {
  ledger_options how{};
  int entries = 3;      // transactions, each with a promise
  int may_lose = 0;     // of the last promises; in one piece: what comes before one that is kept is kept
  unsigned images = 8;  // see crash_sweep_options
  std::vector<lockstep::sim::crash_model> models{};  // all, if it is empty

  // In a database that is there already. See crash_sweep().
  testing::AssertionResult run() const;
  // The same, to see what the worst is: "kept", or how many promises were lost, or "broken" if the file or the books
  // were not whole.
  std::string worst() const;
};

// Makes entries while calls on files fail, as a fault_sweep() has it, and looks at the disk in another machine, where
// nothing fails: the file is whole, all that was promised is there, and nothing but what was tried. `with_power_cut`:
// what is left of the disk if all is lost that may be.
lockstep::task<void> bears_faults(ledger_options how, bool with_power_cut);

}  // namespace bookkeeping
