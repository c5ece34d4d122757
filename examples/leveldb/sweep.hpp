// A sweep of power cuts over a store: what is put, and what must be left of it.
#pragma once

#include "store.hpp"

#include <lockstep/sim/world.hpp>
#include <lockstep/testing/crash_sweep.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace stored {

struct planned_put {
  std::size_t bytes;
  bool synced;
};

inline lockstep::task<void> put_all(std::vector<planned_put> plan, history& puts, store_options how) {
  store opened(how);
  EXPECT_TRUE(opened.opened().ok());
  for (const planned_put& each : plan) puts.put(opened, each.bytes, each.synced);
  co_return;
}

inline lockstep::task<void> keeps_its_promises(const history& puts, store_options how) {
  store again(how);
  EXPECT_EQ(puts.broken(again), "");
  co_return;
}

// [sweep]
inline lockstep::task<void> makes_a_store() {
  const store empty;
  co_return;
}

// Is called before the workload and before each check, so that the store is made once.
inline std::function<void(lockstep::sim::world&)> an_empty_store() {
  lockstep::sim::world maker;
  maker.run(makes_a_store());
  return [made = maker.fs().image()](lockstep::sim::world& of) { of.fs().restore(made); };
}

// Cuts the power in the middle of these puts, into a store that was there before, in each of these models.
inline testing::AssertionResult cut_power_in(const std::vector<planned_put>& plan, const store_options& how,
                                             std::vector<lockstep::sim::crash_model> models) {
  history puts;
  return lockstep::crash_sweep([&] { return put_all(plan, puts, how); }, [&] { return keeps_its_promises(puts, how); },
                               {.models = std::move(models), .prepare = an_empty_store()});
}
// [/sweep]

}  // namespace stored
