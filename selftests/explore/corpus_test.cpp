#include <lockstep/explore/corpus.hpp>

#include "searched_programs.hpp"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(CorpusTest, KeepsRunsThatShowANewPair) {
  world_program code([]() -> task<void> {
    mutex log("log");
    const auto write = [&log]() -> task<void> {
      for (int i = 0; i < 2; ++i) {
        const mutex_guard held = co_await log.lock();
      }
    };
    co_await when_all(write(), write(), write());
  });
  const profile known;
  corpus_sampler sampler(known);
  std::size_t covered = 0;
  std::size_t grown = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    sampler.begin(seed);
    EXPECT_FALSE(code.run(sampler, ordering::any_order).failed);
    const bool is_new = sampler.end_run();
    EXPECT_EQ(is_new, sampler.covered() > covered);
    covered = sampler.covered();
    if (is_new) ++grown;
  }
  EXPECT_EQ(covered, 6u);  // of three tasks, each after each other, at the one mutex
  EXPECT_EQ(sampler.kept(), grown);
}

TEST(CorpusTest, MakesTheSameRunFromTheSameSeedAndCorpus) {
  std::uint64_t hashes[2];
  for (std::uint64_t& hash : hashes) {
    world_program code(searched::locks_in_opposite_orders);
    const profile known;
    corpus_sampler sampler(known);
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      sampler.begin(seed);
      code.run(sampler, ordering::any_order);
      sampler.end_run();
    }
    hash = code.trace_hash();
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

}  // namespace
}  // namespace lockstep
