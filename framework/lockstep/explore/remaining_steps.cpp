#include <lockstep/explore/remaining_steps.hpp>

#include <lockstep/explore/sampling.hpp>

namespace lockstep::detail {

void remaining_steps::begin_run(const profile& known) {
  known_ = &known;
  const std::vector<profile::task>& tasks = known.tasks();
  seen_.assign(tasks.size(), false);
  all_.resize(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) all_[i] = tasks[i].steps;
  for (std::size_t i = tasks.size(); i-- > 0;) {  // children have higher numbers than their parents
    if (tasks[i].parent != profile::none) all_[tasks[i].parent] += all_[i];
  }
  left_ = all_;
}

std::uint64_t remaining_steps::see(const candidates& from) {
  sums_.clear();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < from.size(); ++i) note(from[i].task);
  for (std::size_t i = 0; i < from.size(); ++i) {
    total += of_task(from[i]);
    sums_.push_back(total);
  }
  return total;
}

void remaining_steps::note(identity task) {
  const std::uint32_t number = known_->names().find(task);
  if (number >= seen_.size() || seen_[number]) return;
  seen_[number] = true;
  std::uint32_t above = known_->tasks()[number].parent;
  for (; above != profile::none && above < left_.size(); above = known_->tasks()[above].parent) {
    left_[above] -= std::min(left_[above], all_[number]);
    if (seen_[above]) break;
  }
}

std::uint64_t remaining_steps::of_task(const candidate& who) const {
  const std::uint32_t number = known_->names().find(who.task);
  if (number >= left_.size()) return 1;
  return left_[number] >= who.step ? left_[number] - who.step + 1 : 1;
}

}  // namespace lockstep::detail
