#include <lockstep/testing/crash_sweep.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/sim/crash_plan.hpp>
#include <lockstep/testing/lost_changes.hpp>
#include <lockstep/testing/power_cut.hpp>
#include <lockstep/testing/swept_disks.hpp>
#include <lockstep/testing/swept_world.hpp>
#include <lockstep/testing/test_runs.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep {

std::vector<sim::crash_model> crash_sweep_options::all_models() {
  return {sim::process_crash, sim::data_journal,   sim::ext3_ordered, sim::ext4_ordered,
          sim::btrfs_like,    sim::ext3_writeback, sim::strict_sync,  sim::weakest};
}

namespace {

// What keeps a sweep from trying anything.
std::string objection_to(const crash_sweep_options& how) {
  if (how.models.empty()) {
    return "`models` is empty; leave it out for all models, or give it those of the disk, such as {sim::ext4_ordered}";
  }
  for (const sim::crash_model& each : how.models) {
    if (std::string objection = sim::objection_to(each); !objection.empty()) return objection;
  }
  if (how.images == 0) return "`images` is 0; leave it out for 12, or make it 1 at least";
  if (how.operations_max == 0) {
    return "`operations_max` is 0; leave it out for 10000, or make it as many changes as the workload may make";
  }
  return {};
}

class crash_sweeping {
 public:
  crash_sweeping(const std::function<task<void>()>& workload, const std::function<task<void>()>& check,
                 const crash_sweep_options& how)
      : workload_(workload), check_(check), how_(how) {}

  testing::AssertionResult all() {
    if (const std::string objection = objection_to(how_); !objection.empty()) {
      return testing::AssertionFailure() << "the sweep tests nothing: " << objection;
    }
    const auto asked = detail::found_for_sweep(detail::power_cut_of);
    if (const std::string* problem = std::get_if<std::string>(&asked)) {
      return testing::AssertionFailure() << "replay refused: " << *problem;
    }
    if (const detail::power_cut* cut = std::get_if<detail::power_cut>(&asked)) replay_ = *cut;
    const auto prepare = [this](sim::world& of) {
      if (how_.prepare) how_.prepare(of);
      disks_ = detail::swept_disks(of);
      for (std::size_t i = 0; i < disks_.count(); ++i) {
        disks_.at(i).sync_all();
        disks_.at(i).log().set_bytes_max(std::numeric_limits<std::uint64_t>::max());  // durable is what is synced
      }
      cut("before the first change");
      for (std::size_t i = 0; i < disks_.count(); ++i) {
        disks_.at(i).set_observer([this, i](std::string_view what) { changed(what, i); });
      }
    };
    const std::string found = workload_world_.run([this] { return to_the_end(*this); }, how_.world, prepare);
    if (!failure_.empty()) return testing::AssertionFailure() << failure_;
    if (!found.empty()) return testing::AssertionFailure() << "the workload fails without a power cut:" << found;
    if (changes_ > how_.operations_max) {
      return testing::AssertionFailure() << fmt::format(
                 "the sweep does not end: the workload makes more than {} changes", how_.operations_max);
    }
    if (changes_ == 0) return testing::AssertionFailure() << "the sweep tests nothing: the workload changes no file";
    if (replay_ && checks_ == 0) {
      return testing::AssertionFailure() << departed(
                 fmt::format("it cuts the power {} times, not {}", cuts_, replay_->number));
    }
    return testing::AssertionSuccess() << fmt::format("{} checks passed, after {} changes", checks_, changes_);
  }

 private:
  // What was promised behind the last change is asked for as well.
  static task<void> to_the_end(crash_sweeping& of) {
    co_await of.workload_();
    for (std::size_t i = 0; i < of.disks_.count(); ++i) of.disks_.at(i).set_observer(nullptr);
    if (of.changes_ <= of.how_.operations_max) of.cut("at the end of the workload");
  }

  void changed(std::string_view what, std::size_t disk) {
    if (!failure_.empty() || ++changes_ > how_.operations_max) return;
    cut(fmt::format("behind change {} ({}{})", changes_, what, disks_.host_of(disk)));
  }

