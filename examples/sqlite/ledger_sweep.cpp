#include "ledger_sweep.hpp"

#include "simulated_sqlite.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/testing/crash_sweep.hpp>
#include <lockstep/testing/testing.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace bookkeeping {

using namespace lockstep;

namespace {

// [workload]
task<void> enter_all(const ledger_sweep& what, int& promised) {
  ledger book(what.how);
  ledger reader(what.how);
  for (int number = 1; number <= what.entries; ++number) {
    book.enter(number);
    promised = number;
    EXPECT_EQ(reader.entries().size(), static_cast<std::size_t>(number));
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

template <class F>
bool succeeds(const F& call) {
  try {
    call();
    return true;
  } catch (const ledger_error&) {
    return false;
  }
}

template <class F>
task<void> done(const F& call) {
  call();
  co_return;
}

// [sweep]
testing::AssertionResult sweep(const ledger_sweep& what, int& promised, const std::function<task<void>()>& check) {
  const simulated_sqlite on_simulated_disks;
  sim::world maker;
  maker.run(make_ledger(what.how));
  const sim::disk_image made = maker.fs().image();
  crash_sweep_options options;
  options.prepare = [&made](sim::world& of) { of.fs().restore(made); };
  options.images = what.images;
  if (!what.models.empty()) options.models = what.models;
  return crash_sweep([&] { return enter_all(what, promised); }, check, options);
}
// [/sweep]

}  // namespace

testing::AssertionResult ledger_sweep::run() const {
  int promised = 0;
  return sweep(*this, promised, [&] { return keeps_promises(*this, promised); });
}

std::string ledger_sweep::worst() const {
  int promised = 0;
  int lost = 0;
  bool broken = false;
  const auto look = [&] {
    const bool opens = succeeds([&] {
      ledger book(how);
      broken = broken || book.audit() != "ok";
      lost = std::max(lost, promised - static_cast<int>(book.entries().size()));
    });
    broken = broken || !opens;
  };
  EXPECT_TRUE(sweep(*this, promised, [&] { return done(look); }));
  if (broken) return "broken";
  return lost == 0 ? "kept" : fmt::format("{} lost", lost);
}

// [faults]
task<void> bears_faults(ledger_options how, bool with_power_cut) {
  std::set<int> promised;
  std::set<int> tried;
  succeeds([&] {
    ledger book(how);
    for (int number = 1; number <= 2; ++number) {
      tried.insert(number);
      if (succeeds([&] { book.enter(number); })) promised.insert(number);
    }
  });
  const sim::plain_files files = world().fs();
  audit_elsewhere(with_power_cut ? files.durable_image() : files.image(), how, promised, tried);
  co_return;
}
// [/faults]

}  // namespace bookkeeping
