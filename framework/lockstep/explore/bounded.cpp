#include <lockstep/explore/bounded.hpp>

#include <algorithm>

namespace lockstep {

bool bounded_search::begin_run() {
  log_.clear();
  used_ = 0;
  if (first_) {
    first_ = false;
    return true;
  }
  while (level_ < levels_.size()) {
    std::deque<parent>& waiting = levels_[level_];
    if (waiting.empty()) {
      if (level_ == most_) return false;
      if (level_ + 1 == levels_.size()) return false;
      ++level_;
      continue;
    }
    parent& of = waiting.front();
    if (of.question == of.questions.size()) {
      waiting.pop_front();
      continue;
    }
    present_ = of.deviations;
    present_.push_back({of.questions[of.question].first, of.answer});
    if (++of.answer == of.questions[of.question].second) {
      of.answer = 1;
      ++of.question;
    }
    return true;
  }
  return false;
}

std::uint64_t bounded_search::next(std::uint64_t options, bool of_task, bool could_go_on) {
  std::uint64_t answer = 0;
  if (used_ < present_.size() && present_[used_].at == log_.size()) {
    answer = std::min(present_[used_++].answer, options - 1);
  }
  log_.push_back({answer, options, of_task, could_go_on});
  return answer;
}

void bounded_search::end_run() {
  parent free{present_, {}};
  parent costly{present_, {}};
  for (std::size_t at = present_.empty() ? 0 : present_.back().at + 1; at < log_.size(); ++at) {
    const choice& each = log_[at];
    const bool costs = what_ == cost_of::deviations || (each.of_task && each.could_go_on);
    const std::uint64_t options = each.of_task ? each.options : std::min(each.options, values_max_);
    if (options > 1) (costs ? costly : free).questions.emplace_back(at, options);
  }
  if (!free.questions.empty()) levels_[level_].push_back(std::move(free));
  if (costly.questions.empty() || level_ == most_) return;
  if (level_ + 1 == levels_.size()) levels_.emplace_back();
  levels_[level_ + 1].push_back(std::move(costly));
}

std::vector<std::uint64_t> bounded_search::answers() const {
  std::vector<std::uint64_t> all;
  for (const choice& each : log_) all.push_back(each.answer);
  return all;
}

}  // namespace lockstep
