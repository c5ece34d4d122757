// The images that a model leaves of small random workloads are those of its definition: here each set of parts of
// changes is tried, and judged by rules that say which part needs which.
#include "all_images.hpp"

#include <lockstep/base/hash.hpp>

#include <fmt/format.h>

#include <linux/fs.h>

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

// What the workload has done, as the definition sees it.
struct change {
  enum class kind { write, resize, name, unname };
  kind what{};
  int file = 0;
  std::string path{};  // of a name: "/a" or "/d/a"
  std::uint64_t offset = 0;
  std::string text{};
  std::uint64_t before = 0;  // the file's size
  std::uint64_t after = 0;
  int call = 0;  // which call it was of
  bool over_another = false;
  bool of_rename = false;
};

// A sync of a file or of a directory, after so many changes.
struct sync_point {
  std::size_t after;
  int file = -1;
  std::string directory{};
};

struct history {
  std::vector<change> changes;
  std::vector<sync_point> syncs;
};

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

// -- the workload -----------------------------------------------------------------------------------------------------

class workload {
 public:
  explicit workload(std::uint64_t seed) : draws_(seed, 1) {
    make_directory("/d");
    sync_path("/");
    sync_path("/d");
  }

  history run(int calls) {
    for (call_ = 0; call_ < calls; ++call_) step();
    return std::move(made_);
  }

 private:
  std::uint64_t draw(std::uint64_t options) { return bounded(draws_[drawn_++], options); }
  std::string any_path() {
    static const std::array<const char*, 3> paths = {"/a", "/b", "/d/a"};
    return paths[draw(paths.size())];
  }
  std::optional<std::string> any_name() {
    if (names_.empty()) return std::nullopt;
    auto at = names_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(draw(names_.size())));
    return at->first;
  }

  void step() {
    const std::optional<std::string> path = any_name();
    const std::uint64_t what = draw(10);
    if (!path || what == 0) return create(any_path());
    switch (what) {
      case 1:
      case 2:
      case 3: return write(*path);
      case 4: return resize(*path);
      case 5: return rename(*path, any_path());
      case 6: return remove(*path);
      case 7: return link(*path, any_path());
      case 8: return exchange(*path, *any_name());
      default: return sync(*path);
    }
  }

  void add(change::kind what, int of, const std::string& path) {
    change made{what, of, path};
    made.call = call_;
    made_.changes.push_back(made);
  }

  void create(const std::string& path) {
    if (names_.count(path) != 0) return;
    write_file(path, "");
    names_[path] = static_cast<int>(texts_.size());
    texts_.emplace_back();
    add(change::kind::name, names_[path], path);
  }

  void write(const std::string& path) {
    std::string& now = texts_[static_cast<std::size_t>(names_.at(path))];
    const std::uint64_t offset = draw(now.size() + 1);
    const std::string text(1 + draw(5), static_cast<char>('a' + call_));
    write_file(path, text, static_cast<std::int64_t>(offset));
    add(change::kind::write, names_.at(path), path);
    change& made = made_.changes.back();
    made.offset = offset;
    made.text = text;
    made.before = now.size();
    if (now.size() < offset + text.size()) now.resize(offset + text.size());
    now.replace(offset, text.size(), text);
    made.after = now.size();
  }

  void resize(const std::string& path) {
    std::string& now = texts_[static_cast<std::size_t>(names_.at(path))];
    const std::uint64_t size = draw(8);
    if (size == now.size()) return;
    EXPECT_EQ(here().truncate(path.c_str(), static_cast<std::int64_t>(size)), 0);
    add(change::kind::resize, names_.at(path), path);
    made_.changes.back().before = now.size();
    made_.changes.back().after = size;
    now.resize(size);
  }

  void add_half(change::kind what, int of, const std::string& path, bool over_another = false) {
    add(what, of, path);
    made_.changes.back().of_rename = true;
    made_.changes.back().over_another = over_another;
  }

  // Of one file to itself it does nothing.
  void rename(const std::string& from, const std::string& to) {
    const int moved = names_.at(from);
    const auto replaced = names_.find(to);
    const bool over_another = replaced != names_.end();
    if (over_another && replaced->second == moved) return;
    rename_path(from, to);
    if (over_another) add_half(change::kind::unname, replaced->second, to);
    add_half(change::kind::unname, moved, from);
    add_half(change::kind::name, moved, to, over_another);
    names_[to] = moved;
    names_.erase(from);
  }

  void exchange(const std::string& one, const std::string& other) {
    const int first = names_.at(one);
    const int second = names_.at(other);
    if (first == second) return;
    EXPECT_EQ(here().renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE), 0);
    add_half(change::kind::unname, first, one);
    add_half(change::kind::unname, second, other);
    add_half(change::kind::name, second, one, true);
    add_half(change::kind::name, first, other, true);
    std::swap(names_.at(one), names_.at(other));
  }

  void link(const std::string& from, const std::string& to) {
    if (names_.count(to) != 0) return;
    EXPECT_EQ(here().linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0), 0);
    names_[to] = names_.at(from);
    add(change::kind::name, names_[to], to);
  }

  void remove(const std::string& path) {
    EXPECT_EQ(here().unlinkat(AT_FDCWD, path.c_str(), 0), 0);
    add(change::kind::unname, names_.at(path), path);
    names_.erase(path);
  }

  void sync(const std::string& path) {
    if (draw(2) == 0) {
      sync_path(path);
      made_.syncs.push_back({made_.changes.size(), names_.at(path)});
    } else {
      const std::string directory = directory_of(path);
      sync_path(directory);
      made_.syncs.push_back({made_.changes.size(), -1, directory});
    }
  }

  draws draws_;
  std::uint64_t drawn_ = 0;
  history made_;
  std::map<std::string, int> names_;
  std::vector<std::string> texts_;  // by file
  int call_ = 0;
};

