// The images that a model leaves of small random workloads are those of its definition: here each set of parts of
// changes is tried, and judged by rules that say which part needs which.
//
// LOCKSTEP_CRASH_IMAGES=20000,120 tries so many workloads, from seed 120.
#include "crash_workload.hpp"

#include <lockstep/base/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using crash_workload::change;
using crash_workload::file_kind;
using crash_workload::history;
using crash_workload::sync_point;

// -- the definition ---------------------------------------------------------------------------------------------------

// A piece of what was written, the size that it made, or all of another change.
struct part {
  std::size_t of;
  bool is_size = false;
  bool is_appended = false;  // beyond the size before
  std::uint64_t begin = 0;   // of a piece
  std::uint64_t end = 0;

  bool is_piece() const { return end != 0; }
};

using part_set = std::uint64_t;
part_set only(std::size_t p) { return part_set{1} << p; }

class definition {
 public:
  // As if what is counted as `without` had not been done.
  definition(const history& happened, const crash_model& model, std::string_view without = {})
      : happened_(happened), model_(model), without_(without), dropped_(happened.changes.size()) {
    find_dropped();
    for (std::size_t i = 0; i < happened.changes.size(); ++i) {
      if (!is_left_out(happened.changes[i].counted) && !is_reverted(i)) add_parts(i);
    }
    for (const sync_point& each : happened.syncs) {
      if (!each.fails && !is_left_out(each.counted)) make_durable(each);
    }
    needs_.resize(parts_.size());
    needed_.resize(parts_.size());
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      for (std::size_t q = 0; q < parts_.size(); ++q) {
        if (p == q || !needs(p, q)) continue;
        needs_[p] |= only(q);
        if (parts_[p].of != parts_[q].of) needed_[q] |= only(p);
      }
    }
    close(durable_);
  }

  std::size_t free_parts() const { return parts_.size() - static_cast<std::size_t>(std::popcount(durable_)); }

  std::set<std::string> images() const {
    std::set<std::string> found;
    if (model_.keeps == crash_model::unsynced::none) return {image(durable_, 0, 0)};
    std::vector<std::size_t> open;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if ((durable_ & only(p)) == 0) open.push_back(p);
    }
    for (std::uint64_t subset = 0; subset < std::uint64_t{1} << open.size(); ++subset) {
      part_set kept = durable_;
      for (std::size_t i = 0; i < open.size(); ++i) kept |= (subset >> i & 1) << open[i];
      part_set closed = kept;
      close(closed);
      if (closed == kept) add_images(found, kept);
    }
    return found;
  }

 private:
  bool is_left_out(std::string_view counted) const { return !counted.empty() && counted == without_; }
  const change& of(std::size_t p) const { return happened_.changes[parts_[p].of]; }
  static bool is_name(const change& what) {
    return what.what == change::kind::name || what.what == change::kind::unname;
  }
  static bool is_of_metadata(const change& what) { return is_name(what) || what.what == change::kind::attributes; }
  static bool is_in_order_with_names(const change& what) {
    return is_of_metadata(what) || what.what == change::kind::resize || what.what == change::kind::set_aside;
  }
  static bool grows(const change& what) { return what.after > what.before; }
  static bool cuts(const change& what) { return what.what == change::kind::resize && what.after < what.before; }

  // What was written before a sync that failed, and by none that did not.
  void find_dropped() {
    for (std::size_t i = 0; i < happened_.changes.size(); ++i) {
      const change& what = happened_.changes[i];
      if (!is_write(i) || (what.is_of_clean && !is_of_all(i))) continue;
      for (const sync_point& each : happened_.syncs) {
        if (each.file != what.file || each.after <= i || each.reverts || is_left_out(each.counted)) continue;
        dropped_[i] = each.fails ? &each : nullptr;
        break;
      }
    }
  }
  bool is_write(std::size_t i) const { return happened_.changes[i].what == change::kind::write; }
  // Of what is in a file, it is neither in memory nor on the disk since a sync that failed.
  bool is_reverted(std::size_t i) const {
    const change& what = happened_.changes[i];
    if (is_of_metadata(what)) return false;
    for (const sync_point& each : happened_.syncs) {
      if (each.file == what.file && each.after > i && !is_left_out(each.counted)) return each.reverts;
    }
    return false;
  }
  // The first write to a page that a sync has failed to write makes all of it dirty. All files here have one page.
  bool is_of_all(std::size_t i) const {
    bool is_clean = false;
    for (const sync_point& each : happened_.syncs) {
      if (!each.fails || is_left_out(each.counted) || each.file != happened_.changes[i].file || each.after > i)
        continue;
      if (std::find(dropped_.begin(), dropped_.end(), &each) != dropped_.end()) is_clean = true;
      if (has_write(each.file, each.after, i)) is_clean = false;
    }
    return is_clean;
  }
  bool has_write(int file, std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin; i < end; ++i) {
      if (happened_.changes[i].file == file && is_write(i)) return true;
    }
    return false;
  }

  void add_parts(std::size_t i) {
    const change& what = happened_.changes[i];
    if (what.what != change::kind::write) {
      parts_.push_back({i, what.what == change::kind::resize || grows(what)});
      return;
    }
    if (grows(what) && (!model_.grows_with_content || dropped_[i] != nullptr)) parts_.push_back({i, true});
    if (dropped_[i] != nullptr) return;
    const bool is_of_page = is_of_all(i);
    if (what.is_of_clean && !is_of_page) return;
    const std::uint64_t end = is_of_page ? what.after : what.offset + what.size;
    for (std::uint64_t begin = is_of_page ? 0 : what.offset; begin < end;) {
      const std::uint64_t until = std::min(end, (begin / model_.whole_bytes + 1) * model_.whole_bytes);
      parts_.push_back({i, false, until > what.before, begin, until});
      begin = until;
    }
  }

  bool changes_size(std::size_t p) const {
    return parts_[p].is_size || (parts_[p].is_appended && model_.grows_with_content);
  }
  bool is_in_journal(std::size_t p) const {
    return (model_.names_in_order && is_in_order_with_names(of(p))) || (model_.sizes_in_order && changes_size(p));
  }

  // Whether p is kept only if q is.
  bool needs(std::size_t p, std::size_t q) const {
    const part& one = parts_[p];
    const part& other = parts_[q];
    const change& what = of(p);
    const change& before = of(q);
    if (one.of == other.of) {
      if (model_.grows_with_content) return one.is_appended && q < p;
      return one.is_appended && other.is_size;
    }
    if (model_.rename_is_atomic && what.of_rename && before.of_rename && what.call == before.call) return true;
    if (other.of > one.of) return false;
    if (model_.rename_is_atomic && is_gone_only_after(what, before)) return true;
    if (model_.rename_is_atomic && is_moved_only_after(what, before)) return true;
    const bool same_file = what.file == before.file;
    if (model_.all_in_order) return true;
    if (is_in_journal(p) && is_in_journal(q)) return true;
    if (same_file && in_one_piece(p, q)) return true;
    if (model_.names_before_appends && changes_size(p) && grows(what) && is_in_order_with_names(before)) return true;
    if (model_.appends_in_order && same_file && changes_size(p) && grows(what) && grows(before)) return true;
    if (model_.data_before_rename && same_file && what.over_another && is_data(before)) return true;
    return model_.overwrites_first && (is_in_order_with_names(what) || changes_size(p)) && overwrites(before);
  }
  static bool is_gone_only_after(const change& what, const change& before) {
    return what.ends_directory && before.moves_out && before.directory == what.file;
  }
  static bool is_moved_only_after(const change& what, const change& before) {
    return what.of_rename && what.what == change::kind::name && before.makes && before.file == what.directory;
  }
  static bool is_data(const change& what) {
    return !is_of_metadata(what) && (what.what != change::kind::set_aside || grows(what));
  }
  static bool overwrites(const change& what) {
    return (what.what == change::kind::write && !grows(what)) || what.what == change::kind::punch;
  }

  // What is written of a piece comes to the disk with what has changed it before, if not all of it was cleared between
  // the two.
  bool in_one_piece(std::size_t p, std::size_t q) const {
    if (!parts_[p].is_piece()) return false;
    const std::uint64_t number = parts_[p].begin / model_.whole_bytes;
    return is_in(q, number) && !is_cleared_between(number, parts_[q].of, parts_[p].of);
  }
  bool is_in(std::size_t q, std::uint64_t number) const {
    if (parts_[q].is_piece()) return parts_[q].begin / model_.whole_bytes == number;
    const change& what = of(q);
    if (!cuts(what) && what.what != change::kind::punch) return false;
    const std::uint64_t begin = std::max(cuts(what) ? what.after : 0, number * model_.whole_bytes);
    return begin < std::min(what.before, (number + 1) * model_.whole_bytes);
  }
  // A hole is of the page, which is all that there is.
  bool clears_all(const change& what, std::uint64_t number) const {
    if (what.what == change::kind::punch) return number * model_.whole_bytes < what.before;
    return cuts(what) && what.after <= number * model_.whole_bytes;
  }
  bool is_cleared_between(std::uint64_t number, std::size_t earlier, std::size_t later) const {
    for (std::size_t i = earlier + 1; i < later; ++i) {
      const change& between = happened_.changes[i];
      if (between.file == happened_.changes[later].file && !is_left_out(between.counted) && clears_all(between, number))
        return true;
    }
    return false;
  }

  // -- what a sync has made durable -----------------------------------------------------------------------------------

  void make_durable(const sync_point& sync) {
    std::size_t committed = 0;  // so many changes
    for (std::size_t p = 0; p < parts_.size() && parts_[p].of < sync.after; ++p) {
      const change& what = of(p);
      const bool of_file = what.file == sync.file && !is_name(what);
      if (of_file && sync.data_only && what.what == change::kind::attributes) continue;
      const bool of_directory = is_name(what) && what.directory == sync.file;
      const bool of_names = is_name(what) && what.file == sync.file;
      const bool of_names_above =
          is_name(what) && std::find(sync.above.begin(), sync.above.end(), what.file) != sync.above.end();
      const bool waits = (of_file || of_directory || of_names) && (own_ & only(p)) == 0;
      if (waits && !(sync.data_only && fdatasync_leaves_out(what))) committed = parts_[p].of + 1;
      if (of_file || of_directory) own_ |= only(p);
      if (of_file || of_directory || ((of_names || of_names_above) && model_.sync_keeps_names)) durable_ |= only(p);
    }
    forget_gone(sync);
    if (!model_.sync_commits) return;
    for (std::size_t p = 0; p < parts_.size() && parts_[p].of < committed; ++p) {
      if (model_.all_in_order || is_of_metadata(of(p)) || is_in_journal(p)) durable_ |= only(p);
    }
  }

  // What need not be on the disk for the bytes to be found there.
  static bool fdatasync_leaves_out(const change& what) {
    if (what.what == change::kind::write) return !grows(what) && !what.is_first_of_page;
    return is_of_metadata(what) && !what.makes;
  }

  // What has no name, in memory and on the disk, nobody waits for, nor for names in it.
  void forget_gone(const sync_point& sync) {
    std::vector<int> all = sync.gone;
    all.insert(all.end(), sync.gone.begin(), sync.gone.end());  // again, as some are in others
    for (const int gone : all) {
      bool is_named = false;
      for (std::size_t p = 0; p < parts_.size() && parts_[p].of < sync.after; ++p) {
        is_named = is_named || (is_name(of(p)) && of(p).file == gone && (own_ & only(p)) == 0);
      }
      for (std::size_t p = 0; !is_named && p < parts_.size() && parts_[p].of < sync.after; ++p) {
        if (is_name(of(p)) ? of(p).directory == gone : of(p).file == gone) own_ |= only(p);
      }
    }
  }

  void close(part_set& kept) const {
    if (model_.keeps == crash_model::unsynced::none) return;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t p = 0; p < parts_.size(); ++p) {
        if ((kept & only(p)) == 0 || (kept & needs_[p]) == needs_[p]) continue;
        kept |= needs_[p];
        changed = true;
      }
    }
  }

  // -- images ---------------------------------------------------------------------------------------------------------

  // What is the last of its order may be garbage; and of what has grown without the content, all that is missing.
  void add_images(std::set<std::string>& found, part_set kept) const {
    part_set may_be_garbage = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const bool is_kept = (kept & only(p)) != 0;
      const bool is_open = is_kept && (durable_ & only(p)) == 0 && (needed_[p] & kept) == 0;
      if (model_.leaves_garbage && parts_[p].is_piece() && is_open) may_be_garbage |= only(p);
      if (of(p).what == change::kind::write && parts_[p].is_size && is_kept && (own_ & only(p)) == 0)
        may_be_garbage |= only(p);
    }
    for (part_set garbage = may_be_garbage;; garbage = (garbage - 1) & may_be_garbage) {
      found.insert(image(kept, garbage, kept));
      if (garbage == 0) return;
    }
  }

  struct left_file {
    std::string attributes{};
    std::string text{};
    bool has_page = false;
  };

  static void fill_with_garbage(left_file& file, std::uint64_t begin, std::uint64_t end) {
    file.has_page = true;
    file.text.resize(std::max<std::size_t>(file.text.size(), end));
    for (std::uint64_t i = 0; i < end - begin; ++i)
      file.text[begin + i] = static_cast<char>(hash_of(begin, i / sizeof(begin)) >> (i % sizeof(begin)));
  }

  void grow(left_file& file, std::size_t p, bool with_garbage, part_set kept) const {
    const std::size_t before = file.text.size();
    file.text.resize(std::max<std::size_t>(before, of(p).after));
    for (std::size_t q = p + 1; with_garbage && q < parts_.size() && parts_[q].of == parts_[p].of; ++q) {
      const std::uint64_t begin = std::max(before, parts_[q].begin);
      if ((kept & only(q)) == 0 && begin < parts_[q].end) fill_with_garbage(file, begin, parts_[q].end);
    }
  }

  void put(left_file& file, std::size_t p, bool is_garbage, part_set kept) const {
    const change& what = of(p);
    switch (what.what) {
      case change::kind::write: {
        const part& piece = parts_[p];
        if (piece.is_size) return grow(file, p, is_garbage, kept);
        if (is_garbage) return fill_with_garbage(file, piece.begin, piece.end);
        file.has_page = true;
        file.text.resize(std::max<std::size_t>(file.text.size(), piece.end));
        file.text.replace(piece.begin, piece.end - piece.begin, what.memory, piece.begin, piece.end - piece.begin);
        return;
      }
      case change::kind::resize:
        file.has_page = file.has_page && what.after != 0;
        file.text.resize(what.after);
        return;
      case change::kind::punch:
        file.has_page = false;
        file.text.assign(file.text.size(), '\0');
        return;
      case change::kind::set_aside:
        file.has_page = true;
        if (grows(what)) file.text.resize(std::max<std::size_t>(file.text.size(), what.after));
        return;
      case change::kind::attributes: file.attributes = what.attributes; return;
      case change::kind::name:
      case change::kind::unname: return;
    }
  }

  std::string image(part_set kept, part_set garbage, part_set of_pieces) const {
    std::map<int, std::map<std::string, int>> names{
        {crash_workload::root_directory, {{"d", crash_workload::kept_directory}}}};
    std::map<int, left_file> files;
    for (std::size_t i = 0; i < happened_.files.size(); ++i)
      files[static_cast<int>(i)].attributes = happened_.files[i].attributes;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if ((kept & only(p)) == 0) continue;
      const change& what = of(p);
      put(files[what.file], p, (garbage & only(p)) != 0, of_pieces);
      if (what.what == change::kind::name) names[what.directory][what.text] = what.file;
      auto& there = names[what.directory];
      if (what.what == change::kind::unname && there.count(what.text) != 0 && there[what.text] == what.file)
        there.erase(what.text);
    }
    std::set<int> met{crash_workload::root_directory};
    if (!model_.names_in_order) keep_one_name(crash_workload::root_directory, names, met);
    std::string made;
    add_directory(made, "/", crash_workload::root_directory, names, files);
    return made;
  }

  // Of a directory with several names the first is kept, where what was found last is gone through first.
  void keep_one_name(int directory, std::map<int, std::map<std::string, int>>& names, std::set<int>& met) const {
    std::vector<int> below;
    for (auto at = names[directory].begin(); at != names[directory].end();) {
      const int file = at->second;
      const bool is_directory = happened_.files[static_cast<std::size_t>(file)].is == file_kind::directory;
      if (is_directory && !met.insert(file).second) {
        at = names[directory].erase(at);
        continue;
      }
      if (is_directory) below.push_back(file);
      ++at;
    }
    for (auto each = below.rbegin(); each != below.rend(); ++each) keep_one_name(*each, names, met);
  }

  void add_directory(std::string& to, const std::string& path, int directory,
                     std::map<int, std::map<std::string, int>>& names, std::map<int, left_file>& files) const {
    for (const auto& [name, file] : names[directory]) {
      const crash_workload::made_file& made = happened_.files[static_cast<std::size_t>(file)];
      const left_file& left = files[file];
      switch (made.is) {
        case file_kind::link: to += fmt::format("{}{}->{} ", path, name, made.target); break;
        case file_kind::file:
          to += crash_workload::line_of(path + name, left.attributes, left.has_page, left.text);
          break;
        case file_kind::directory:
          to += fmt::format("{}{}/ ", path, name);
          add_directory(to, path + name + "/", file, names, files);
          break;
      }
    }
  }

  const history& happened_;
  const crash_model& model_;
  std::string_view without_;
  std::vector<const sync_point*> dropped_;  // by change: which sync has failed to write it
  std::vector<part> parts_;
  std::vector<part_set> needs_;
  std::vector<part_set> needed_;  // by parts of other changes
  part_set durable_ = 0;
  part_set own_ = 0;  // in every model
};

