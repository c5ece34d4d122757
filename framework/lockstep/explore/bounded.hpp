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

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace lockstep {

enum class cost_of { deviations, preemptions };

class bounded_search final : public oracle {
 public:
  // Up to `most` of them. Of one question for a value, the least `values_max` answers are tried.
  explicit bounded_search(cost_of what, std::uint64_t most = ~std::uint64_t{0}, std::uint64_t values_max = 16)
      : what_(what), most_(most), values_max_(values_max) {
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

  std::size_t pick_task(const candidates& from) override {
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

  std::uint64_t next(std::uint64_t options, bool of_task, bool could_go_on);

  cost_of what_;
  std::uint64_t most_;
  std::uint64_t values_max_;
  bool first_ = true;
  std::uint64_t level_ = 0;
  std::vector<std::deque<parent>> levels_;  // of those whose children cost so much
  std::vector<deviation> present_;
  std::size_t used_ = 0;
  std::vector<choice> log_;
};

}  // namespace lockstep
