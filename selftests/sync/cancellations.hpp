// For tests of primitives: the same program, again and again, with one of its tasks cancelled at its 1st, 2nd, 3rd …
// suspension, until it ends untouched.
//
//   under_every_cancellation([](hunt& hunted) -> task<void> {
//     semaphore slots(1);
//     auto victim = spawn(use(slots));
//     auto other = spawn(use(slots));
//     hunted.begin(victim);
//     co_await hunted.end();
//     co_await was_cancelled(victim);
//     co_await other.join();
//     EXPECT_EQ(slots.available(), 1u);
//   });
#pragma once

#include "schedules.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace lockstep {

// Schedules like another oracle, but for one task more, the hunter, which runs at one moment only, and cancels.
class hunt final : public oracle {
 public:
  // When the victim has made so many steps: at once, or when it is ready again, mostly as it was granted what it
  // waited for.
  enum class moment { suspended, granted };

  // `base` is null for the plain order.
  hunt(std::unique_ptr<oracle> base, std::uint32_t steps, moment when)
      : base_(std::move(base)), steps_(steps), when_(when) {}

  // Hunts the task from now on. The program must need no time, as the hunter is always ready.
  void begin(join_handle<void>& victim) {
    victim_ = &victim.get();
    hunter_.emplace(spawn(lie_in_wait(), "hunter"));
  }
  // Returns when the victim was cancelled or has ended.
  task<void> end() {
    co_await hunter_->join();
    hunter_.reset();
  }
  // Whether the victim was cancelled before it had ended.
  bool hit() const noexcept { return hit_; }

  std::size_t pick_task(const candidates& from) override {
    std::size_t hunter = from.size();
    bool victim_is_ready = false;
    for (std::size_t i = 0; victim_ != nullptr && i < from.size(); ++i) {
      if (hunter_.has_value() && from[i].task == hunter_->get().id()) hunter = i;
      if (from[i].task == victim_->id()) victim_is_ready = true;
    }
    if (hunter == from.size()) return base_ != nullptr ? base_->pick_task(from) : 0;
    if (is_due(victim_is_ready)) return hunter;
    const others rest(from, hunter);
    const std::size_t picked = rest.size() > 1 && base_ != nullptr ? base_->pick_task(rest) : 0;
    return picked + (picked >= hunter ? 1 : 0);
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    return base_ != nullptr ? base_->pick_value(point, options) : 0;
  }

 private:
  // All candidates but one.
  class others final : public candidates {
   public:
    others(const candidates& all, std::size_t without) : candidates(all.size() - 1), all_(all), without_(without) {}
    candidate operator[](std::size_t i) const noexcept override { return all_[i + (i >= without_ ? 1 : 0)]; }
    bool first_is_running() const noexcept override { return without_ != 0 && all_.first_is_running(); }
    std::string path(std::size_t i) const override { return all_.path(i + (i >= without_ ? 1 : 0)); }

   private:
    const candidates& all_;
    std::size_t without_;
  };

  bool is_due(bool victim_is_ready) const {
    if (victim_->finished()) return true;
    return victim_->steps() >= steps_ && (when_ == moment::suspended || victim_is_ready);
  }
  task<void> lie_in_wait() {
    while (!is_due(victim_->condition() == agent::state::ready)) co_await yield();
    hit_ = victim_->cancel("hunted");
  }

  std::unique_ptr<oracle> base_;
  std::uint32_t steps_;
  moment when_;
  agent* victim_ = nullptr;
  std::optional<join_handle<void>> hunter_;
  bool hit_ = false;
};

// Runs `make(hunted)` as the main task in plain order, in round robin and in 8 random orders, in each with every
// cancellation. None may have a verdict.
template <class F>
void under_every_cancellation(F make) {
  static constexpr std::uint32_t at_most = 300;
  const auto check = [&make](schedule strategy, std::uint64_t seed, hunt::moment when) {
    bool hit = true;
    for (std::uint32_t steps = 0; hit; ++steps) {
      SCOPED_TRACE(std::string(name_of(strategy)) + " " + std::to_string(seed) + ", cancelled at step " +
                   std::to_string(steps) + (when == hunt::moment::granted ? " when granted" : ""));
      hunt hunted(make_oracle(strategy, seed), steps, when);
      sim::world_options how;
      how.choices = &hunted;
      how.steps_max = 20'000;
      const auto main = [&]() -> task<void> { return make(hunted); };
      const judged_run run = judge(main, how);
      EXPECT_TRUE(run.ended);
      EXPECT_EQ(run.messages(), "");
      EXPECT_EQ(run.failure, "");
      hit = hunted.hit();
      EXPECT_LT(steps, at_most);
      if (testing::Test::HasFailure()) return false;
    }
    return true;
  };
  for (const hunt::moment when : {hunt::moment::suspended, hunt::moment::granted}) {
    if (!check(schedule::plain, 0, when) || !check(schedule::round_robin, 0, when)) return;
    for (std::uint64_t seed = 1; seed <= 8 && check(schedule::random, seed, when);) ++seed;
  }
}

}  // namespace lockstep
