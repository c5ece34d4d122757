#include <lockstep/explore/replay.hpp>

#include <lockstep/base/hash.hpp>

#include <fmt/format.h>

namespace lockstep {

namespace {

// The lowest four bits.
constexpr char hex_digit(std::uint64_t bits) noexcept { return "0123456789abcdef"[bits & 15]; }

// What the two of an override are about to do, as a fingerprint has it.
std::string text_of_deviation(const candidate& overtaken, const candidate& instead) {
  const auto two_digits = [](std::uint64_t bits) { return fmt::format("{:02x}", bits & 0xFF); };
  return two_digits(static_cast<std::uint64_t>(overtaken.operation)) + two_digits(mix(overtaken.object)) +
         two_digits(static_cast<std::uint64_t>(instead.operation)) +
         two_digits(mix(roll(instead.object, instead.step)));
}

// The kind of operation that two digits say.
std::string_view kind_in(std::string_view digits) {
  return name_of(static_cast<operation_kind>(std::stoul(std::string(digits), nullptr, 16)));
}

}  // namespace

guided_oracle::guided_oracle(const token& of) : token_(of), base_(make_oracle(of.base, of.seed)) {
  for (std::size_t i = 0; i < of.task_overrides.size(); ++i) {
    tasks_.emplace(std::pair(task_at(of.task_overrides[i].task), of.task_overrides[i].step), i);
  }
  deviations_.resize(of.task_overrides.size());
  for (const value_override& each : of.value_overrides) {
    values_[{domain_identity(each.domain), each.nth}] = each.value;
  }
}

std::size_t guided_oracle::pick_task(const candidates& from) {
  std::size_t answer = base_ != nullptr ? base_->pick_task(from) : 0;
  if (!tasks_.empty()) {
    const candidate would_run = from[answer];
    if (const auto [found, end] = tasks_.equal_range({would_run.task, would_run.step}); found != end) {
      const identity instead = task_at(token_.task_overrides[found->second].instead);
      std::size_t at = 0;
      while (at < from.size() && from[at].task != instead) ++at;
      if (at < from.size()) {
        answer = at;
        deviations_[found->second] = text_of_deviation(would_run, from[at]);
      } else {
        unusable_.push_back(fmt::format("at choice {} the task that should run instead is not ready", choices_ + 1));
      }
      tasks_.erase(found);
    }
  }
  log(from.size(), answer);
  return answer;
}

std::uint64_t guided_oracle::pick_value(choice_point point, std::uint64_t options) {
  std::uint64_t answer = base_ != nullptr ? base_->pick_value(point, options) : 0;
  if (!values_.empty()) {
    if (const auto found = values_.find({point.domain, point.nth}); found != values_.end()) {
      if (found->second < options) {
        answer = found->second;
      } else {
        unusable_.push_back(fmt::format("at choice {} the value {} is asked for, and there are only {} to choose from",
                                        choices_ + 1, found->second, options));
      }
      values_.erase(found);
    }
  }
  log(options, answer);
  return answer;
}

void guided_oracle::log(std::uint64_t options, std::uint64_t answer) {
  hash_ = roll(roll(hash_, options), answer);
  if (++choices_ == next_checkpoint_) {
    digits_ += hex_digit(mix(hash_));
    next_checkpoint_ = checkpoint(digits_.size());
  }
}

fingerprint guided_oracle::print(std::uint64_t trace_hash) const {
  std::string trace_end(4, '0');
  for (std::size_t i = 0; i < 4; ++i) trace_end[i] = hex_digit(trace_hash >> (12 - 4 * i));
  std::string deviations;
  for (std::size_t i = 0; i < deviations_.size(); ++i) {
    if (deviations_[i].empty()) return {choices_, digits_, std::move(trace_end)};
    if (!is_repeated(token_.task_overrides, i)) deviations += deviations_[i];
  }
  return {choices_, digits_, std::move(trace_end), std::move(deviations)};
}

std::string guided_oracle::first_unused() const {
  for (const task_override& each : token_.task_overrides) {
    if (!tasks_.contains({task_at(each.task), each.step})) continue;
    return fmt::format("step {1} of task {0} never comes up beside another task", each.task, each.step);
  }
  for (const value_override& each : token_.value_overrides) {
    if (!values_.contains({domain_identity(each.domain), each.nth})) continue;
    return fmt::format("the question {}#{} never comes up", each.domain, each.nth);
  }
  return {};
}

// Of those that were applied, the first that is not what it was.
std::optional<std::string> guided_oracle::other_deviation() const {
  std::string_view left = token_.print.deviations;
  for (std::size_t i = 0; i < deviations_.size() && !left.empty(); ++i) {
    if (is_repeated(token_.task_overrides, i)) continue;
    const std::string_view was = left.substr(0, 8);
    left.remove_prefix(was.size());
    const std::string_view is = deviations_[i];
    if (is.empty() || is == was) continue;
    const task_override& where = token_.task_overrides[i];
    const std::string who = fmt::format("step {} of task {}", where.step, where.task);
    if (is.substr(0, 2) != was.substr(0, 2)) {
      return fmt::format("{} was \"{}\" then, and is \"{}\" now", who, kind_in(was.substr(0, 2)),
                         kind_in(is.substr(0, 2)));
    }
    if (is.substr(2, 2) != was.substr(2, 2)) {
      return fmt::format("{}, \"{}\", is about another object now", who, kind_in(is.substr(0, 2)));
    }
    if (is.substr(4, 2) != was.substr(4, 2)) {
      return fmt::format("task {}, which runs before {}, was about to do \"{}\" then, and \"{}\" now", where.instead,
                         who, kind_in(was.substr(4, 2)), kind_in(is.substr(4, 2)));
    }
    return fmt::format("task {}, which runs before {}, is at another step or object now", where.instead, who);
  }
  return std::nullopt;
}

std::optional<std::string> guided_oracle::misfit() const {
  if (!unusable_.empty()) return unusable_.front();
  if (auto other = other_deviation()) return other;
  if (token_.disturbed || (tasks_.empty() && values_.empty())) return std::nullopt;
  return first_unused();
}

std::optional<std::string> guided_oracle::departure(std::uint64_t trace_hash) const {
  const bool may_leave_overrides = token_.disturbed.has_value();  // those of what it has not come to
  if (may_leave_overrides && token_.print.trace_end.empty()) return std::nullopt;
  if (!unusable_.empty()) return fmt::format("an override of the token does not fit any more: {}", unusable_.front());
  if (!may_leave_overrides && (!tasks_.empty() || !values_.empty())) {
    return fmt::format("{} of the token's overrides never applied: the run does not come to that choice any more",
                       tasks_.size() + values_.size());
  }
  const fingerprint& was = token_.print;
  if (was.trace_end.empty()) return std::nullopt;
  const fingerprint is = print(trace_hash);
  for (std::size_t i = 0; i < was.digits.size(); ++i) {
    if (i < is.digits.size() && is.digits[i] == was.digits[i]) continue;
    const std::uint64_t from = i == 0 ? 1 : checkpoint(i - 1) + 1;
    const std::uint64_t to = checkpoint(i);
    if (i >= is.digits.size()) {
      return fmt::format("the run ended after choice {}, the token's had {}", is.choices, was.choices);
    }
    return from == to ? fmt::format("it departed at choice {} of {}", from, was.choices)
                      : fmt::format("it departed between choice {} and choice {} of {}", from, to, was.choices);
  }
  if (was.choices != is.choices) {
    return fmt::format("it departed after choice {}: the run made {} choices, the token's {}",
                       was.digits.empty() ? 0 : checkpoint(was.digits.size() - 1), is.choices, was.choices);
  }
  if (was.trace_end != is.trace_end) {
    if (was.choices == 0) return "it makes no choices, and its steps are others";
    return fmt::format("all {} choices fit, but the steps between them are others", was.choices);
  }
  return std::nullopt;
}

}  // namespace lockstep
