#include <lockstep/explore/choices.hpp>

namespace lockstep {

std::vector<std::uint64_t> logged_choices::answers() const {
  std::vector<std::uint64_t> all;
  all.reserve(log_.size());
  for (const choice& each : log_) all.push_back(each.answer);
  return all;
}

std::size_t described_choices::pick_task(const candidates& from) {
  const std::size_t answer = base_.pick_task(from);
  if (answer != 0 && answer < from.size()) {
    of_tasks_.push_back({from.path(0), from[0].step, from.path(answer)});
    steps_.emplace_back(from[answer].task, from[answer].step);
  }
  return answer;
}

std::uint64_t described_choices::pick_value(choice_point point, std::uint64_t options) {
  const std::uint64_t answer = base_.pick_value(point, options);
  if (answer != 0) of_values_.push_back({std::string(point.name), point.nth, answer});
  return answer;
}

}  // namespace lockstep