// -- the definition ---------------------------------------------------------------------------------------------------

// A piece of what was written, the size that it made, or all of another change.
struct part {
  std::size_t of;
  bool is_size = false;
  bool is_appended = false;  // beyond the size before
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

class definition {
 public:
  definition(const history& happened, const crash_model& model) : happened_(happened), model_(model) {
    for (std::size_t i = 0; i < happened.changes.size(); ++i) add_parts(i);
    needs_.resize(parts_.size());
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      for (std::size_t q = 0; q < parts_.size(); ++q) {
        if (p != q && needs(p, q)) needs_[p] |= std::uint64_t{1} << q;
      }
    }
    for (const sync_point& each : happened.syncs) make_durable(each);
    close(durable_);
  }

  std::size_t free_parts() const { return parts_.size() - static_cast<std::size_t>(std::popcount(durable_)); }

  std::set<std::string> images() const {
    std::set<std::string> found;
    if (model_.keeps == crash_model::unsynced::none) return {image(durable_)};
    std::vector<std::size_t> open;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if ((durable_ >> p & 1) == 0) open.push_back(p);
    }
    for (std::uint64_t subset = 0; subset < std::uint64_t{1} << open.size(); ++subset) {
      std::uint64_t kept = durable_;
      for (std::size_t i = 0; i < open.size(); ++i) kept |= (subset >> i & 1) << open[i];
      std::uint64_t closed = kept;
      close(closed);
      if (closed == kept) found.insert(image(kept));
    }
    return found;
  }

 private:
  const change& of(std::size_t p) const { return happened_.changes[parts_[p].of]; }
  static bool is_name(const change& what) {
    return what.what == change::kind::name || what.what == change::kind::unname;
  }
  bool is_in_order_with_names(const change& what) const {
    return model_.names_in_order && (is_name(what) || what.what == change::kind::resize);
  }
  static bool grows(const change& what) { return what.after > what.before; }

  void add_parts(std::size_t i) {
    const change& what = happened_.changes[i];
    if (what.what != change::kind::write) {
      parts_.push_back({i, what.what == change::kind::resize});
      return;
    }
    if (grows(what) && !model_.grows_with_content) parts_.push_back({i, true});
    const std::uint64_t end = what.offset + what.text.size();
    for (std::uint64_t begin = what.offset; begin < end;) {
      const std::uint64_t until = std::min(end, (begin / model_.whole_bytes + 1) * model_.whole_bytes);
      parts_.push_back({i, false, until > what.before, begin, until});
      begin = until;
    }
  }

  bool changes_size(std::size_t p) const {
    return parts_[p].is_size || (parts_[p].is_appended && model_.grows_with_content);
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
    if (model_.all_in_order) return true;
    const bool in_journal = is_in_order_with_names(what) || (model_.sizes_in_order && changes_size(p));
    const bool other_in_journal = is_in_order_with_names(before) || (model_.sizes_in_order && changes_size(q));
    if (in_journal && other_in_journal) return true;
    const bool same_file = what.file == before.file;
    if (same_file && (in_one_piece(one, other) || is_cut_by(one, other))) return true;
    if (model_.appends_in_order && same_file && changes_size(p) && grows(what) && grows(before)) return true;
    if (model_.data_before_rename && same_file && what.over_another && !is_name(before)) return true;
    return model_.overwrites_first && (is_name(what) || changes_size(p)) && before.what == change::kind::write &&
           !grows(before);
  }

  static bool cuts(const change& what) { return what.what == change::kind::resize && what.after < what.before; }

  // What was written there later comes to the disk with what was written there before, if that was not cut off.
  bool in_one_piece(const part& later, const part& earlier) const {
    if (later.end == 0 || earlier.end == 0) return false;
    const std::uint64_t number = later.begin / model_.whole_bytes;
    return number == earlier.begin / model_.whole_bytes && !is_cut_between(later, earlier);
  }
  // And with what has cut off some of it, if not all of it was cut off since.
  bool is_cut_by(const part& later, const part& earlier) const {
    const change& cut = happened_.changes[earlier.of];
    if (later.end == 0 || !cuts(cut)) return false;
    const std::uint64_t number = later.begin / model_.whole_bytes;
    const bool is_there = cut.after < (number + 1) * model_.whole_bytes && cut.before > number * model_.whole_bytes;
    return is_there && !is_cut_between(later, earlier);
  }
  bool is_cut_between(const part& later, const part& earlier) const {
    const std::uint64_t begin = later.begin / model_.whole_bytes * model_.whole_bytes;
    for (std::size_t i = earlier.of + 1; i < later.of; ++i) {
      const change& between = happened_.changes[i];
      if (cuts(between) && between.after <= begin && between.file == happened_.changes[later.of].file) return true;
    }
    return false;
  }

  void make_durable(const sync_point& sync) {
    bool wrote = false;
    for (std::size_t p = 0; p < parts_.size() && parts_[p].of < sync.after; ++p) {
      const std::uint64_t bit = std::uint64_t{1} << p;
      const change& what = of(p);
      const bool of_file = what.file == sync.file && !is_name(what);
      const bool of_directory = is_name(what) && directory_of(what.path) == sync.directory;
      const bool of_names = is_name(what) && what.file == sync.file;
      if ((of_file || of_directory) && (own_ & bit) == 0) wrote = true;
      if (of_names && (own_ & bit) == 0) wrote = true;
      if (of_file || of_directory) own_ |= bit;
      if (of_file || of_directory || (of_names && model_.sync_keeps_names)) durable_ |= bit;
    }
    if (!wrote || !model_.sync_commits) return;
    for (std::size_t p = 0; p < parts_.size() && parts_[p].of < sync.after; ++p) {
      const bool committed = model_.all_in_order || is_name(of(p)) || is_in_order_with_names(of(p)) ||
                             (model_.sizes_in_order && changes_size(p));
      if (committed) durable_ |= std::uint64_t{1} << p;
    }
  }

  void close(std::uint64_t& kept) const {
    if (model_.keeps == crash_model::unsynced::none) return;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t p = 0; p < parts_.size(); ++p) {
        if ((kept >> p & 1) == 0 || (kept & needs_[p]) == needs_[p]) continue;
        kept |= needs_[p];
        changed = true;
      }
    }
  }

  std::string image(std::uint64_t kept) const {
    std::map<std::string, int> names;
    std::map<int, std::string> files;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if ((kept >> p & 1) == 0) continue;
      const change& what = of(p);
      std::string& text = files[what.file];
      if (what.what == change::kind::name) names[what.path] = what.file;
      if (what.what == change::kind::unname && names.count(what.path) != 0 && names[what.path] == what.file) {
        names.erase(what.path);
      }
      if (what.what == change::kind::resize) text.resize(what.after);
      if (what.what != change::kind::write) continue;
      if (parts_[p].is_size) {
        text.resize(std::max<std::size_t>(text.size(), what.after));
        continue;
      }
      text.resize(std::max<std::size_t>(text.size(), parts_[p].end));
      text.replace(parts_[p].begin, parts_[p].end - parts_[p].begin, what.text, parts_[p].begin - what.offset,
                   parts_[p].end - parts_[p].begin);
    }
    std::string made = "";
    names.emplace("/d/", -1);
    for (const auto& [path, file] : names) {
      made += (made.empty() ? "" : " ") + path;
      if (file >= 0) made += "=" + files[file];
    }
    return made;
  }

  const history& happened_;
  const crash_model& model_;
  std::vector<part> parts_;
  std::vector<std::uint64_t> needs_;
  std::uint64_t durable_ = 0;
  std::uint64_t own_ = 0;  // in every model
};