// -- the comparison ---------------------------------------------------------------------------------------------------

void add_tree(std::string& to, const std::string& path, const disk_image& image, const image_file& directory) {
  for (const auto& [name, number] : directory.names) {
    const std::string full = path + name;
    if (full == "/tmp") continue;
    const image_file& file = image.files().at(number);
    if (file.attributes.is_link()) {
      to += fmt::format("{}->{} ", full, file.target);
    } else if (file.attributes.is_directory()) {
      to += full + "/ ";
      add_tree(to, full + "/", image, file);
    } else {
      const auto accessed = std::chrono::floor<std::chrono::seconds>(file.attributes.accessed.time_since_epoch());
      constexpr int calls_max = 100;
      const int touched = accessed.count() < calls_max ? static_cast<int>(accessed.count()) : 0;
      to += crash_workload::line_of(full, crash_workload::text_of_attributes(file.attributes.mode, touched),
                                    file.content.pages() != 0, image.text_of(full));
    }
  }
}

std::set<std::string> images_of_judge(const crash_log& log, const crash_model& model) {
  std::set<std::string> found;
  for_all_answers([&](const crash_chooser& choose) {
    const disk_image image = log.image(model, choose, nullptr);
    std::string text;
    add_tree(text, "/", image, image.files().at(disk_image::root));
    found.insert(text);
  });
  return found;
}

