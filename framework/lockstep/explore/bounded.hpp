// Bounded search: all runs that depart from the plain one in few places, those that depart least first.
//
//   bounded_search search(cost_of::deviations);
//   while (search.begin_run()) {
//     world.run(program, {.choices = &search});
//     search.end_run();
//   }
//
// A deviation is an answer other than the dullest; a preemption is a deviation that takes the turn from a task which
// could have gone on. Answers that cost nothing are all tried at each level.
// Source: Emmi, Qadeer, Rakamaric, "Delay-bounded scheduling", POPL 2011; Musuvathi, Qadeer, "Iterative context
// bounding", PLDI 2007.
#pragma once

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/fairness.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace lockstep {

enum class cost_of { deviations, preemptions };

class bounded_search final : public oracle {
 public:
  // Up to `most` of them. Of one question for a value, the least `values_max` answers are tried. Whoever was passed
  // over for longer than `patience` is next, which is no deviation, see fairness.hpp.
  explicit bounded_search(cost_of what, std::uint64_t most = ~std::uint64_t{0}, std::uint64_t values_max = 16,
                          std::uint64_t patience = detail::patience_for(0))
      : what_(what), most_(most), values_max_(values_max), patience_(patience) {
    levels_.resize(1);
  }

  // Before the first run: the plain one, which these choices were, has been made elsewhere and is left out.
  void begin_behind(std::vector<choice> plain);
  // Prepares the next run. False if all have been made.
  bool begin_run();
  void end_run();
  // How much the present run costs; after the last, the bound up to which all runs have been made.
  std::uint64_t level() const noexcept { return level_; }
  std::vector<std::uint64_t> answers() const;
  // The most answers that a question for a value had of whom not all were tried; 0 if there was none.
  std::uint64_t values_left_out() const noexcept { return values_left_out_; }
  bool left_starving_out() const noexcept { return left_starving_out_; }

  std::size_t pick_task(const candidates& from) override {
    const std::optional<std::size_t> due = fairness_.due(from);
    if (due && !departs_here()) [[unlikely]] {
      log_.push_back({*due, 1, true, false});
      left_starving_out_ = true;
      return *due;
    }
    return static_cast<std::size_t>(next(from.size(), true, from.first_is_running()));
  }
  std::uint64_t pick_value(choice_point, std::uint64_t options) override { return next(options, false, false); }

 private:
  struct deviation {
    std::size_t at;  // the how-manieth choice, from 0
    std::uint64_t answer;
  };
  // A run that was made: what departs from it is made of it when its time has come.
  struct parent {
    std::vector<deviation> deviations;
    std::vector<std::pair<std::size_t, std::uint64_t>> questions;  // where it could depart, and the options there
    std::size_t question = 0;
    std::uint64_t answer = 1;
  };

  bool departs_here() const noexcept { return used_ < present_.size() && present_[used_].at == log_.size(); }
  std::uint64_t next(std::uint64_t options, bool of_task, bool could_go_on);

  cost_of what_;
  std::uint64_t most_;
  std::uint64_t values_max_;
  std::uint64_t patience_;
  detail::fairness fairness_;
  bool first_ = true;
  std::uint64_t level_ = 0;
  std::vector<std::deque<parent>> levels_;  // of those whose children cost so much
  std::vector<deviation> present_;
  std::size_t used_ = 0;
  std::vector<choice> log_;
  std::uint64_t values_left_out_ = 0;
  bool left_starving_out_ = false;
};

}  // namespace lockstep