  // Numbers of those that may lose something.
  std::vector<std::size_t> with_changes() const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < disks_.count(); ++i) {
      if (disks_.at(i).log().pending() != 0) found.push_back(i);
    }
    return found;
  }

  // All disks lose likewise; where several may lose something, also one all and the others nothing; and where there are
  // not so many images as wanted, each disk all that it may.
  void cut(const std::string& where) {
    if (failure_.empty()) failure_ = disks_.lacks();
    if (!failure_.empty()) return;
    ++cuts_;
    if (replay_ && cuts_ == replay_->number) make_again(where);
    if (replay_) return;
    // What was checked behind an earlier change may be right only here, so each is checked anew.
    std::set<std::string> checked;
    std::set<outcomes> known;  // so that few images need be made
    for (const sim::crash_model& model : how_.models) {
      std::set<outcomes> of_model;
      const auto look = [&](const outcomes& left, const answers_of_disks& given) {
        if (!of_model.insert(left).second) return false;
        if (!known.insert(left).second) return true;
        const images made = images_of(model, given);
        if (checked.insert(text_of(made)).second && !passes(made)) fail(where, model, given);
        return true;
      };
      look_at_planned(model, look);
      for (std::size_t i = 0; failure_.empty() && i < disks_.count(); ++i) look_at_all_of(i, model, of_model, look);
    }
  }

  using outcomes = std::vector<std::uint64_t>;  // numbers of the images of each disk
  using answers_of_disks = std::vector<sim::crash_plan::answers>;

  // `look` returns whether it was new in this model.
  template <class Look>
  void look_at_planned(const sim::crash_model& model, const Look& look) {
    constexpr unsigned known_max = 8;  // in a row
    const std::vector<std::size_t> apart = with_changes();
    const std::size_t several = apart.size() > 1 ? apart.size() : 0;
    std::vector<sim::crash_plan> plans;
    for (std::size_t i = 0; i < disks_.count(); ++i) {
      plans.emplace_back(model, i == 0 ? changes_ : hash_of(changes_, std::uint64_t{i}));
    }
    const auto is_new = [&](const auto& number_of) {
      outcomes left;
      answers_of_disks given;
      for (std::size_t i = 0; i < disks_.count(); ++i) {
        left.push_back(plans[i].outcome(disks_.at(i), number_of(i)));
        given.push_back(plans[i].given());
      }
      return look(left, given);
    };
    unsigned found = 0;
    unsigned in_a_row = 0;
    for (unsigned image = 0; found < how_.images && in_a_row < known_max && failure_.empty(); ++image) {
      in_a_row = is_new([image](std::size_t) { return image; }) ? 0 : in_a_row + 1;
      found += in_a_row == 0 ? 1 : 0;
      if (apart.empty() || !plans.front().varies()) return;
    }
    for (std::size_t one = 0; one < several && failure_.empty(); ++one) {
      is_new([&](std::size_t disk) { return disk == apart[one] ? 0U : 1U; });
    }
  }

  // The others lose nothing.
  template <class Look>
  void look_at_all_of(std::size_t disk, const sim::crash_model& model, const std::set<outcomes>& found,
                      const Look& look) {
    if (found.size() >= how_.images || disks_.at(disk).log().pending() == 0) return;
    outcomes left;
    answers_of_disks given;
    for (std::size_t i = 0; i < disks_.count(); ++i) {
      sim::crash_plan whole(model, 0);
      left.push_back(whole.outcome(disks_.at(i), 1));
      given.push_back(whole.given());
    }
    sim::crash_plan::each_outcome(disks_.at(disk), model,
                                  [&](const sim::crash_plan::answers& answers, std::uint64_t outcome) {
                                    left[disk] = outcome;
                                    given[disk] = answers;
                                    look(left, given);
                                    return failure_.empty() && found.size() < how_.images;
                                  });
  }

  // Of each disk.
  using images = std::vector<sim::disk_image>;

  bool passes(const images& left) {
    ++checks_;
    bool is_the_same_machine = true;
    const auto prepare = [&](sim::world& of) {
      if (how_.prepare) how_.prepare(of);
      const detail::swept_disks disks(of);
      is_the_same_machine = disks.has_places_of(disks_);
      for (std::size_t i = 0; is_the_same_machine && i < left.size(); ++i) disks.restore(i, left[i]);
    };
    found_ = check_world_.run(check_, how_.world, prepare, workload_world_.now());
    if (!is_the_same_machine) found_ = "\n  `prepare` has made other hosts or disks than for the workload";
    return found_.empty();
  }

  static std::string text_of(const images& left) {
    std::string text;
    for (const sim::disk_image& each : left) text += each.fingerprint() + '\n';
    return text;
  }

  images images_of(const sim::crash_model& model, const answers_of_disks& given) const {
    images left;
    for (std::size_t i = 0; i < disks_.count(); ++i) {
      left.push_back(disks_.at(i).image_after_power_cut(model, sim::chooser_of(given[i]), nullptr));
    }
    return left;
  }

  images images_of(const sim::crash_model& model, const detail::lost_changes& losses,
                   std::vector<std::string>* lost) const {
    images left;
    for (std::size_t i = 0; i < disks_.count(); ++i) {
      const std::size_t before = lost != nullptr ? lost->size() : 0;
      left.push_back(disks_.at(i).image_after_power_cut(model, detail::chooser_of(losses, i), lost));
      if (lost == nullptr) continue;
      for (std::size_t line = before; line < lost->size(); ++line) (*lost)[line] += disks_.place(i);
    }
    return left;
  }

  void fail(const std::string& where, const sim::crash_model& model, const answers_of_disks& given) {
    constexpr std::uint64_t checks_of_shrinking = 400;
    detail::lost_changes losses;
    for (std::size_t i = 0; i < disks_.count(); ++i) {
      const detail::lost_changes of_disk = detail::losses_of(disks_.at(i), i, model, given[i]);
      losses.insert(losses.end(), of_disk.begin(), of_disk.end());
    }
    const auto still_fails = [&](const detail::lost_changes& fewer) {
      return !passes(images_of(model, fewer, nullptr));
    };
    detail::shrink(losses, still_fails, checks_of_shrinking);
    still_fails(losses);
    tell(where, model, losses);
  }

  // The one of the token.
  void make_again(const std::string& where) {
    std::uint64_t nth = replay_->nth_model;
    const auto model = std::find_if(how_.models.begin(), how_.models.end(), [&](const sim::crash_model& each) {
      return each.name == replay_->model && --nth == 0;
    });
    if (model == how_.models.end()) {
      failure_ = departed(fmt::format("the model \"{}\" is none of its `models`, or not so often", replay_->model));
      return;
    }
    for (const detail::lost_change& each : replay_->lost) {
      if (each.disk < disks_.count() && disks_.at(each.disk).log().is_pending(each.change)) continue;
      failure_ = departed(fmt::format("{} there is no change {} that could be lost{}", where, each.change,
                                      each.disk < disks_.count() ? disks_.place(each.disk) : ""));
      return;
    }
    if (!passes(images_of(*model, replay_->lost, nullptr))) return tell(where, *model, replay_->lost);
    fmt::print("replayed: the check passes where the power is cut {}, in the model {}\n", where, model->name);
  }

  static std::string departed(const std::string& why) {
    return fmt::format(
        "departed replay: this sweep has no such power cut: {}; the code or its input has changed since, or the token "
        "is of another sweep of this test",
        why);
  }

  void tell(const std::string& where, const sim::crash_model& model, const detail::lost_changes& losses) {
    std::vector<std::string> lost;
    images_of(model, losses, &lost);
    failure_ = fmt::format("the check fails where the power is cut {}, in the model {}", where, model.name);
    failure_ += lost.empty() ? "; nothing was lost" : "; lost:";
    for (const std::string& each : lost) failure_ += "\n  " + each;
    failure_ += fmt::format("\nand then (check {} of the sweep):{}", checks_, found_);
    const auto is_namesake = [&model](const sim::crash_model& each) { return each.name == model.name; };
    const auto nth = std::count_if(how_.models.data(), &model + 1, is_namesake);
    const std::string repeat =
        detail::repeat_line_of({cuts_, std::string(model.name), static_cast<std::uint64_t>(nth), losses});
    if (!repeat.empty()) failure_ += '\n' + repeat + '\n';  // GoogleTest puts a bracket behind it
  }

  const std::function<task<void>()>& workload_;
  const std::function<task<void>()>& check_;
  const crash_sweep_options& how_;
  detail::swept_world workload_world_;
  detail::swept_world check_world_;
  detail::swept_disks disks_;
  std::optional<detail::power_cut> replay_;
  std::uint64_t cuts_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t checks_ = 0;
  std::string found_;
  std::string failure_;
};

}  // namespace

testing::AssertionResult crash_sweep(const std::function<task<void>()>& workload,
                                     const std::function<task<void>()>& check, const crash_sweep_options& how) {
  return crash_sweeping(workload, check, how).all();
}

}  // namespace lockstep
