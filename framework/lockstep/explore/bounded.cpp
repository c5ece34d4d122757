#include <lockstep/explore/bounded.hpp>

#include <algorithm>
#include <utility>

namespace lockstep {

namespace {

// What is asked first is mostly which of several tasks begins, and what is asked last has little after it that could go
// wrong; so the middle comes first.
template <class T>
void begin_in_the_middle(std::vector<T>& of) {
  std::vector<T> outwards;
  outwards.reserve(of.size());
  for (std::size_t after = of.size() / 2, before = after; after < of.size() || before > 0;) {
    if (after < of.size()) outwards.push_back(std::move(of[after++]));
    if (before > 0) outwards.push_back(std::move(of[--before]));
  }
  of = std::move(outwards);
}

}  // namespace

void bounded_search::begin_behind(std::vector<choice> plain) {
  first_ = false;
  log_ = std::move(plain);
  end_run();
}

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
  begin_in_the_middle(free.questions);
  begin_in_the_middle(costly.questions);
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
