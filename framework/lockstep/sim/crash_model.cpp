#include <lockstep/sim/crash_model.hpp>

#include <lockstep/sim/page.hpp>

#include <fmt/format.h>

#include <bit>

namespace lockstep::sim {

const crash_model weakest{.name = "weakest"};

const crash_model ext4_ordered{.name = "ext4_ordered",
                               .sync_commits = true,
                               .names_in_order = true,
                               .names_before_appends = true,
                               .appends_in_order = true,
                               .data_before_rename = true,
                               .rename_is_atomic = true,
                               .grows_with_content = true,
                               .whole_bytes = page_bytes};

const crash_model btrfs_like{.name = "btrfs_like",
                             .sync_keeps_names = true,
                             .data_before_rename = true,
                             .rename_is_atomic = true,
                             .grows_with_content = true,
                             .whole_bytes = page_bytes};

const crash_model ext3_ordered{.name = "ext3_ordered",
                               .sync_commits = true,
                               .names_in_order = true,
                               .sizes_in_order = true,
                               .appends_in_order = true,
                               .overwrites_first = true,
                               .rename_is_atomic = true,
                               .grows_with_content = true,
                               .whole_bytes = page_bytes};

const crash_model ext3_writeback{.name = "ext3_writeback",
                                 .sync_commits = true,
                                 .names_in_order = true,
                                 .sizes_in_order = true,
                                 .rename_is_atomic = true,
                                 .whole_bytes = page_bytes};

const crash_model data_journal{.name = "data_journal",
                               .sync_commits = true,
                               .names_in_order = true,
                               .sizes_in_order = true,
                               .appends_in_order = true,
                               .all_in_order = true,
                               .rename_is_atomic = true,
                               .grows_with_content = true,
                               .whole_bytes = page_bytes};

const crash_model strict_sync{.name = "strict_sync", .keeps = crash_model::unsynced::none};

const crash_model process_crash{.name = "process_crash", .keeps = crash_model::unsynced::all};

const std::vector<const crash_model*>& crash_models() {
  static const std::vector<const crash_model*> all = {&weakest,        &ext4_ordered, &btrfs_like,  &ext3_ordered,
                                                      &ext3_writeback, &data_journal, &strict_sync, &process_crash};
  return all;
}

std::string objection_to(const crash_model& model) {
  if (std::has_single_bit(model.whole_bytes)) return {};
  return fmt::format(
      "`whole_bytes` of the model \"{}\" is {}; make it what a disk writes as a whole, such as 512 or 4096", model.name,
      model.whole_bytes);
}

const crash_model* find_crash_model(std::string_view name) {
  for (const crash_model* each : crash_models()) {
    if (each->name == name) return each;
  }
  return nullptr;
}

}  // namespace lockstep::sim
