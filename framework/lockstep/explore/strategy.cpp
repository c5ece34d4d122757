#include <lockstep/explore/strategy.hpp>

#include <lockstep/base/hash.hpp>

namespace lockstep {

namespace {

class round_robin final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override { return from.first_is_running() ? 1 : 0; }
  std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
};

// Every step has a priority, drawn from the seed, the task, and the step's number; of those that are ready the highest
// runs. So what one task does shifts no draw of another, and the order of two steps does not depend on whoever else is
// ready (docs/design/adr/004-random-schedules.md).
class random_choices final : public oracle {
 public:
  explicit random_choices(std::uint64_t seed) noexcept : seed_(seed), priorities_(seed) {}

  std::size_t pick_task(const candidates& from) override { return from.highest(priorities_); }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    return bounded(draw(seed_, point.domain, point.nth), options);
  }

 private:
  std::uint64_t seed_;
  step_priorities priorities_;
};

}  // namespace

std::string_view name_of(schedule strategy) noexcept {
  switch (strategy) {
    case schedule::plain: return "plain";
    case schedule::round_robin: return "round_robin";
    case schedule::random: return "random";
  }
  return "unknown";
}

std::optional<schedule> schedule_named(std::string_view name) noexcept {
  for (const schedule known : all_schedules) {
    if (name_of(known) == name) return known;
  }
  return std::nullopt;
}

std::unique_ptr<oracle> make_oracle(schedule strategy, std::uint64_t seed) {
  switch (strategy) {
    case schedule::plain: return nullptr;
    case schedule::round_robin: return std::make_unique<round_robin>();
    case schedule::random: return std::make_unique<random_choices>(seed);
  }
  return nullptr;
}

std::uint64_t seed_of_run(std::uint64_t seed, std::uint64_t nth) noexcept {
  return nth == 0 ? seed : hash_of(seed, nth) >> 32;  // short enough to read aloud
}

}  // namespace lockstep