std::string only_in(const std::set<std::string>& one, const std::set<std::string>& other) {
  std::string text;
  for (const std::string& each : one) {
    if (other.count(each) == 0) text += "\n    " + each;
  }
  return text;
}

std::vector<crash_model> models_to_compare() {
  std::vector<crash_model> all;
  for (const crash_model* each : crash_models()) {
    if (each->keeps == crash_model::unsynced::all) continue;
    for (const bool leaves_garbage : {false, true}) {
      if (leaves_garbage && each->keeps == crash_model::unsynced::none) continue;
      crash_model& small = all.emplace_back(*each);
      small.whole_bytes = 2;
      small.leaves_garbage = leaves_garbage;
    }
  }
  return all;
}

class comparison {
 public:
  void try_workload(std::uint64_t seed) {
    constexpr int calls = 7;
    constexpr std::uint64_t models_of_one = 3;
    constexpr std::uint64_t seeds = 4;
    constexpr std::uint64_t seeds_of_write_back = 8;
    in_world([&](system_calls&) {
      constexpr std::size_t few = 5;
      const bool is_full = seed % seeds_of_write_back == 5;
      if (is_full) log_here().set_changes_max(few);
      const history happened = crash_workload::workload(seed).run(calls);
      for (std::uint64_t i = 0; i < models_of_one; ++i) {
        crash_model each = models_[(models_of_one * seed + i) % models_.size()];
        if (seed % seeds == 0) each.sync_commits = false;  // so that orders alone keep what is before a sync
        if (is_full) {
          find_others(seed, happened, each);
        } else {
          compare(seed, happened, each);
        }
      }
    });
  }

