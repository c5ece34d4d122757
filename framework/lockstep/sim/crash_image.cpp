// What a power cut leaves: which changes of the log a model makes durable, and which of the others are kept.
#include <lockstep/sim/crash_log.hpp>

#include <lockstep/base/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace lockstep::sim {

namespace {

// Pieces of files: ranges of numbers, each by the file and its first one, apart from each other.
class piece_ranges {
 public:
  bool empty() const noexcept { return all_.empty(); }
  bool has(std::uint64_t file, std::uint64_t piece) const { return meets(file, piece, piece + 1); }
  // Whether any is in there.
  bool meets(std::uint64_t file, std::uint64_t begin, std::uint64_t end) const {
    const auto next = all_.lower_bound({file, end});
    if (next == all_.begin()) return false;
    const auto last = std::prev(next);
    return last->first.first == file && last->second > begin;
  }
  void add(std::uint64_t file, std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    remove(file, begin, end);
    all_[{file, begin}] = end;
  }
  void remove(std::uint64_t file, std::uint64_t begin, std::uint64_t end) {
    if (all_.empty() || begin >= end) return;
    auto at = all_.lower_bound({file, begin});
    if (at != all_.begin()) {
      const auto before = std::prev(at);
      if (before->first.first == file && before->second > begin) {
        const std::uint64_t until = std::exchange(before->second, begin);
        if (until > end) all_[{file, end}] = until;
      }
    }
    while (at != all_.end() && at->first.first == file && at->first.second < end) {
      const std::uint64_t until = at->second;
      at = all_.erase(at);
      if (until > end) all_[{file, end}] = until;
    }
  }

 private:
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> all_;  // to the end
};

}  // namespace

// A change that could be lost is judged in two passes. Backwards: what is durable takes with it what the model orders
// before. Forwards: each of the others is kept or not, as picked, as long as what goes before it has been kept.
class crash_judge {
 public:
  // Without `image`, which is what is durable at first, only judges.
  crash_judge(const crash_log& log, const crash_model& model, const change_chooser& choose,
              std::vector<std::string>* lost, disk_image* image)
      : log_(log), model_(model), choose_{choose}, lost_(lost), image_(image) {
    for (std::size_t i = 0; i < log.operations_.size(); ++i) {
      const micro_operation& each = log.operations_[i];
      if (!each.retired) pending_.push_back({&each});
    }
  }

  // Returns what has come to be, see crash_log::outcome().
  std::uint64_t run() {
    judge_all();
    if (lost_ != nullptr) tell_never_written();
    if (image_ != nullptr) {
      image_->repair();
      image_->set_bad(image_->bad());
    }
    return outcome_;
  }

