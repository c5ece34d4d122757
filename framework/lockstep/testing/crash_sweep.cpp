#include <lockstep/testing/crash_sweep.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/testing/swept_world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

namespace lockstep {

std::vector<sim::crash_model> crash_sweep_options::all_models() {
  return {sim::process_crash, sim::data_journal,   sim::ext3_ordered, sim::ext4_ordered,
          sim::btrfs_like,    sim::ext3_writeback, sim::strict_sync,  sim::weakest};
}

namespace {

sim::file_system& disk_of(sim::world& of) { return of.network().first_host().files().disk(); }

class crash_sweeping {
 public:
  crash_sweeping(const std::function<task<void>()>& workload, const std::function<task<void>()>& check,
                 const crash_sweep_options& how)
      : workload_(workload), check_(check), how_(how) {}

  testing::AssertionResult all() {
    const std::string found = workload_world_.run(workload_, how_.world, [this](sim::world& of) {
      if (how_.prepare) how_.prepare(of);
      disk_ = &disk_of(of);
      disk_->sync_all();
      cut("before the first change");
      disk_->set_observer([this](std::string_view what) { changed(what); });
    });
    if (!failure_.empty()) return testing::AssertionFailure() << failure_;
    if (!found.empty()) return testing::AssertionFailure() << "the workload fails without a power cut:" << found;
    if (changes_ > how_.operations_max) {
      return testing::AssertionFailure() << fmt::format(
                 "the sweep does not end: the workload makes more than {} changes", how_.operations_max);
    }
    if (changes_ == 0) return testing::AssertionFailure() << "the sweep tests nothing: the workload changes no file";
    return testing::AssertionSuccess() << fmt::format("{} checks passed, after {} changes", checks_, changes_);
  }

 private:
  using answers = std::vector<std::uint64_t>;

  void changed(std::string_view what) {
    if (!failure_.empty() || ++changes_ > how_.operations_max) return;
    cut(fmt::format("behind change {} ({})", changes_, what));
  }

  void cut(const std::string& where) {
    // What was checked behind an earlier change may be right only here, so each is checked anew.
    std::set<std::string> checked;
    for (const sim::crash_model& model : how_.models) {
      for (unsigned image = 0; image < how_.images && failure_.empty(); ++image) {
        answers given;
        const sim::disk_image left = disk_->image_after_power_cut(model, chooser_of(image, given), nullptr);
        if (!checked.insert(left.fingerprint()).second) continue;
        if (!passes(left)) fail(where, model, std::move(given));
        if (model.keeps != sim::crash_model::unsynced::some) break;
      }
    }
  }

  // 0: all that may be lost is; 1: nothing; 2: the content, but not sizes and names; 3: names alone; others at random,
  // some of which lose little, and some much. What was answered goes to `given`.
  sim::crash_chooser chooser_of(unsigned image, answers& given) const {
    return [this, image, &given](std::string_view what, std::uint64_t options) {
      const bool of_names = what == "a change of names is lost";
      const bool keeps = of_names || what == "a size is lost" || what == "a tail is garbage";
      std::uint64_t answer = 0;
      switch (image) {
        case 0: answer = what == "changes at risk" ? options - 1 : 1; break;
        case 1: break;
        case 2: answer = keeps ? 0 : options - 1; break;
        case 3: answer = what == "changes at risk" || of_names ? options - 1 : 0; break;
        default: answer = drawn(image, given.size(), options); break;
      }
      given.push_back(answer);
      return answer;
    };
  }
  std::uint64_t drawn(unsigned image, std::uint64_t question, std::uint64_t options) const {
    constexpr std::uint64_t eighths = 8;
    const std::uint64_t lost_of_eight = std::array<std::uint64_t, 4>{1, 4, 6, 4}[image % 4];
    if (question != 0 && bounded(draw(changes_, image, 2 * question), eighths) >= lost_of_eight) return 0;
    return question == 0 ? bounded(draw(changes_, image, 0), options)
                         : 1 + bounded(draw(changes_, image, 2 * question + 1), options - 1);
  }
  static sim::crash_chooser chooser_of(const answers& given) {
    return [given, at = std::size_t{0}](std::string_view, std::uint64_t options) mutable {
      return at < given.size() ? std::min(given[at++], options - 1) : 0;
    };
  }

  bool passes(const sim::disk_image& left) {
    ++checks_;
    found_ = check_world_.run(check_, how_.world, [&](sim::world& of) { disk_of(of).restore(left); });
    return found_.empty();
  }

  bool still_fails(const sim::crash_model& model, const answers& given) {
    return !passes(disk_->image_after_power_cut(model, chooser_of(given), nullptr));
  }

  void fail(const std::string& where, const sim::crash_model& model, answers given) {
    shrink(model, given);
    still_fails(model, given);
    std::vector<std::string> lost;
    disk_->image_after_power_cut(model, chooser_of(given), &lost);
    failure_ = fmt::format("the check fails where the power is cut {}, in the model {}", where, model.name);
    failure_ += lost.empty() ? "; nothing was lost" : "; lost:";
    for (const std::string& each : lost) failure_ += "\n  " + each;
    failure_ += fmt::format("\nand then (check {} of the sweep):{}", checks_, found_);
  }

  // Loses as little as it can: first none but the last changes, then each only if it must.
  void shrink(const sim::crash_model& model, answers& given) {
    constexpr std::uint64_t checks_of_shrinking = 400;
    const std::uint64_t most = checks_ + checks_of_shrinking;
    for (bool shorter = true; shorter && checks_ < most;) {
      shorter = false;
      for (std::size_t i = 0; i < given.size() && checks_ < most; ++i) {
        for (std::uint64_t less = 0; less < given[i] && checks_ < most; less = i == 0 ? less + 1 : given[i]) {
          answers tried = given;
          tried[i] = less;
          if (!still_fails(model, tried)) continue;
          given = std::move(tried);
          shorter = true;
          break;
        }
      }
    }
  }

  const std::function<task<void>()>& workload_;
  const std::function<task<void>()>& check_;
  const crash_sweep_options& how_;
  detail::swept_world workload_world_;
  detail::swept_world check_world_;
  sim::file_system* disk_ = nullptr;
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