  std::size_t compared() const { return compared_; }
  // How often the images would have been others without it.
  const std::map<std::string_view, std::size_t>& mattered() const { return mattered_; }

 private:
  void compare(std::uint64_t seed, const history& happened, const crash_model& model) {
    const definition defined(happened, model);
    const std::size_t parts_max = model.leaves_garbage ? 5 : 7;
    if (defined.free_parts() > parts_max) return;
    ++compared_;
    const std::set<std::string> expected = defined.images();
    const std::set<std::string> found = images_of_judge(log_here(), model);
    EXPECT_TRUE(found == expected) << text_of(seed, happened, model)
                                   << "\n  only in the definition:" << only_in(expected, found)
                                   << "\n  only found:" << only_in(found, expected);
    if (model.leaves_garbage) {
      crash_model without = model;
      without.leaves_garbage = false;
      if (definition(happened, without).images() != expected) ++mattered_["garbage"];
      return;
    }
    for (const std::string_view each : crash_workload::counted_in(happened)) {
      const definition without(happened, model, each);
      constexpr std::size_t parts_max_without = 12;
      if (without.free_parts() <= parts_max_without && without.images() != expected) ++mattered_[each];
    }
  }

  // What a full cache writes back is a choice of which changes are kept, where no sync fails.
  static void find_others(std::uint64_t seed, const history& happened, const crash_model& model) {
    const bool fails =
        std::any_of(happened.syncs.begin(), happened.syncs.end(), [](const auto& each) { return each.fails; });
    if (fails || model.keeps == crash_model::unsynced::none) return;
    const definition defined(happened, model);
    constexpr std::size_t parts_max = 7;
    if (defined.free_parts() > parts_max) return;
    const std::string others = only_in(images_of_judge(log_here(), model), defined.images());
    EXPECT_EQ(others, "") << text_of(seed, happened, model) << "\n  with changes that were written back";
  }

