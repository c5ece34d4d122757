#include "ledger_sweep.hpp"

#include "simulated_sqlite.hpp"

#include <lockstep/testing/crash_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <optional>

namespace bookkeeping {

using namespace lockstep;

namespace {

// [workload]
task<void> enter_all(const ledger_sweep& what, int& promised) {
  ledger book(what.how);
  std::optional<ledger> reader;
  if (what.watched) reader.emplace(what.how);
  for (int number = 1; number <= what.entries; ++number) {
    if (reader) {
      EXPECT_EQ(reader->entries().size(), static_cast<std::size_t>(promised));
    }
    book.enter(number);
    promised = number;
  }
  co_return;
}
// [/workload]

// [check]
task<void> keeps_promises(const ledger_sweep& what, int promised) {
  ledger book(what.how);
  EXPECT_EQ(book.audit(), "ok");
  const std::set<int> found = book.entries();
  const int last = found.empty() ? 0 : *found.rbegin();
  EXPECT_EQ(found.size(), static_cast<std::size_t>(last)) << "a hole";
  EXPECT_GE(last, promised - what.may_lose) << "a promise is broken";
  EXPECT_LE(last, promised + 1);
  co_return;
}
// [/check]

task<void> make_ledger(ledger_options how) {
  const ledger made(how);
  co_return;
}

}  // namespace

testing::AssertionResult ledger_sweep::run() const {
  const simulated_sqlite on_simulated_disks;
  sim::world maker;
  maker.run(make_ledger(how));
  const sim::disk_image made = maker.fs().image();
  crash_sweep_options options;
  options.prepare = [&made](sim::world& of) { of.fs().restore(made); };
  if (!models.empty()) options.models = models;
  int promised = 0;
  return crash_sweep([&] { return enter_all(*this, promised); }, [&] { return keeps_promises(*this, promised); },
                     options);
}

}  // namespace bookkeeping
