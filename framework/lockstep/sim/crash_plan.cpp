#include <lockstep/sim/crash_plan.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/sim/file_system.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

namespace lockstep::sim {

template <class F>
auto crash_plan::ask(unsigned number, const F& what) {
  image_ = number;
  given_.clear();
  last_ = {};
  lost_one_ = false;
  loses_ = false;
  changes_ = at_risk_ = 0;
  auto found = what([this](std::string_view asked, std::uint64_t options) { return answer(asked, options); });
  if (number == 0) of_image_0_ = given_.size();
  return found;
}

disk_image crash_plan::image(const file_system& disk, unsigned number, std::vector<std::string>* lost) {
  return ask(number, [&](const crash_chooser& choose) { return disk.image_after_power_cut(model_, choose, lost); });
}

std::uint64_t crash_plan::outcome(const file_system& disk, unsigned number) {
  return ask(number, [&](const crash_chooser& choose) { return disk.outcome_of_power_cut(model_, choose); });
}

namespace {

// Every sequence of answers, the dullest first.
class all_answers {
 public:
  std::uint64_t operator()(std::string_view, std::uint64_t options) {
    if (asked_ == given_.size()) {
      given_.push_back(0);
      options_.push_back(options);
    }
    return given_[asked_++];
  }
  const crash_plan::answers& given() const noexcept { return given_; }
  // Goes on to the next one. False if there is none.
  bool go_on() {
    asked_ = 0;
    while (!given_.empty() && given_.back() + 1 == options_.back()) {
      given_.pop_back();
      options_.pop_back();
    }
    if (given_.empty()) return false;
    ++given_.back();
    return true;
  }

 private:
  crash_plan::answers given_;
  std::vector<std::uint64_t> options_;
  std::size_t asked_ = 0;
};

}  // namespace

void crash_plan::each_outcome(const file_system& disk, const crash_model& model,
                              const std::function<bool(const answers&, std::uint64_t)>& look) {
  constexpr std::size_t judged_max = 1 << 20;  // changes
  const std::size_t sequences_max = std::min<std::size_t>(4096, judged_max / (disk.log().pending() + 1) + 1);
  all_answers sequence;
  for (std::size_t tried = 0; tried < sequences_max; ++tried) {
    const std::uint64_t outcome = disk.outcome_of_power_cut(model, std::ref(sequence));
    if (!look(sequence.given(), outcome) || !sequence.go_on()) return;
  }
}

std::vector<crash_image> crash_plan::different(const file_system& disk, std::size_t images_max) {
  constexpr unsigned known_max = 64;     // in a row, of those that are planned or drawn
  constexpr unsigned in_vain_max = 256;  // made in a row, of all there are
  std::vector<crash_image> found;
  std::set<std::uint64_t> outcomes;  // the same image, which is not made then, as that takes as long as it is large
  std::set<std::string> known;
  const auto is_new = [&](const answers& given, std::uint64_t outcome) {
    if (!outcomes.insert(outcome).second) return false;
    std::vector<std::string> lost;
    disk_image left = disk.image_after_power_cut(model_, chooser_of(given), &lost);
    if (!known.insert(left.fingerprint()).second) return false;
    crash_image& made = found.emplace_back(crash_image{std::move(left), {}});
    for (const std::string& each : lost) made.lost += each + '\n';
    return true;
  };
  for (unsigned in_a_row = 0; found.size() < images_max && in_a_row < known_max;) {
    const std::uint64_t next = outcome(disk, image_ + 1);
    in_a_row = is_new(given_, next) ? 0 : in_a_row + 1;
    if (!varies()) return found;
  }
  unsigned in_vain = 0;
  const auto try_it = [&](const answers& given, std::uint64_t outcome) {
    if (found.size() < images_max && outcomes.count(outcome) == 0) in_vain = is_new(given, outcome) ? 0 : in_vain + 1;
    return found.size() < images_max && in_vain < in_vain_max;
  };
  each_outcome(disk, model_, try_it);
  return found;
}

std::uint64_t crash_plan::answer(std::string_view what, std::uint64_t options) {
  const std::uint64_t chosen = given_.empty() ? at_risk(options) : loss(what, options);
  if (given_.empty()) at_risk_ = chosen;
  lost_one_ = lost_one_ || (!given_.empty() && chosen != 0);
  last_ = what;
  given_.push_back(chosen);
  return chosen;
}

std::uint64_t crash_plan::at_risk(std::uint64_t options) const noexcept {
  if (image_ == 1) return 0;
  if (image_ == 4 || image_ == 5) return 1;
  return image_ < planned || loses_one() ? options - 1 : drawn(options);
}

std::uint64_t crash_plan::loss(std::string_view what, std::uint64_t options) noexcept {
  const bool of_names = what == "a change of names is lost";
  const bool of_write = what == "a write is lost";
  const bool of_content = of_write || what == "a change of a file is lost";
  const bool of_piece = what == "a piece of a write is lost";
  const bool is_first_piece = of_piece && last_ != what;
  if (loses_one()) {
    constexpr std::uint64_t few = 16;
    const unsigned nth = (image_ - planned) / 2 + 1;
    const std::uint64_t lost = at_risk_ <= few ? nth : bounded(draw(seed_, image_, 0), at_risk_);
    if (of_names || of_content) loses_ = changes_++ == lost;
    return !loses_ ? 0 : of_write ? options - 1 : of_names || of_content || of_piece ? 1 : 0;
  }
  switch (image_) {
    case 0: return 1;
    case 1: return 0;
    case 2: return of_write || of_piece ? options - 1 : 0;
    case 3: return of_names ? 1 : 0;
    case 4: return of_content ? options - 1 : of_piece && !is_first_piece ? 1 : 0;
    case 5: return of_content ? options - 1 : is_first_piece ? 1 : 0;
    case 6: return given_.size() + 1 < of_image_0_ ? 1 : 0;
    case 7: return of_names && !lost_one_ ? 1 : 0;
    case 8: return of_content && !lost_one_ ? 1 : 0;
    default: return drawn(options);
  }
}

std::uint64_t crash_plan::drawn(std::uint64_t options) const noexcept {
  constexpr std::uint64_t eighths = 8;
  const std::uint64_t question = given_.size();
  if (question == 0) return bounded(draw(seed_, image_, 0), options);
  const std::uint64_t lost_of_eight = std::array<std::uint64_t, 4>{1, 4, 6, 4}[image_ / 2 % 4];
  if (bounded(draw(seed_, image_, 2 * question), eighths) >= lost_of_eight) return 0;
  return 1 + bounded(draw(seed_, image_, 2 * question + 1), options - 1);
}

crash_chooser chooser_of(crash_plan::answers given) {
  return [given = std::move(given), at = std::size_t{0}](std::string_view, std::uint64_t options) mutable {
    return at < given.size() ? std::min(given[at++], options - 1) : 0;
  };
}

}  // namespace lockstep::sim
