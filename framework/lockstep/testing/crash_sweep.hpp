// Brute force with power cuts: a workload that writes files, and a check that is made of what each power cut leaves.
//
//   std::set<std::string> promised;
//   EXPECT_TRUE(crash_sweep([&] { return put_some(promised); }, [&] { return all_are_there(promised); }));
#pragma once

#include <lockstep/runtime/task.hpp>
#include <lockstep/sim/crash_model.hpp>
#include <lockstep/sim/world.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace lockstep {

struct crash_sweep_options {
  // What the disk promises; all models, those that promise more first. One at least.
  std::vector<sim::crash_model> models = all_models();
  // How many different things the power cuts between two operations may leave, in each model; all where there are no
  // more: one in which all is lost that may be, one in which nothing is, one in which what was written is, one in which
  // the names are, two that tear the last write, one that keeps the last change alone, two in which the oldest change
  // of names or of content is lost alone, and, in turns, one in which another change is and one in which any are. Where
  // there are several disks, also of several hosts, one more for each, in which it loses all that may be and the others
  // nothing. One at least.
  unsigned images = 12;
  // Changes of files that the workload makes at most; more is a failure, as it may never come to an end. One at least.
  std::uint64_t operations_max = 10'000;
  // Makes the machine on which the power is cut, and the files that are on it then, which are durable: is called before
  // the workload, and before each check, as the machine that comes back is the same. So whatever it makes, hosts,
  // users, fixtures, limits, is in both worlds; but for the check, what the power cut left takes the place of what it
  // writes. It must leave alone what the two share. What takes it long is made once, as an image, which it restores.
  // All disks of all its hosts lose their memory at once. Who has files is made here: the sweep fails if the workload
  // makes a host with files, or mounts a disk.
  std::function<void(sim::world&)> prepare = nullptr;
  sim::world_options world{};

  static std::vector<sim::crash_model> all_models();
};

// Runs `workload` in a world of its own, on its first host. Before its first change of a file, after each, and when it
// has ended, in every model, the power of all hosts is cut: what may be left then is put on the disks of another world,
// in which `check` runs. A change that the power cut comes in the middle of is among them, as one that is torn. What
// the two share, such as what the workload has promised so far, the check sees as it was then, and must leave alone.
// Its clocks go on from the cut.
// Success if the workload passes and each check does: no verdict, no failed assertion, and no exception left it.
// Otherwise it says behind which change the power was cut, in which model, what was lost, as little as possible, what
// that led to, and the line that makes this cut again, alone: with --lockstep_replay a sweep makes no other.
// Source: Pillai et al., All File Systems Are Not Created Equal, OSDI 2014; SQLite's crash tests.
[[nodiscard]] testing::AssertionResult crash_sweep(const std::function<task<void>()>& workload,
                                                   const std::function<task<void>()>& check,
                                                   const crash_sweep_options& how = {});

}  // namespace lockstep
