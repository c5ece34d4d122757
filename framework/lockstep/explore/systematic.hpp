// Systematic search: every run that differs, once.
//
//   systematic_search search({.reduced_by = reduction::source_sets});
//   while (search.begin_run()) {
//     world.run(program, {.choices = &search});
//     search.end_run();
//   }
//
// Three ways to leave out what comes to the same:
//   none         every order of steps
//   sleep_sets   every order is begun, and given up where all that is ready was tried before and nothing has touched
//                what it touches: each run that differs is made once, but its beginnings many times. The referee.
//   source_sets  begins only such orders as a race of an earlier run asks for
// What the steps touch comes from our objects. Plain variables are not seen, so steps that run the user's code depend
// on each other; unless `all_shared_declared`, the user's word that every variable which tasks share is a shared<T>.
// Steps take no time: timers fire when nobody is ready.
// A value is tried with each of its answers, up to `values_max` of them; with more, the search is not exhaustive. Nor
// is it where a task yields more than `yields_max` times while another waits, or takes any `patience` steps: then the
// one that has waited longest is next, as a loop that waits for it may be repeated for ever (see fairness.hpp).
//
// Several searches can share the work: each takes every so many-th of the tree's leaves, which are cut where there are
// enough of them. Above the cut all of them try everything, and leave out what comes to the same by sleep sets. That
// holds as long as none of them says limits_decide(): then whoever says it has to search alone.
//
// The tree of choices is kept along the present run only. The program must be deterministic: where a run departs from
// the one that it repeats, departed() says so and the search ends.
// Source: Godefroid, "Partial-order methods", 1996; Abdulla, Aronis, Jonsson, Sagonas, "Source sets", JACM 2017.
#pragma once

#include <lockstep/choice/oracle.hpp>
#include <lockstep/explore/causality.hpp>
#include <lockstep/explore/fairness.hpp>
#include <lockstep/explore/numbering.hpp>
#include <lockstep/explore/readiness.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace lockstep {

enum class reduction { none, sleep_sets, source_sets };

struct systematic_options {
  reduction reduced_by = reduction::source_sets;
  bool all_shared_declared = false;
  std::uint64_t values_max = 16;  // answers to one question that are all tried; of more, the least ones
  std::uint64_t yields_max = 16;
  std::uint64_t patience = detail::patience_for(0);
  // This is the `part`-th search of so many, from 0. Each run is counted by one of them.
  std::uint32_t part = 0;
  std::uint32_t parts = 1;
};

class systematic_search final : public oracle, private step_observer {
 public:
  explicit systematic_search(systematic_options options = {}) : options_(options) {
    objects_.of(everything);
    plain_variables_ = objects_.of(plain_variables);
  }

  // Prepares the next run. False if all have been made, or one departed.
  bool begin_run();
  // After each run: learns from it what else there is to try.
  void end_run();

  std::size_t pick_task(const candidates& from) override;
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override;
  step_observer* observer() noexcept override { return observes_ ? this : nullptr; }

  // Whether the last run was given up, as all that it could have become is known, or is another part's.
  bool gave_up() const noexcept { return gave_up_; }
  // The runs that were not.
  std::uint64_t runs() const noexcept { return runs_; }
  std::uint64_t given_up() const noexcept { return given_up_; }
  // The most answers that a question for a value had of which not all were tried; 0 if there was none.
  std::uint64_t values_left_out() const noexcept { return values_left_out_; }
  bool left_values_out() const noexcept { return values_left_out_ != 0; }
  // Whether runs were to be tried in which somebody waits for longer than is allowed.
  bool left_starving_out() const noexcept { return left_starving_out_; }
  // Whether it was asked which arm of a select() is tried first. A task is known by what it touches with any answer, so
  // that the orders which a run stands for may be counted more than once.
  bool asked_for_arms() const noexcept { return asked_for_arms_; }
  // Whether there was a place where somebody had to give way. Orders that come to the same may be told apart then, and
  // be made more than once; and of several searches that share the work none knows what it may leave out.
  bool limits_decide() const noexcept { return limits_decide_; }
  bool departed() const noexcept { return departed_; }
  // What share of the tree is behind us, as far as one can tell from the branches along the present run: 0 … 1.
  double progress() const noexcept;
  // The answers of the last run, as fixed_choices takes them.
  std::vector<std::uint64_t> answers() const;
  // The steps of the last run, and what happens before what, after end_run().
  const detail::causality& steps() const noexcept { return steps_; }

