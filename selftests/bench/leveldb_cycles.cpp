// lockstep_leveldb: how many power cuts LevelDB gets through in a second, on one core.
//
// Prints a table. A cycle is a world, in which a store that was there before is opened and put into until the power is
// cut; what may be left of its files; and the store opened again, every put looked for. In the first row the puts are
// small, in the second they fill a log, so that a table is made of them. Behind each put it is a pick whether the power
// is cut, and so it is of each change what is lost of it. Hole: the cycles in which a put is missing that is older than
// one that was synced and is there, the bug of LevelDB's issue 193. Recording is on.

#include "../../examples/leveldb/store.hpp"

#include "require.hpp"
#include "stopwatch.hpp"

#include <lockstep/explore/strategy.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace bench {
namespace {

using lockstep::task;
using stored::history;
using stored::store;

struct mix {
  const char* name;
  std::size_t puts;
  std::size_t bytes;
  std::size_t synced_each;  // every so many
};

constexpr std::array<mix, 2> mixes{
    {{"12 puts of 100 bytes, 4 synced", 12, 100, 3}, {"4 of 40,000, 1 synced", 4, 40'000, 4}}};
constexpr std::uint64_t seeds = 4'000;

task<void> put_until_the_power_is_cut(lockstep::sim::host& on, const mix& what, history& puts) {
  const store opened;
  require(opened.opened().ok(), "the store cannot be opened");
  for (std::size_t i = 1; i <= what.puts; ++i) {
    puts.put(opened, what.bytes, i % what.synced_each == 0);
    co_await lockstep::yield();
    if (i == what.puts ||
        lockstep::random_int("whether the power is cut", std::uint64_t{0}, std::uint64_t{what.puts - 1}) == 0)
      break;
  }
  on.crash();
  co_await lockstep::yield();
}

task<std::string> broken_promise(const history& puts) {
  const store again;
  co_return puts.broken(again);
}

task<std::string> cycle(const mix& what, const lockstep::sim::disk_image& before) {
  lockstep::sim::host& db = lockstep::world().host("db");
  lockstep::world().fs("db").restore(before);
  history puts;
  auto putting = db.spawn(put_until_the_power_is_cut(db, what, puts), "store");
  const lockstep::result<void> put = co_await lockstep::as_result(putting.join());
  require(!put, "the power was not cut");
  co_return co_await db.restart([&] { return broken_promise(puts); }).join();
}

lockstep::sim::disk_image empty_store() {
  std::optional<lockstep::sim::disk_image> made;
  lockstep::sim::world once;
  once.run([&made]() -> task<void> {
    { const store opened; }
    made = lockstep::world().fs().image();
    co_return;
  });
  return *made;
}

void measure(const mix& what) {
  lockstep::sim::world each;
  const lockstep::sim::disk_image before = empty_store();
  std::uint64_t holes = 0;
  const stopwatch time;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto choices = lockstep::make_oracle(lockstep::schedule::random, seed);
    const std::string broken = each.run([&] { return cycle(what, before); }, {.choices = choices.get()});
    if (!broken.empty()) ++holes;
    require(broken.empty() || broken.find("is missing, while") != std::string::npos, broken.c_str());
  }
  const measurement taken = time.read(seeds);
  std::printf("| %-30s | %8.0f | %6.2f %% |\n", what.name, static_cast<double>(seeds) * 1e9 / taken.cpu_ns,
              static_cast<double>(holes) * 100 / static_cast<double>(seeds));
}

}  // namespace
}  // namespace bench

int main() {
  std::printf("| %-30s | cycles/s | hole     |\n| --- | --- | --- |\n", "LevelDB, power cuts");
  for (const bench::mix& each : bench::mixes) bench::measure(each);
}
