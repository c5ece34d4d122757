#include <lockstep/testing/lost_changes.hpp>

#include <lockstep/sim/file_system.hpp>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace lockstep::detail {

lost_changes losses_of(sim::file_system& disk, std::size_t number, const sim::crash_model& model,
                       const sim::crash_plan::answers& given) {
  std::map<std::uint64_t, sim::crash_plan::answers> asked;  // by change
  const sim::crash_chooser again = sim::chooser_of(given);
  const sim::change_chooser noted = [&](std::string_view what, std::uint64_t options, std::uint64_t change) {
    const std::uint64_t answer = again(what, options);
    if (change != 0) asked[change].push_back(answer);
    return answer;
  };
  disk.image_after_power_cut(model, noted, nullptr);
  lost_changes found;
  const auto& log = disk.log().operations();
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (log[i].retired) continue;
    const std::uint64_t change = log[i].number;
    const auto answers = asked.find(change);
    if (answers == asked.end()) {
      if (!found.empty()) found.push_back({number, change, 1, 1});
      continue;
    }
    for (std::size_t at = 0; at < answers->second.size(); ++at) {
      if (answers->second[at] != 0) found.push_back({number, change, at + 1, answers->second[at]});
    }
  }
  return found;
}

sim::change_chooser chooser_of(const lost_changes& lost, std::size_t disk) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> answers;
  for (const lost_change& each : lost) {
    if (each.disk == disk) answers[{each.change, each.question}] = each.answer;
  }
  return [answers = std::move(answers), last = std::uint64_t{0}, question = std::uint64_t{0}](
             std::string_view, std::uint64_t options, std::uint64_t change) mutable {
    if (change == 0) return options - 1;  // all are at risk
    question = change == std::exchange(last, change) ? question + 1 : 1;
    const auto found = answers.find({change, question});
    return found == answers.end() ? 0 : std::min(found->second, options - 1);
  };
}

void shrink(lost_changes& lost, const std::function<bool(const lost_changes&)>& still_fails, std::uint64_t tries_max) {
  for (std::size_t part = lost.size(); part != 0;) {
    bool is_less = false;
    for (std::size_t begin = 0; begin < lost.size();) {
      if (tries_max-- == 0) return;
      const auto from = lost.begin() + static_cast<std::ptrdiff_t>(begin);
      lost_changes without(lost.begin(), from);
      without.insert(without.end(), from + static_cast<std::ptrdiff_t>(std::min(part, lost.size() - begin)),
                     lost.end());
      if (still_fails(without)) {
        lost = std::move(without);
        is_less = true;
      } else {
        begin += part;
      }
    }
    if (!is_less || part > lost.size()) part = part > 1 ? (std::min(part, lost.size()) + 1) / 2 : 0;
  }
}

}  // namespace lockstep::detail