 private:
  // For how long a task has been ready and others went first.
  struct waiting {
    std::uint32_t steps = 0;
    std::uint32_t yields = 0;  // among those
    bool will_yield = false;   // its own step would be one
    bool gives_way = false;    // to whoever has waited for too long
  };
  // A task that was ready at a place, and what is known of the step that it would make.
  struct branch {
    std::uint32_t task;
    bool wanted;    // to be tried
    bool done;      // tried, or being tried
    bool sleeping;  // tried before elsewhere, and nothing since has touched what it touches
    bool limited;   // in some run behind it somebody had to give way, so that others do not come to the same
    std::uint32_t enabled_by;
    waiting waits{};
    detail::footprint touches{};
  };
  // A place along the run: a step, or a question for a value.
  struct place {
    bool is_value;
    bool asked;             // the oracle, which is not where one task is ready
    bool has_sleeping;      // among the branches
    bool is_limited;        // some of them must give way, or of the next place, where a run was given up
    std::uint32_t step;     // its number among the steps; of a value, that of the step within which it was asked
    std::size_t chosen;     // of the branches
    std::size_t count = 0;  // of the branches
    std::uint64_t answer = 0;
    std::uint64_t options = 0;
    std::vector<branch> branches{};  // the first `count`
    double share = 1;                // of the whole tree, that begins here
    bool in_leaf = false;            // or below
  };

  bool step_begins(const candidates& ready, std::size_t picked) override;
  void touches(identity object, access how) override;
  void only_attempted() override { attempted_ = true; }
  // What is touched from now on, before the next step, is touched by none: all later steps are after it.
  void all_quiet() override {
    close_step();
    quiet_before_ = made_;
  }
  void run_ends(const candidates& left) override;

  bool repeating() const noexcept { return at_ < prefix_; }
  void choose_where_to_observe();
  place& next_asked() noexcept;
  std::size_t repeat_unobserved(const candidates& from);
  std::uint32_t object_of(std::uint32_t task) {
    if (task >= tasks_as_objects_.size()) [[unlikely]]
      number_as_objects(task);
    return tasks_as_objects_[task];
  }
  [[gnu::cold, gnu::noinline]] void number_as_objects(std::uint32_t up_to_task);
  [[gnu::cold, gnu::noinline]] void add_place();
  place& next_place();
  void find_leaf(place& here);
  bool enters_leaf_of_another();
  void open(place& here, const candidates& ready);
  void note_disabled(const place& here);
  [[gnu::cold, gnu::noinline]] void see_who_waits(place& here, const candidates& ready);
  void choose_first(place& here);
  void inherit_sleep(place& here);
  void close_step();
  void step_back();
  void keep_footprint(std::uint32_t step);
  void leave_nothing_out_before_limits();
  void reverse(const detail::race& found);
  void reverse_what_slept(place& at);
  void want_before(place& at, std::uint32_t later);
  void want(place& at, std::uint32_t task);
  std::uint32_t place_of_step(std::uint32_t step) const noexcept { return places_of_steps_[step]; }

  systematic_options options_;
  detail::numbering tasks_;
  detail::numbering objects_;
  std::uint32_t plain_variables_;
  std::vector<std::uint32_t> tasks_as_objects_;  // the numbers of tasks among the objects
  std::vector<place> places_;                    // the first `depth_` are those of the last run, or of its beginning
  std::size_t depth_ = 0;
  std::size_t at_ = 0;      // the next place of the present run
  std::size_t prefix_ = 0;  // so many places are repeated
  std::vector<std::uint32_t> places_of_steps_;
  detail::causality steps_;
  detail::readiness ready_;
  std::vector<detail::race> races_;
  std::vector<std::uint32_t> others_;
  std::uint32_t made_ = 0;  // steps of the present run
  std::uint32_t quiet_before_ = 0;
  std::size_t known_ = 0;         // so many steps are the same as in the run before
  bool observes_ = true;          // what is repeated is known, and not observed but for its last steps
  std::size_t observe_from_ = 0;  // the choice that is the last one which is not
  bool first_ = true;
  bool attempted_ = false;
  bool step_open_ = false;
  bool gave_up_ = false;
  bool not_ours_ = false;     // the leaf that was entered last
  std::uint64_t leaves_ = 0;  // that were entered
  bool departed_ = false;
  bool left_starving_out_ = false;
  bool limits_decide_ = false;
  bool asked_for_arms_ = false;
  std::uint64_t values_left_out_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t given_up_ = 0;
};

}  // namespace lockstep