// What reads as garbage is left out: it is one of the two things that a hole may be.
std::set<std::string> images_without_garbage(const crash_log& log, const crash_model& model) {
  std::set<std::string> found;
  for_all_answers([&](const crash_chooser& choose) {
    const crash_chooser no_garbage = [&](std::string_view what, std::uint64_t options) {
      return what == "a tail is garbage" ? 0 : choose(what, options);
    };
    found.insert(text_of(log.image(model, no_garbage, nullptr)));
  });
  return found;
}

std::string text_of(const history& happened) {
  std::string text;
  std::size_t i = 0;
  const auto add_syncs = [&] {
    for (const sync_point& each : happened.syncs) {
      if (each.after == i) text += fmt::format("sync {}{}; ", each.directory, each.file);
    }
  };
  for (const change& each : happened.changes) {
    add_syncs();
    ++i;
    static const std::array<const char*, 4> words = {"write", "resize", "name", "unname"};
    text += fmt::format("{} {} file {} at {} '{}' {} to {} (call {}); ", words[static_cast<std::size_t>(each.what)],
                        each.path, each.file, each.offset, each.text, each.before, each.after, each.call);
  }
  add_syncs();
  return text;
}

TEST(CrashImagesTest, AreThoseOfTheDefinition) {
  constexpr std::uint64_t workloads = 250;
  constexpr std::size_t parts_max = 7;
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < workloads; ++seed) {
    in_world([&](system_calls&) {
      const history happened = workload(seed).run(7);
      for (const crash_model* each : crash_models()) {
        if (each->keeps == crash_model::unsynced::all) continue;
        crash_model small = *each;
        small.whole_bytes = 2;
        const definition defined(happened, small);
        if (defined.free_parts() > parts_max) continue;
        ++compared;
        EXPECT_EQ(images_without_garbage(log_here(), small), defined.images())
            << small.name << ", seed " << seed << ": " << text_of(happened);
      }
    });
    if (HasFailure()) break;
  }
  EXPECT_GT(compared, 800u);
}

}  // namespace
}  // namespace lockstep::sim
