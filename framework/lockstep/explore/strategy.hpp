// The simple strategies: how a run's choices are made when nothing more clever searches.
#pragma once

#include <lockstep/choice/oracle.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace lockstep {

// Source of random: Yuan, Yang, Gu, "Partial order aware concurrency sampling", CAV 2018, in its basic form; see
// docs/design/adr/004-random-schedules.md.
enum class schedule {
  plain,        // the dullest answer to everything: FIFO order, least values
  round_robin,  // the next task at every await; least values
  random,       // every value drawn from the seed, and a priority for every step: of the ready ones the highest runs
};
inline constexpr schedule all_schedules[] = {schedule::plain, schedule::round_robin, schedule::random};

// "plain", "round_robin", "random".
std::string_view name_of(schedule strategy) noexcept;
std::optional<schedule> schedule_named(std::string_view name) noexcept;

// The oracle of a strategy; null for plain, which needs none. The seed matters to random only.
std::unique_ptr<oracle> make_oracle(schedule strategy, std::uint64_t seed);

// The seed of the n-th of several runs, from 0: the first is `seed` itself.
std::uint64_t seed_of_run(std::uint64_t seed, std::uint64_t nth) noexcept;

}  // namespace lockstep
