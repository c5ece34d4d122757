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
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <string_view>

namespace lockstep {

std::vector<sim::crash_model> crash_sweep_options::all_models() {
  return {sim::process_crash, sim::data_journal,   sim::ext3_ordered, sim::ext4_ordered,
          sim::btrfs_like,    sim::ext3_writeback, sim::strict_sync,  sim::weakest};
}

namespace {

sim::file_names& files_of(sim::world& of) { return of.network().first_host().files(); }

using answers = std::vector<std::uint64_t>;

// What one of the images behind a change is to lose:
//   0  all that may be lost         4, 5  of the last write, all but its first piece, or that alone
//   1  nothing                      6     all but the last change
//   2  what is in files             7, 8  of names, or of what is in files, the oldest change alone
//   3  names alone                  others at random, some little, and some much
class image_plan {
 public:
  // What is answered goes to `given`. Image 0, of the same model, had so many answers.
  image_plan(unsigned image, std::uint64_t change, std::size_t of_image_0, answers& given)
      : image_(image), change_(change), of_image_0_(of_image_0), given_(given) {}

  std::uint64_t operator()(std::string_view what, std::uint64_t options) {
    const std::uint64_t answer = given_.empty() ? at_risk(options) : loss(what, options);
    lost_one_ = lost_one_ || (!given_.empty() && answer != 0);
    last_ = what;
    given_.push_back(answer);
    return answer;
  }

 private:
  static constexpr unsigned planned = 9;

  std::uint64_t at_risk(std::uint64_t options) const {
    if (image_ == 1) return 0;
    if (image_ == 4 || image_ == 5) return 1;
    return image_ < planned ? options - 1 : drawn(options);
  }

  std::uint64_t loss(std::string_view what, std::uint64_t options) const {
    const bool of_names = what == "a change of names is lost";
    const bool of_content = what == "a write is lost" || what == "a change of a file is lost";
    const bool of_piece = what == "a piece of a write is lost";
    const bool is_first_piece = of_piece && last_ != what;
    switch (image_) {
      case 0: return 1;
      case 1: return 0;
      case 2: return of_content || of_piece ? options - 1 : 0;
      case 3: return of_names ? 1 : 0;
      case 4: return of_content ? options - 1 : of_piece && !is_first_piece ? 1 : 0;
      case 5: return of_content ? options - 1 : is_first_piece ? 1 : 0;
      case 6: return given_.size() + 1 < of_image_0_ ? 1 : 0;
      case 7: return of_names && !lost_one_ ? 1 : 0;
      case 8: return of_content && !lost_one_ ? 1 : 0;
      default: return drawn(options);
    }
  }

  std::uint64_t drawn(std::uint64_t options) const {
    constexpr std::uint64_t eighths = 8;
    const std::uint64_t question = given_.size();
    if (question == 0) return bounded(draw(change_, image_, 0), options);
    const std::uint64_t lost_of_eight = std::array<std::uint64_t, 4>{1, 4, 6, 4}[image_ % 4];
    if (bounded(draw(change_, image_, 2 * question), eighths) >= lost_of_eight) return 0;
    return 1 + bounded(draw(change_, image_, 2 * question + 1), options - 1);
  }

  unsigned image_;
  std::uint64_t change_;
  std::size_t of_image_0_;
  answers& given_;
  std::string_view last_{};
  bool lost_one_ = false;
};

class crash_sweeping {
 public:
  crash_sweeping(const std::function<task<void>()>& workload, const std::function<task<void>()>& check,
                 const crash_sweep_options& how)
      : workload_(workload), check_(check), how_(how) {}

  testing::AssertionResult all() {
    const auto prepare = [this](sim::world& of) {
      if (how_.prepare) how_.prepare(of);
      files_ = &files_of(of);
      disk_ = &files_->disk();
      disk_->sync_all();
      disk_->log().set_bytes_max(std::numeric_limits<std::uint64_t>::max());  // nothing is durable but by a sync
      cut("before the first change");
      disk_->set_observer([this](std::string_view what) { changed(what); });
    };
    const std::string found = workload_world_.run([this] { return to_the_end(*this); }, how_.world, prepare);
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
  // What was promised behind the last change is asked for as well.
  static task<void> to_the_end(crash_sweeping& of) {
    co_await of.workload_();
    of.disk_->set_observer(nullptr);
    if (of.changes_ <= of.how_.operations_max) of.cut("at the end of the workload");
  }

  void changed(std::string_view what) {
    if (!failure_.empty() || ++changes_ > how_.operations_max) return;
    cut(fmt::format("behind change {} ({})", changes_, what));
  }

  void cut(const std::string& where) {
    if (files_->has_other_disks()) {
      failure_ = "the sweep cuts the power of the disk at / alone, and there is another one: mount none";
      return;
    }
    // What was checked behind an earlier change may be right only here, so each is checked anew.
    std::set<std::string> checked;
    for (const sim::crash_model& model : how_.models) {
      std::size_t of_image_0 = 0;
      for (unsigned image = 0; image < how_.images && failure_.empty(); ++image) {
        answers given;
        image_plan plan(image, changes_, of_image_0, given);
        const sim::disk_image left = disk_->image_after_power_cut(model, std::ref(plan), nullptr);
        if (image == 0) of_image_0 = given.size();
        if (checked.insert(left.fingerprint()).second && !passes(left)) fail(where, model, std::move(given));
        if (model.keeps != sim::crash_model::unsynced::some) break;
      }
    }
  }

  static sim::crash_chooser chooser_of(const answers& given) {
    return [given, at = std::size_t{0}](std::string_view, std::uint64_t options) mutable {
      return at < given.size() ? std::min(given[at++], options - 1) : 0;
    };
  }

  bool passes(const sim::disk_image& left) {
    ++checks_;
    found_ = check_world_.run(check_, how_.world, [&](sim::world& of) { files_of(of).restore(left); });
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
  sim::file_names* files_ = nullptr;
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
