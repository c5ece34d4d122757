// lockstep_sqlite: how many power cuts a second a database goes through on one core.
//
// A cycle is a new simulation in which SQLite makes entries in a ledger until the power is cut, at one of its changes
// of files; what a model then leaves; and another simulation in which SQLite opens that, recovers, and checks the whole
// file. The models and the changes come in turn.

#include "require.hpp"
#include "stopwatch.hpp"

#include <ledger.hpp>
#include <simulated_sqlite.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/crash_model.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

namespace bench {
namespace {

using namespace lockstep;
using bookkeeping::ledger;
using bookkeeping::ledger_options;

constexpr int entries = 3;
constexpr std::uint64_t cycles = 4'000;

sim::file_system& disk_of(sim::world& of) { return of.network().first_host().files().disk(); }

class database {
 public:
  explicit database(const ledger_options& how) : how_(how), made_(empty_ledger()) {
    run_until(~std::uint64_t{0}, sim::strict_sync);
    changes_ = seen_;
  }

  std::uint64_t changes() const noexcept { return changes_; }

  void cycle(std::uint64_t number) {
    const sim::crash_model& model = *sim::crash_models()[number % sim::crash_models().size()];
    number_ = number;
    run_until(1 + bounded(draw(number, 1, 0), changes_), model);
    require(left_.has_value(), "the power was not cut");
    second_.start();
    disk_of(second_).restore(*left_);
    second_.drive(audit());
    second_.finish();
    require(sound_, "a power cut has broken the ledger");
    left_.reset();
  }

 private:
  sim::disk_image empty_ledger() {
    first_.run(make());
    return first_.fs().image();
  }
  task<void> make() {
    const ledger made(how_);
    co_return;
  }
  task<void> work() {
    ledger book(how_);
    promised_ = 0;
    for (int each = 1; each <= entries && !left_; ++each) {
      book.enter(each);
      if (!left_) promised_ = each;
    }
    co_return;
  }
  task<void> audit() {
    ledger book(how_);
    const auto found = static_cast<int>(book.entries().size());
    sound_ = book.audit() == "ok" && found >= promised_ && found <= promised_ + 1;
    co_return;
  }

  void run_until(std::uint64_t change, const sim::crash_model& model) {
    seen_ = 0;
    first_.start();
    sim::file_system& disk = disk_of(first_);
    disk.restore(made_);
    disk.set_observer([this, change, &model, &disk](std::string_view) {
      if (++seen_ == change) left_.emplace(disk.log().image(model, chooser(), nullptr));
    });
    first_.drive(work());
    first_.finish();
  }
  sim::crash_chooser chooser() const {
    return [number = number_, asked = std::uint64_t{0}](std::string_view, std::uint64_t options) mutable {
      return bounded(draw(number, 2, ++asked), options);
    };
  }

  ledger_options how_;
  sim::world first_;
  sim::world second_;
  sim::disk_image made_;
  std::optional<sim::disk_image> left_;
  std::uint64_t changes_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t number_ = 0;
  int promised_ = 0;
  bool sound_ = false;
};

void measure(const ledger_options& how) {
  database sqlite(how);
  for (std::uint64_t number = 0; number < cycles / 10; ++number) sqlite.cycle(number);
  stopwatch time;
  for (std::uint64_t number = 0; number < cycles; ++number) sqlite.cycle(number);
  const double each_ns = time.read(cycles).cpu_ns / static_cast<double>(cycles);
  fmt::print("| SQLite, journal {}, synchronous {}, {} changes | {:.0f} |\n", how.journal, how.synchronous,
             sqlite.changes(), 1e9 / each_ns);
  std::fflush(stdout);
}

}  // namespace
}  // namespace bench

int main() {
  const bookkeeping::simulated_sqlite on_simulated_disks;
  fmt::print("| Database | Power cuts a second, on one core |\n|---|---|\n");
  bench::measure({.journal = "DELETE", .synchronous = "EXTRA"});
  bench::measure({.journal = "TRUNCATE"});
  bench::measure({.journal = "WAL"});
}
