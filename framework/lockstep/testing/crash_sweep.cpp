#include <lockstep/testing/crash_sweep.hpp>

#include <lockstep/sim/crash_plan.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/testing/swept_world.hpp>

#include <fmt/format.h>

#include <algorithm>
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
      sim::crash_plan plan(model, changes_);
      for (unsigned image = 0; image < how_.images && failure_.empty(); ++image) {
        const sim::disk_image left = plan.next(*disk_, nullptr);
        if (checked.insert(left.fingerprint()).second && !passes(left)) fail(where, model, plan.given());
        if (!plan.varies()) break;
      }
    }
  }

  bool passes(const sim::disk_image& left) {
    ++checks_;
    found_ = check_world_.run(check_, how_.world, [&](sim::world& of) {
      if (how_.prepare) how_.prepare(of);
      files_of(of).restore(left);
    });
    return found_.empty();
  }

  bool still_fails(const sim::crash_model& model, const sim::crash_plan::answers& given) {
    return !passes(disk_->image_after_power_cut(model, sim::chooser_of(given), nullptr));
  }

  void fail(const std::string& where, const sim::crash_model& model, sim::crash_plan::answers given) {
    shrink(model, given);
    still_fails(model, given);
    std::vector<std::string> lost;
    disk_->image_after_power_cut(model, sim::chooser_of(given), &lost);
    failure_ = fmt::format("the check fails where the power is cut {}, in the model {}", where, model.name);
    failure_ += lost.empty() ? "; nothing was lost" : "; lost:";
    for (const std::string& each : lost) failure_ += "\n  " + each;
    failure_ += fmt::format("\nand then (check {} of the sweep):{}", checks_, found_);
  }

  // Loses as little as it can: first none but the last changes, then each only if it must.
  void shrink(const sim::crash_model& model, sim::crash_plan::answers& given) {
    constexpr std::uint64_t checks_of_shrinking = 400;
    const std::uint64_t most = checks_ + checks_of_shrinking;
    for (bool shorter = true; shorter && checks_ < most;) {
      shorter = false;
      for (std::size_t i = 0; i < given.size() && checks_ < most; ++i) {
        for (std::uint64_t less = 0; less < given[i] && checks_ < most; less = i == 0 ? less + 1 : given[i]) {
          sim::crash_plan::answers tried = given;
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