  static std::string text_of(std::uint64_t seed, const history& happened, const crash_model& model) {
    return fmt::format("{}{}, seed {}: {}", model.name, model.leaves_garbage ? " with garbage" : "", seed,
                       crash_workload::text_of(happened));
  }

  std::vector<crash_model> models_ = models_to_compare();
  std::size_t compared_ = 0;
  std::map<std::string_view, std::size_t> mattered_;
};

TEST(CrashImagesTest, AreThoseOfTheDefinition) {
  std::uint64_t workloads = 600;
  std::uint64_t first = 0;
  const char* const wanted = std::getenv("LOCKSTEP_CRASH_IMAGES");
  const bool is_long = wanted != nullptr && std::sscanf(wanted, "%lu,%lu", &workloads, &first) >= 1;
  comparison all;
  for (std::uint64_t seed = first; seed < first + workloads && !HasFailure(); ++seed) all.try_workload(seed);
  if (is_long) {
    fmt::print("{} comparisons\n", all.compared());
    for (const auto& [what, count] : all.mattered()) fmt::print("  {} mattered in {}\n", what, count);
    return;
  }
  EXPECT_GT(all.compared(), 800u);
  for (const char* each :
       {"mkdir", "rmdir", "symlink", "attributes", "punch", "zero range", "fallocate", "failed sync", "synced write",
        "fdatasync", "garbage", "rename of a directory", "failed sync that reverts"}) {
    const auto found = all.mattered().find(each);
    EXPECT_GT(found == all.mattered().end() ? 0 : found->second, 3u) << each;
  }
}

}  // namespace
}  // namespace lockstep::sim
