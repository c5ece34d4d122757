// A sweep of power cuts over a store: what is put, and what must be left of it.
#pragma once

#include "store.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/testing/crash_sweep.hpp>

#include <gtest/gtest.h>

#include <cstddef>
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
inline void make_store(lockstep::sim::world& of) { const store empty({}, of.network().first_host()); }

// Cuts the power in the middle of these puts, into a store that was there before, in each of these models.
inline testing::AssertionResult cut_power_in(const std::vector<planned_put>& plan, const store_options& how,
                                             std::vector<lockstep::sim::crash_model> models) {
  history puts;
  return lockstep::crash_sweep([&] { return put_all(plan, puts, how); }, [&] { return keeps_its_promises(puts, how); },
                               {.models = std::move(models), .prepare = make_store});
}
// [/sweep]

}  // namespace stored
