#include <lockstep/explore/strategy.hpp>

#include <lockstep/base/hash.hpp>

namespace lockstep {

namespace {

constexpr identity schedule_domain = domain_identity("lockstep.schedule");

class round_robin final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override { return from.first_is_running() ? 1 : 0; }
  std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
};

// Draws are counted per domain, so that a draw more in one place shifts none elsewhere.
class random_choices final : public oracle {
 public:
  explicit random_choices(std::uint64_t seed) noexcept : seed_(seed) {}

  std::size_t pick_task(const candidates& from) override {
    return static_cast<std::size_t>(bounded(draw(seed_, schedule_domain, ++task_picks_), from.size()));
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    return bounded(draw(seed_, point.domain, point.nth), options);
  }

 private:
  std::uint64_t seed_;
  std::uint64_t task_picks_ = 0;
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
  for (const schedule known : {schedule::plain, schedule::round_robin, schedule::random}) {
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
