// A run as the list of its answers: how a search keeps runs, changes them, and makes them again.
#pragma once

#include <lockstep/choice/oracle.hpp>
#include <lockstep/explore/token.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lockstep {

// One answer of an oracle.
struct choice {
  std::uint64_t answer;
  std::uint64_t options;
  bool of_task;      // and not of a value
  bool could_go_on;  // answering 0 would have let the running task go on
};

// Answers as `base` does, null for the dullest, and keeps what it answered.
class logged_choices final : public oracle {
 public:
  explicit logged_choices(oracle* base = nullptr) noexcept : base_(base) {}

  // Before each run.
  void begin(oracle* base) noexcept {
    base_ = base;
    log_.clear();
  }
  const std::vector<choice>& log() const noexcept { return log_; }
  std::vector<std::uint64_t> answers() const;

  std::size_t pick_task(const candidates& from) override {
    const std::size_t answer = base_ != nullptr ? base_->pick_task(from) : 0;
    log_.push_back({answer, from.size(), true, from.first_is_running()});
    return answer;
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    const std::uint64_t answer = base_ != nullptr ? base_->pick_value(point, options) : 0;
    log_.push_back({answer, options, false, false});
    return answer;
  }
  step_observer* observer() noexcept override { return base_ != nullptr ? base_->observer() : nullptr; }

 private:
  oracle* base_;
  std::vector<choice> log_;
};

// Gives these answers in turn, then those of `rest`, null for the dullest. An answer that is none of the options is the
// dullest, and misfit() tells.
class fixed_choices final : public oracle {
 public:
  explicit fixed_choices(std::vector<std::uint64_t> answers, oracle* rest = nullptr) noexcept
      : answers_(std::move(answers)), rest_(rest) {}

  bool misfit() const noexcept { return misfit_; }

  std::size_t pick_task(const candidates& from) override {
    if (at_ == answers_.size() && rest_ != nullptr) return rest_->pick_task(from);
    return static_cast<std::size_t>(next(from.size()));
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    if (at_ == answers_.size() && rest_ != nullptr) return rest_->pick_value(point, options);
    return next(options);
  }

 private:
  std::uint64_t next(std::uint64_t options) noexcept {
    if (at_ == answers_.size()) return 0;
    const std::uint64_t answer = answers_[at_++];
    if (answer < options) return answer;
    misfit_ = true;
    return 0;
  }

  std::vector<std::uint64_t> answers_;
  std::size_t at_ = 0;
  oracle* rest_;
  bool misfit_ = false;
};

// Writes down as the overrides of a token, over the plain run, what `base` answers.
class described_choices final : public oracle {
 public:
  explicit described_choices(oracle& base) noexcept : base_(base) {}

  const std::vector<task_override>& of_tasks() const noexcept { return of_tasks_; }
  const std::vector<value_override>& of_values() const noexcept { return of_values_; }
  // For each of tasks: who ran instead, and the how-manieth step of it that was.
  const std::vector<std::pair<identity, std::uint32_t>>& steps() const noexcept { return steps_; }

  std::size_t pick_task(const candidates& from) override;
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override;
  step_observer* observer() noexcept override { return base_.observer(); }

 private:
  oracle& base_;
  std::vector<task_override> of_tasks_;
  std::vector<value_override> of_values_;
  std::vector<std::pair<identity, std::uint32_t>> steps_;
};

}  // namespace lockstep
