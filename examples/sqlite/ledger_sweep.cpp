#include "ledger_sweep.hpp"

#include "simulated_sqlite.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/testing/crash_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <optional>
#include <set>

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

// The disk in another machine, where nothing fails.
void audit_elsewhere(const sim::disk_image& disk, const ledger_options& how, const std::set<int>& promised,
                     const std::set<int>& tried) {
  sim::host& elsewhere = world().host("elsewhere");
  world().fs("elsewhere").restore(disk);
  const scoped_value there = elsewhere.enter();
  ledger book(how);
  EXPECT_EQ(book.audit(), "ok");
  const std::set<int> found = book.entries();
  EXPECT_TRUE(std::includes(found.begin(), found.end(), promised.begin(), promised.end())) << "a promise is broken";
  EXPECT_TRUE(std::includes(tried.begin(), tried.end(), found.begin(), found.end()));
}

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

// [faults]
task<void> bears_faults(ledger_options how, bool with_power_cut) {
  std::set<int> promised;
  std::set<int> tried;
  try {
    ledger book(how);
    for (int number = 1; number <= 3; ++number) {
      tried.insert(number);
      try {
        book.enter(number);
        promised.insert(number);
      } catch (const ledger_error&) {  // and the next one may be right
      }
    }
  } catch (const ledger_error&) {  // it does not open
  }
  const sim::plain_files files = world().fs();
  audit_elsewhere(with_power_cut ? files.durable_image() : files.image(), how, promised, tried);
  co_return;
}
// [/faults]

}  // namespace bookkeeping