 private:
  void judge_all() {
    if (model_.keeps == crash_model::unsynced::none) return lose_all();
    find_durable();
    const std::size_t at_risk = count_at_risk();
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      forget_cleared(before_.pieces, *pending_[i].what);
      if (pending_[i].what->dropped) tell_lost(*pending_[i].what, "all, as its sync had failed");
      if (i + at_risk < pending_.size() || pending_[i].durable) {
        keep(*pending_[i].what);
      } else {
        decide(i);
      }
    }
  }

  struct item {
    const micro_operation* what;
    bool durable = false;       // wholly
    bool size_durable = false;  // of what grows
    int kept = -1;              // of a group that was decided: 0 or 1
  };

  // What came later in the log, or before it was durable.
  struct later {
    bool any = false;
    bool name = false;  // or attributes, or a truncation
    bool size = false;
    std::set<std::uint64_t> renamed{};  // files
    std::set<std::uint64_t> grown{};
    std::set<std::uint64_t> ended{};  // directories
    std::set<std::uint64_t> moved_into{};
    piece_ranges pieces{};  // that were written
  };
  // What was lost so far.
  struct earlier {
    bool any = false;
    bool name = false;
    bool size = false;
    bool overwrite = false;
    std::set<std::uint64_t> written{};  // files
    std::set<std::uint64_t> grown{};
    std::set<std::uint64_t> made{};  // directories
    std::set<std::uint64_t> moved_out_of{};
    piece_ranges pieces{};  // that were written or cleared
  };

  static bool changes_size(const micro_operation& what) noexcept {
    return what.grows() || what.what == micro_operation::kind::resize;
  }
  // Not space that is set aside, which reads the same.
  static bool is_data(const micro_operation& what) noexcept {
    return what.what != micro_operation::kind::set_aside || what.grows();
  }
  static bool is_content(const micro_operation& what) noexcept {
    return what.what == micro_operation::kind::write || what.what == micro_operation::kind::punch;
  }

  void lose_all() {
    for (const item& each : pending_) tell_lost(*each.what, "");
  }

  // -- what comes to be ---------------------------------------------------------------------------------------------

  enum class effect : std::uint64_t { kept = 1, kept_in_part, garbage, grown };
  void note(effect what, std::uint64_t of, std::uint64_t begin = 0, std::uint64_t end = 0) noexcept {
    outcome_ = hash_of(hash_of(outcome_, hash_of(static_cast<std::uint64_t>(what), of)), hash_of(begin, end));
  }
  void keep(const micro_operation& what) {
    note(effect::kept, what.number);
    if (image_ != nullptr) log_.apply(*image_, what);
  }
  void keep_part(const micro_operation& what, std::uint64_t begin, std::uint64_t end) {
    note(effect::kept_in_part, what.number, begin, end);
    if (image_ != nullptr) crash_log::copy(*image_, what, begin, end);
  }

  // The plain answer is that nothing is lost; otherwise so many of the last changes may be.
  std::size_t count_at_risk() {
    if (pending_.empty()) return 0;
    std::size_t at_risk = static_cast<std::size_t>(choose_("changes at risk", pending_.size() + 1));
    // All of a group is, or nothing.
    const auto group_at = [this](std::size_t i) { return i < pending_.size() ? pending_[i].what->group : 0U; };
    while (at_risk < pending_.size() && at_risk > 0 && group_at(pending_.size() - at_risk) != 0 &&
           group_at(pending_.size() - at_risk) == group_at(pending_.size() - at_risk - 1)) {
      ++at_risk;
    }
    return at_risk;
  }

  // -- pieces -------------------------------------------------------------------------------------------------------

  // What is between two multiples of whole_bytes: the disk gets it as it was in memory at some time. So a part that was
  // written there comes only with what was written, cut off or punched out there before.
  struct piece_range {
    std::uint64_t begin;
    std::uint64_t end;
  };
  std::uint64_t piece_of(const micro_operation& what, std::uint64_t piece) const noexcept {
    return what.offset / model_.whole_bytes + piece;
  }
  std::uint64_t pieces_up_to(std::uint64_t bytes) const noexcept {
    return (bytes + model_.whole_bytes - 1) / model_.whole_bytes;
  }
  static bool clears(const micro_operation& what) noexcept {
    return what.what == micro_operation::kind::punch ||
           (what.what == micro_operation::kind::resize && what.after < what.before);
  }
  // In which it clears something.
  piece_range cleared_by(const micro_operation& what) const noexcept {
    if (what.what == micro_operation::kind::resize) return {what.after / model_.whole_bytes, pieces_up_to(what.before)};
    if (what.offset >= what.before) return {0, 0};
    return {what.offset / model_.whole_bytes, pieces_up_to(std::min(what.offset + what.size, what.before))};
  }
  // Of which nothing is left: what is written there later is all that is in memory.
  void forget_cleared(piece_ranges& from, const micro_operation& what) const {
    if (!clears(what) || from.empty()) return;
    if (what.what == micro_operation::kind::resize) {
      from.remove(what.file, pieces_up_to(what.after), ~std::uint64_t{0});
      return;
    }
    from.remove(what.file, what.offset / model_.whole_bytes, (what.offset + what.size) / model_.whole_bytes);
  }
  // How many of a write's may not come to the disk, as something is missing there.
  std::uint64_t count_behind(const micro_operation& what) const {
    const std::uint64_t pieces = count_pieces(what);
    if (!before_.pieces.meets(what.file, piece_of(what, 0), piece_of(what, pieces))) return 0;
    std::uint64_t count = 0;
    for (std::uint64_t piece = 0; piece < pieces; ++piece) {
      count += before_.pieces.has(what.file, piece_of(what, piece)) ? 1 : 0;
    }
    return count;
  }
  // Whether something that is durable was written later where this has changed it.
  bool is_under(const piece_ranges& durable, const micro_operation& what) const {
    if (durable.empty() || what.dropped) return false;
    if (clears(what)) return durable.meets(what.file, cleared_by(what).begin, cleared_by(what).end);
    return what.what == micro_operation::kind::write &&
           durable.meets(what.file, piece_of(what, 0), piece_of(what, count_pieces(what)));
  }
  void note_pieces_lost(const micro_operation& what, const std::vector<bool>& kept) {
    for (std::uint64_t piece = 0; piece < count_pieces(what); ++piece) {
      if (piece >= kept.size() || !kept[piece])
        before_.pieces.add(what.file, piece_of(what, piece), piece_of(what, piece) + 1);
    }
  }

  // -- backwards ----------------------------------------------------------------------------------------------------

  void find_durable() {
    later after;
    for (std::size_t i = pending_.size(); i-- > 0;) {
      item& each = pending_[i];
      judge(each, after);
      const micro_operation& what = *each.what;
      if (is_under(after.pieces, what)) each.durable = true;
      forget_cleared(after.pieces, what);
      if (!each.durable && model_.rename_is_atomic && what.group != 0) each.durable = partner_is_durable(i, after);
      if (what.dropped && each.size_durable) each.durable = true;
      if (each.durable) each.size_durable = changes_size(what);
      if (each.durable) after.any = true;
      if (each.durable && what.is_in_order_with_names()) after.name = true;
      if (each.size_durable) after.size = true;
      if (each.size_durable && what.grows()) after.grown.insert(what.file);
      if (each.durable && what.over_another) after.renamed.insert(what.file);
      if (each.durable && what.ends_directory()) after.ended.insert(what.file);
      if (each.durable && what.moves_in()) after.moved_into.insert(what.directory);
      if (each.durable && what.what == micro_operation::kind::write && !model_.all_in_order) {
        if (!what.dropped) after.pieces.add(what.file, piece_of(what, 0), piece_of(what, count_pieces(what)));
      }
    }
  }

  bool partner_is_durable(std::size_t i, const later& after) const {
    const std::uint32_t group = pending_[i].what->group;
    if (pending_[i].what->partner_retired) return true;
    for (std::size_t other = i + 1; other < pending_.size() && pending_[other].what->group == group; ++other) {
      if (pending_[other].durable) return true;
    }
    // One before may be by itself: by the sync of its file.
    for (std::size_t other = i; other-- > 0 && pending_[other].what->group == group;) {
      if (is_synced(*pending_[other].what) || is_under_a_move(*pending_[other].what, after)) return true;
    }
    return false;
  }

  bool is_synced(const micro_operation& what) const noexcept {
    const crash_log::file_state* const state = log_.state_of(what.file);
    if (what.is_name() && model_.sync_keeps_names && state != nullptr && what.number < state->names_synced) return true;
    return what.is_of_metadata() && model_.sync_commits && what.number <= log_.committed_;
  }

  // A rename that is not torn leaves the file in a directory that is there: one that was moved out of is not gone
  // before that, nor is what was moved into not yet made.
  bool is_under_a_move(const micro_operation& what, const later& after) const {
    if (!model_.rename_is_atomic || !(what.moves || what.makes_directory())) return false;
    const std::uint64_t directory = what.moves ? what.directory : what.file;
    const crash_log::file_state* const state = log_.state_of(directory);
    if (what.moves) return after.ended.count(directory) != 0 || (state != nullptr && state->removed);
    return after.moved_into.count(directory) != 0 || (state != nullptr && state->holds_moved);
  }

  void judge(item& each, const later& after) const {
    const micro_operation& what = *each.what;
    const std::uint64_t number = what.number;
    const bool commits = model_.sync_commits && number <= log_.committed_;
    const bool size_later = after.size || number < log_.last_size_;
    const bool name_later = after.name || number < log_.last_name_ || (model_.names_before_appends && size_later);
    const bool in_journal = (model_.names_in_order && name_later) || (model_.sizes_in_order && size_later);
    each.durable = model_.all_in_order && (after.any || number < log_.last_durable_ || commits);
    if (what.is_of_metadata()) {
      each.durable = each.durable || is_synced(what) || is_under_a_move(what, after) ||
                     (model_.names_in_order && name_later) ||
                     (model_.names_in_order && model_.sizes_in_order && in_journal);
      return;
    }
    const crash_log::file_state* const state = log_.state_of(what.file);
    const bool renamed_later = after.renamed.count(what.file) != 0 || (state != nullptr && number < state->renamed);
    if (model_.data_before_rename && renamed_later && is_data(what)) each.durable = true;
    if (model_.names_in_order && what.is_in_order_with_names() && (in_journal || commits)) each.durable = true;
    const bool grown_later = model_.appends_in_order && what.grows() && after.grown.count(what.file) != 0;
    if (changes_size(what)) {
      each.size_durable =
          each.durable || grown_later || (model_.sizes_in_order && (in_journal || name_later || commits));
    }
    if (!is_content(what)) {
      each.durable = each.durable || each.size_durable;
      return;
    }
    each.durable = each.durable || grown_later || (model_.grows_with_content && each.size_durable) ||
                   (model_.overwrites_first && !what.grows() && (name_later || size_later));
  }

  // -- forwards -----------------------------------------------------------------------------------------------------

  bool may_keep_in_order() const {
    if (model_.all_in_order && before_.any) return false;
    if (model_.names_in_order && before_.name) return false;
    if (model_.names_in_order && model_.sizes_in_order && before_.size) return false;
    return !(model_.overwrites_first && before_.overwrite);
  }
  bool may_keep_metadata(const micro_operation& what) const {
    if (!may_keep_in_order()) return false;
    if (model_.rename_is_atomic && what.ends_directory() && before_.moved_out_of.count(what.file) != 0) return false;
    if (model_.rename_is_atomic && what.moves_in() && before_.made.count(what.directory) != 0) return false;
    return !(model_.data_before_rename && what.over_another && before_.written.count(what.file) != 0);
  }
  bool may_keep_size(const micro_operation& what) const {
    if (model_.all_in_order && before_.any) return false;
    if (model_.sizes_in_order && (before_.size || (model_.names_in_order && before_.name))) return false;
    if (model_.names_before_appends && what.grows() && before_.name) return false;
    if (model_.overwrites_first && before_.overwrite) return false;
    return !(model_.appends_in_order && what.grows() && before_.grown.count(what.file) != 0);
  }
  bool may_keep_content() const { return !(model_.all_in_order && before_.any); }

  void decide(std::size_t i) {
    item& each = pending_[i];
    const micro_operation& what = *each.what;
    choose_.change = what.number;
    if (what.is_of_metadata()) return decide_metadata(i);
    if (what.what != micro_operation::kind::write) return decide_whole(each);
    if (what.dropped) return decide_dropped(each);
    decide_write(each);
  }

  // Of a group that is atomic, the first decides.
  void decide_metadata(std::size_t i) {
    item& each = pending_[i];
    if (each.kept < 0) {
      const bool joined = model_.rename_is_atomic && each.what->group != 0;
      std::size_t end = i + 1;
      while (joined && end < pending_.size() && pending_[end].what->group == each.what->group) ++end;
      bool may = true;
      for (std::size_t at = i; at < end; ++at) may = may && may_keep_metadata(*pending_[at].what);
      const int kept = may && choose_("a change of names is lost", 2) == 0 ? 1 : 0;
      for (std::size_t at = i; at < end; ++at) pending_[at].kept = kept;
    }
    if (each.kept == 1) return keep(*each.what);
    before_.any = before_.name = true;
    if (each.what->moves) before_.moved_out_of.insert(each.what->directory);
    if (each.what->makes_directory()) before_.made.insert(each.what->file);
    tell_lost(*each.what, "");
  }

  // What has no pieces.
  void decide_whole(item& each) {
    const micro_operation& what = *each.what;
    const bool may = may_keep_content() && (!changes_size(what) || may_keep_size(what)) &&
                     (!what.is_in_order_with_names() || may_keep_in_order());
    if (may && choose_("a change of a file is lost", 2) == 0) return keep(what);
    note_lost(what, changes_size(what));
    if (clears(what)) before_.pieces.add(what.file, cleared_by(what).begin, cleared_by(what).end);
    tell_lost(what, "");
  }

  void note_lost(const micro_operation& what, bool with_size) {
    before_.any = true;
    if (what.is_in_order_with_names()) before_.name = true;
    if (!is_data(what)) return;
    before_.written.insert(what.file);
    if (is_content(what) && !what.grows()) before_.overwrite = true;
    if (what.grows()) before_.grown.insert(what.file);
    if (with_size) before_.size = true;
  }

  // Of what a sync has failed to write there is only the size.
  void decide_dropped(item& each) {
    const micro_operation& what = *each.what;
    if (!what.grows()) return;
    if (may_keep_content() && may_keep_size(what) && choose_("a size is lost", 2) == 0) return keep(what);
    note_lost(what, true);
  }

  void decide_write(item& each) {
    const micro_operation& what = *each.what;
    const bool may_grow = !what.grows() || each.size_durable || may_keep_size(what);
    const bool may = may_keep_content() && (may_grow || !model_.grows_with_content);
    const bool has_size = what.grows() && !model_.grows_with_content;
    const bool has_pieces = count_pieces(what) > 1 || has_size || model_.leaves_garbage;
    const std::uint64_t behind = count_behind(what);
    // 0: all of it, 1: nothing, 2: some.
    std::uint64_t kept = 1;
    if (may && may_grow && behind == 0) {
      kept = choose_("a write is lost", has_pieces ? 3 : 2);
    } else if (may_keep_content() && (behind < count_pieces(what) || has_size) &&
               ((may && may_grow && has_pieces) || what.before > what.offset)) {
      kept = choose_("a write is lost", 2) == 0 ? 2 : 1;
    }
    if (kept == 0) return keep(what);
    if (kept == 2) return keep_some(each, may_grow);
    note_lost(what, what.grows() && !each.size_durable);
    note_pieces_lost(what, {});
    if (each.size_durable) grow(what, {});
    tell_lost(what, "");
  }

  std::uint64_t begin_of(const micro_operation& what, std::uint64_t piece) const noexcept {
    const std::uint64_t first = what.offset / model_.whole_bytes;
    return std::max(what.offset, (first + piece) * model_.whole_bytes);
  }
  std::uint64_t count_pieces(const micro_operation& what) const noexcept {
    const std::uint64_t end = what.offset + what.size;
    return (end + model_.whole_bytes - 1) / model_.whole_bytes - what.offset / model_.whole_bytes;
  }

  void keep_some(item& each, bool may_grow) {
    const micro_operation& what = *each.what;
    const std::uint64_t pieces = count_pieces(what);
    const std::uint64_t end = what.offset + what.size;
    bool grows = false;
    if (what.grows() && !model_.grows_with_content) {
      grows = each.size_durable || (may_grow && choose_("a size is lost", 2) == 0);
    }
    std::vector<bool> kept(pieces);
    std::vector<bool> garbage(pieces);
    bool all_before = true;
    bool grows_by_garbage = false;
    for (std::uint64_t piece = 0; piece < pieces; ++piece) {
      const std::uint64_t until = std::min(end, begin_of(what, piece + 1));
      const bool appended = until > what.before;
      const bool is_behind = before_.pieces.has(what.file, piece_of(what, piece));
      const bool can = !is_behind && (!appended || (model_.grows_with_content ? may_grow && all_before : grows));
      const std::uint64_t chosen =
          can ? choose_("a piece of a write is lost", model_.leaves_garbage ? 3 : 2) : std::uint64_t{1};
      garbage[piece] = chosen == 2;
      kept[piece] = chosen != 1;
      all_before = all_before && kept[piece];
      grows_by_garbage = grows_by_garbage || (garbage[piece] && appended && model_.grows_with_content);
    }
    const bool has_size = !what.grows() || grows || (model_.grows_with_content && all_before);
    // What follows in an order waits for garbage as for what is lost.
    std::vector<bool> good(pieces);
    for (std::uint64_t piece = 0; piece < pieces; ++piece) good[piece] = kept[piece] && !garbage[piece];
    const bool all_good = std::find(good.begin(), good.end(), false) == good.end();
    if (has_size && all_good) return keep(what);
    note_pieces_lost(what, good);
    note_lost(what, !has_size || grows_by_garbage);
    if (grows) grow(what, kept);
    for (std::uint64_t piece = 0; piece < pieces; ++piece) {
      const std::uint64_t begin = begin_of(what, piece);
      while (good[piece] && piece + 1 < pieces && good[piece + 1]) ++piece;  // a bad sector is good by all of it
      const std::uint64_t until = std::min(end, begin_of(what, piece + 1));
      if (garbage[piece]) {
        fill_with_garbage(what.file, begin, until);
      } else if (kept[piece]) {
        keep_part(what, begin, until);
      }
    }
    if (lost_ != nullptr) tell_lost(what, lost_of(what, kept, garbage));
  }

  // Those in a row as one: "1024 at 512, 100 at 2048 as garbage".
  std::string lost_of(const micro_operation& what, const std::vector<bool>& kept,
                      const std::vector<bool>& garbage) const {
    std::string lost;
    for (std::uint64_t piece = 0; piece < kept.size(); ++piece) {
      if (kept[piece] && !garbage[piece]) continue;
      const std::uint64_t begin = begin_of(what, piece);
      const auto is_likewise = [&](std::uint64_t next) {
        return kept[next] == kept[piece] && garbage[next] == garbage[piece];
      };
      while (piece + 1 < kept.size() && is_likewise(piece + 1)) ++piece;
      const std::uint64_t until = std::min(what.offset + what.size, begin_of(what, piece + 1));
      lost += fmt::format("{}{} at {}{}", lost.empty() ? "" : ", ", until - begin, begin,
                          garbage[piece] ? " as garbage" : "");
    }
    return lost.empty() ? "its size" : lost;
  }

  // The size without the content: zeros, or what was on the disk before.
  void grow(const micro_operation& what, const std::vector<bool>& kept) {
    const bool is_garbage = choose_("a tail is garbage", 2) != 0;
    note(effect::grown, what.number, is_garbage ? 1 : 0);
    if (image_ == nullptr) return;
    file_content& content = image_->file(what.file).content;
    const std::uint64_t before = content.size();
    content.set_size(std::max(before, what.after));
    if (!is_garbage) return;
    std::uint64_t begin = std::max(before, what.offset);
    while (begin < what.offset + what.size) {
      const std::uint64_t piece = begin / model_.whole_bytes - what.offset / model_.whole_bytes;
      const std::uint64_t until = std::min(what.offset + what.size, begin_of(what, piece + 1));
      if (piece >= kept.size() || !kept[piece]) fill_with_garbage(what.file, begin, until);
      begin = until;
    }
  }

  void fill_with_garbage(std::uint64_t file, std::uint64_t begin, std::uint64_t end) {
    note(effect::garbage, file, begin, end);
    if (image_ == nullptr) return;
    std::string bytes(static_cast<std::size_t>(end - begin), '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(hash_of(begin, i / sizeof(begin)) >> (i % sizeof(begin)));
    image_->file(file).content.write(image_->pages(), bytes.data(), bytes.size(), begin);
  }

  // What a sync has failed to write, where a later one has taken it for clean.
  void tell_never_written() {
    const auto is_told = [this](std::uint64_t file) {
      return std::any_of(pending_.begin(), pending_.end(),
                         [file](const item& each) { return each.what->dropped && each.what->file == file; });
    };
    for (std::uint64_t file = 0; file < log_.states_.size(); ++file) {
      const crash_log::file_state* const state = log_.state_of(file);
      if (state == nullptr || state->clean == nullptr || is_told(file)) continue;
      for (auto page = state->clean->begin(); page != state->clean->end();) {
        const std::uint64_t first = *page;
        std::uint64_t end = first;
        while (page != state->clean->end() && *page == end) ++page, ++end;
        lost_->push_back(fmt::format("what was written to {} from {} to {}, as its sync had failed",
                                     crash_log::path_of(file, names()), first * page_bytes, end * page_bytes));
      }
    }
  }

  const crash_log::name_map& names() {
    if (!names_) names_ = log_.names();
    return *names_;
  }

  void tell_lost(const micro_operation& what, const std::string& pieces) {
    if (lost_ == nullptr || (what.dropped && pieces.empty())) return;  // that was told
    const std::string text = crash_log::text_of(what, names());
    lost_->push_back(pieces.empty() ? text : fmt::format("{}, of which {}", text, pieces));
  }

  const crash_log& log_;
  const crash_model& model_;
  struct asking {
    const change_chooser& by;
    std::uint64_t change = 0;
    std::uint64_t operator()(std::string_view what, std::uint64_t options) const { return by(what, options, change); }
  };
  asking choose_;
  std::vector<std::string>* lost_;
  std::optional<crash_log::name_map> names_;  // for what is told
  disk_image* image_;
  std::uint64_t outcome_ = 0;
  std::vector<item> pending_;
  earlier before_;
};

disk_image crash_log::image(const crash_model& model, const change_chooser& choose,
                            std::vector<std::string>* lost) const {
  disk_image made = durable_;
  crash_judge(*this, model, choose, lost, &made).run();
  return made;
}

disk_image crash_log::image(const crash_model& model, const crash_chooser& choose,
                            std::vector<std::string>* lost) const {
  const change_chooser of_any_change = [&choose](std::string_view what, std::uint64_t options, std::uint64_t) {
    return choose(what, options);
  };
  return image(model, of_any_change, lost);
}

std::uint64_t crash_log::outcome(const crash_model& model, const crash_chooser& choose) const {
  const change_chooser of_any_change = [&choose](std::string_view what, std::uint64_t options, std::uint64_t) {
    return choose(what, options);
  };
  return crash_judge(*this, model, of_any_change, nullptr, nullptr).run();
}

}  // namespace lockstep::sim
