#include <lockstep/sim/crash_log.hpp>

#include <lockstep/runtime/disturbance.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace lockstep::sim {

// -- the log ----------------------------------------------------------------------------------------------------------

crash_log::file_state& crash_log::make_state_of(std::uint64_t file) {
  if (file >= states_.size()) states_.resize(file + file / 2 + 1);
  states_[file] = std::make_unique<file_state>();
  return *states_[file];
}

const crash_log::file_state* crash_log::state_of(std::uint64_t file) const noexcept {
  return file < states_.size() ? states_[file].get() : nullptr;
}

void crash_log::expect(const inode& file, std::size_t changes) {
  while (writes_back_ && pending_ != 0 && (pending_ + changes > changes_max_ || bytes_ > bytes_max_))
    [[unlikely]] write_back_oldest();
  operations_.expect(changes);
  state_of(file.number());
}

micro_operation& crash_log::add(micro_operation::kind what, const inode& file) noexcept {
  micro_operation& made = operations_.emplace_back();
  made.what = what;
  made.number = ++last_number_;
  made.file = file.number();
  made.at = file.attributes.changed;
  ++pending_;
  if (!made.is_name()) append(chain_of(state_of(made.file), made), made);
  return made;
}

crash_log::chain& crash_log::chain_of(file_state& state, const micro_operation& what) noexcept {
  if (what.is_name()) return state.of_names;
  return what.what == micro_operation::kind::attributes ? state.of_attributes : state.of_file;
}

// Where it would be without gaps, or before that.
std::size_t crash_log::place_of(std::uint64_t number) const noexcept {
  const auto without_gaps = static_cast<std::size_t>(number - operations_.front().number);
  if (without_gaps < operations_.size() && operations_[without_gaps].number == number) [[likely]]
    return without_gaps;
  std::size_t begin = 0;
  std::size_t end = std::min(without_gaps + 1, operations_.size());
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    if (operations_[middle].number < number) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

bool crash_log::is_pending(std::uint64_t number) const noexcept {
  if (operations_.empty() || number < operations_.front().number) return false;
  const std::size_t place = place_of(number);
  return place < operations_.size() && operations_[place].number == number && !operations_[place].retired;
}

void crash_log::append(chain& to, micro_operation& last) {
  (to.last != 0 ? at(to.last).next : to.first) = last.number;
  to.last = last.number;
  last.next = 0;
}

template <class Stays>
void crash_log::filter(chain& of, const Stays& stays) {
  for (std::uint64_t number = std::exchange(of, {}).first; number != 0;) {
    micro_operation& each = at(number);
    number = each.next;
    if (!each.retired && stays(each)) append(of, each);
  }
}

namespace {

constexpr std::uint64_t little = 1024;  // of what was written: copied, where room for it was expected, and not shared

constexpr std::uint64_t pages_of(std::uint64_t offset, std::uint64_t size) noexcept {
  return (offset + size + page_bytes - 1) / page_bytes - offset / page_bytes;
}

}  // namespace

// One page needs no memory.
void crash_log::expect_write(const inode& file, std::uint64_t offset, std::uint64_t size) {
  expect(file);
  const bool may_widen = state_of(file.number()).clean != nullptr;
  const std::uint64_t pages = pages_of(offset, size);
  if (size <= little) expected_text_.reserve(may_widen ? little : size);
  if (pages > 1 && (size > little || may_widen)) expected_pages_ = page_run(pages);
}

void crash_log::wrote(const inode& file, std::uint64_t offset, std::uint64_t size, std::uint64_t size_before,
                      bool maps) noexcept {
  micro_operation& made = add(micro_operation::kind::write, file);
  made.maps = maps;
  made.offset = offset;
  made.size = size;
  made.before = size_before;
  made.after = file.content.size();
  if (file_state& state = state_of(file.number()); state.clean != nullptr) [[unlikely]]
    widen(made, state);
  offset = made.offset;
  size = made.size;
  bytes_ += size;
  if (size <= little && size <= expected_text_.capacity()) {
    made.text = std::move(expected_text_);
    made.text.resize(size);
    file.content.read(made.text.data(), size, offset);
    return;
  }
  const std::uint64_t first = offset / page_bytes;
  const std::uint64_t end = first + pages_of(offset, size);
  if (end - first > 1) made.pages = std::move(expected_pages_);
  for (std::uint64_t number = first; number < end; ++number) made.pages[number - first] = *file.content.page_at(number);
}

// All of a page is written that a sync has failed to write, as the system takes pages for dirty, and not bytes.
void crash_log::widen(micro_operation& made, file_state& state) {
  const std::uint64_t first = made.offset / page_bytes;
  const std::uint64_t end = made.offset + made.size;
  const std::uint64_t last = (end - 1) / page_bytes;
  std::set<std::uint64_t>& clean = *state.clean;
  const std::uint64_t until = clean.count(last) != 0 ? std::min((last + 1) * page_bytes, made.after) : end;
  if (clean.count(first) != 0) made.offset = first * page_bytes;
  made.size = until - made.offset;
  clean.erase(clean.lower_bound(first), clean.upper_bound(last));
  if (clean.empty()) state.clean.reset();
}

void crash_log::resized(const inode& file, std::uint64_t size_before) noexcept {
  const std::uint64_t size = file.content.size();
  micro_operation& made = add(micro_operation::kind::resize, file);
  made.before = size_before;
  made.after = size;
  // The rest of a page that is cut is cleared, and the page is dirty by that.
  const file_state& state = state_of(file.number());
  const bool is_cut = size < size_before && size % page_bytes != 0;
  if (state.clean == nullptr || !is_cut || state.clean->count(size / page_bytes) == 0) [[likely]]
    return;
  if (file.content.page_at(size / page_bytes) != nullptr) wrote(file, size - 1, 1, size, false);
}

void crash_log::cleared(const inode& file, const page_reference& zero, std::uint64_t offset,
                        std::uint64_t size) noexcept {
  const std::uint64_t size_before = file.content.size();
  const std::uint64_t end = offset + size;
  const std::uint64_t first = (offset + page_bytes - 1) / page_bytes * page_bytes;
  const std::uint64_t last = end / page_bytes * page_bytes;
  const auto wrote_zeros = [&](std::uint64_t from, std::uint64_t to) {
    to = std::min(to, size_before);
    if (from >= to) return;
    const page_reference* const there = file.content.page_at(from / page_bytes);
    if (there != nullptr && *there != zero) wrote(file, from, to - from, size_before, false);
  };
  wrote_zeros(offset, std::min(first, end));
  if (first > last) return;
  if (first < last) {
    micro_operation& made = add(micro_operation::kind::punch, file);
    made.offset = first;
    made.size = last - first;
    made.before = made.after = size_before;
  }
  wrote_zeros(last, end);
}

void crash_log::set_aside(const inode& file, const page_reference& zero, std::uint64_t offset, std::uint64_t size,
                          std::uint64_t size_before) noexcept {
  micro_operation& made = add(micro_operation::kind::set_aside, file);
  made.offset = offset;
  made.size = size;
  made.before = size_before;
  made.after = file.content.size();
  made.pages[0] = zero;
}

void crash_log::expect_attributes(const inode& file) {
  expect(file);
  if (expected_attributes_ == nullptr) expected_attributes_ = std::make_unique<file_attributes>();
}

void crash_log::changed_attributes(const inode& file) noexcept {
  *expected_attributes_ = file.attributes;
  add(micro_operation::kind::attributes, file).attributes = std::move(expected_attributes_);
}

void crash_log::expect_names(std::initializer_list<coming_name> all) {
  expect(all.begin()->file, all.size());
  names_taken_ = 0;
  for (const coming_name& each : all) {
    state_of(each.directory.number());
    file_state& state = state_of(each.file.number());
    if (each.file.is_link()) state.target = each.file.target;
    expected_names_[static_cast<std::size_t>(&each - all.begin())] = each.name;
  }
}

micro_operation& crash_log::add_name(micro_operation::kind what, const inode& directory, const inode& file,
                                     std::uint32_t group) noexcept {
  micro_operation& made = add(what, file);
  made.directory = directory.number();
  made.text = std::move(expected_names_[names_taken_++]);
  made.of_directory = file.is_directory();
  made.group = group;
  file_state& state = state_of(made.file);
  ++state.names_pending;
  state.named = made.number;
  append(state_of(made.directory).of_names, made);
  return made;
}

void crash_log::named(const inode& directory, const inode& file, bool over_another, std::uint32_t group) noexcept {
  micro_operation& made = add_name(micro_operation::kind::name, directory, file, group);
  made.over_another = over_another;
  for (std::size_t i = operations_.size() - 1; group != 0 && i-- > 0 && operations_[i].group == group;) {
    if (operations_[i].file == made.file) operations_[i].moves = true;
  }
  file_state& state = state_of(made.file);
  if (group == 0 && file.links == 1 && !file.may_get_a_name) state.made = made.number;
  if (state.made_as.mode == 0) state.made_as = file.attributes;
}

void crash_log::unnamed(const inode& directory, const inode& file, std::uint32_t group) noexcept {
  add_name(micro_operation::kind::unname, directory, file, group);
}

void crash_log::ended(const inode& file) noexcept {
  if (std::as_const(*this).state_of(file.number()) == nullptr) return;
  states_[file.number()]->ended = true;
  forget_if_gone(file.number());
}

// It has no name in memory. Where the log has no change of its names either, the disk has none, and nothing of it can
// come back; nor, of a directory, the names in it.
void crash_log::forget_if_gone(std::uint64_t file) noexcept {
  std::uint64_t left = 0;
  const auto add = [&](std::uint64_t gone) {
    file_state* const state = states_[gone].get();
    if (state == nullptr || !state->ended || state->names_pending != 0 || std::exchange(state->is_going, true)) return;
    state->next_gone = std::exchange(left, gone);
  };
  add(file);
  while (left != 0) {
    const std::uint64_t gone = left;
    file_state& state = *states_[gone];
    left = state.next_gone;
    const auto gone_too = [this](micro_operation& each) {
      retire(each);
      return false;
    };
    filter(state.of_file, gone_too);
    filter(state.of_attributes, gone_too);
    filter(state.of_names, [&](micro_operation& each) {
      --states_[each.file]->names_pending;
      if (!each.moves) each.group = 0;  // it has not become durable, while what was moved out of there has
      retire(each);
      add(each.file);
      return false;
    });
    durable_.files_.erase(gone);
    if (!durable_.bad_.empty()) durable_.bad_.forget(gone);
    states_[gone].reset();
  }
}

// -- becoming durable -------------------------------------------------------------------------------------------------

// What comes to the disk, or does not, takes no memory that the host could be short of.

void crash_log::retire(micro_operation& gone) noexcept {
  if (std::exchange(gone.retired, true)) return;
  --pending_;
  if (gone.what == micro_operation::kind::write) {
    bytes_ -= gone.size;
    std::string().swap(gone.text);
  }
  gone.pages = {};
  if (gone.group == 0) return;
  constexpr std::size_t largest = 4;  // an exchange
  const std::size_t place = place_of(gone.number);
  const std::size_t end = std::min(operations_.size(), place + largest);
  for (std::size_t other = place - std::min(place, largest); other < end; ++other) {
    if (operations_[other].group == gone.group) operations_[other].partner_retired = true;
  }
}

void crash_log::note_durable(const micro_operation& gone) {
  if (gone.dropped && !gone.grows()) return;
  last_durable_ = std::max(last_durable_, gone.number);
  if (gone.is_in_order_with_names()) last_name_ = std::max(last_name_, gone.number);
  if (gone.grows() || gone.what == micro_operation::kind::resize) last_size_ = std::max(last_size_, gone.number);
  if (gone.over_another) {
    file_state& state = state_of(gone.file);
    state.renamed = std::max(state.renamed, gone.number);
  }
}

namespace {

void take_page(image_file& durable, const inode& file, std::uint64_t page) {
  const page_reference* const now = file.content.page_at(page);
  durable.content.put_page(page, now == nullptr ? page_reference() : *now);
}

}  // namespace

// Whether a sync waits for it to be committed, where it commits. fdatasync() does so for sizes, and for where on the
// disk a page is: in ext4 that is the transaction i_datasync_tid, and of fsync() it is i_sync_tid. A write that was
// dropped has nothing but its size.
bool crash_log::is_awaited(const micro_operation& what, bool data_only) noexcept {
  if (what.grows() || what.what != micro_operation::kind::write) return true;
  return !what.dropped && (what.maps || !data_only);
}

// What is in memory is what is durable then, on every page that was changed.
std::uint64_t crash_log::sync_content(const inode& file, file_state& state, bool data_only) {
  if (state.of_file.first == 0) return 0;
  image_file& durable = durable_.file(file.number());
  const std::uint64_t size_before = durable.content.size();
  std::uint64_t least = size_before;
  std::uint64_t awaited = 0;
  bool has_dropped = false;
  filter(state.of_file, [&](micro_operation& each) {
    if (is_awaited(each, data_only)) awaited = each.number;
    has_dropped = has_dropped || each.dropped;
    if (each.what == micro_operation::kind::resize) least = std::min(least, each.after);
    return true;
  });
  if (has_dropped || state.clean != nullptr) return sync_what_is_left(state, data_only);
  if (least < size_before) durable.content.resize(*durable_.pages_, least);
  filter(state.of_file, [&](micro_operation& each) {
    take_pages(durable, file, each);
    mend(durable_, each);
    note_durable(each);
    retire(each);
    return false;
  });
  durable.content.set_size(file.content.size());
  durable_.bad_.synced(file.number());
  return awaited;
}

std::uint64_t crash_log::sync_attributes(file_state& state) {
  const std::uint64_t awaited = state.of_attributes.last;
  filter(state.of_attributes, [this](micro_operation& each) {
    note_durable(each);
    retire(each);
    return false;
  });
  return awaited;
}

// But for names.
std::uint64_t crash_log::sync_file(const inode& file, file_state& state, bool data_only) {
  if (state.of_file.first == 0 && state.of_attributes.first == 0) return 0;
  std::uint64_t awaited = sync_content(file, state, data_only);
  if (data_only) return awaited;
  awaited = std::max(awaited, sync_attributes(state));
  durable_.file(file.number()).attributes = file.attributes;
  return awaited;
}

// As it is in memory.
void crash_log::take_pages(image_file& durable, const inode& file, const micro_operation& what) {
  if (what.what != micro_operation::kind::write && what.what != micro_operation::kind::punch &&
      what.what != micro_operation::kind::set_aside)
    return;
  const std::uint64_t first = what.offset / page_bytes;
  const std::uint64_t end = (what.offset + what.size + page_bytes - 1) / page_bytes;
  for (const file_content* pages : {&file.content, static_cast<const file_content*>(&durable.content)}) {
    for (std::uint64_t page = pages->next_page(first); page < end; page = pages->next_page(page + 1))
      take_page(durable, file, page);
  }
}

// Where a sync has failed before, memory has what the disk does not get.
std::uint64_t crash_log::sync_what_is_left(file_state& state, bool data_only) {
  std::uint64_t awaited = 0;
  filter(state.of_file, [&](micro_operation& each) {
    apply(durable_, each);
    if (is_awaited(each, data_only)) awaited = each.number;
    note_durable(each);
    retire(each);
    return false;
  });
  return awaited;
}

void crash_log::failed_to_sync(const inode& file) {
  const sparing_allocations of_the_disk;
  file_state& state = state_of(file.number());
  filter(state.of_file, [&state](micro_operation& each) {
    if (each.what != micro_operation::kind::write) return true;
    each.dropped = true;
    if (state.clean == nullptr) state.clean = std::make_unique<std::set<std::uint64_t>>();
    const std::uint64_t end = each.offset + each.size;
    for (std::uint64_t page = each.offset / page_bytes; page * page_bytes < end; ++page) state.clean->insert(page);
    return true;
  });
}

file_content crash_log::reverted(const inode& file) {
  const sparing_allocations of_the_disk;
  filter(state_of(file.number()).of_file, [this](micro_operation& each) {
    retire(each);
    return false;
  });
  forget_retired();
  const image_file* const durable = durable_.find(file.number());
  return durable == nullptr ? file_content() : durable->content;
}

std::uint64_t crash_log::sync_names(file_state& state) {
  const std::uint64_t awaited = state.of_names.last;
  filter(state.of_names, [this](micro_operation& each) {
    retire_name(each);
    return false;
  });
  return awaited;
}

void crash_log::retire_name(micro_operation& what) {
  --state_of(what.file).names_pending;
  note_durable(what);
  retire(what);
  apply(durable_, what);
  if (what.ends_directory()) state_of(what.file).removed = true;
  if (what.moves_in()) state_of(what.directory).holds_moved = true;
  forget_if_gone(what.file);
}

void crash_log::synced(const inode& file, bool data_only) {
  const sparing_allocations of_the_disk;
  file_state& state = state_of(file.number());
  std::uint64_t awaited = 0;
  if (state.names_pending != 0) awaited = data_only && !file.is_directory() ? state.made : state.named;
  if (file.is_directory()) awaited = std::max(awaited, sync_names(state));
  awaited = std::max(awaited, sync_file(file, state, data_only));
  committed_ = std::max(committed_, awaited);
  const std::uint64_t now = last_number_ + 1;
  const inode* last = nullptr;
  const auto keep_names = [&](const inode* each) {
    if (std::exchange(last, each) == each) return;
    for (; each != nullptr; each = each->parent == each ? nullptr : each->parent) {
      state_of(each->number()).names_synced = now;
    }
  };
  keep_names(&file);
  if (file.other_parents != nullptr) std::for_each(file.other_parents->begin(), file.other_parents->end(), keep_names);
  forget_retired();
}

// So that no model takes it for a sync, which keeps what was changed before.
template <class F>
void crash_log::without_traces(const F& change) {
  const sparing_allocations of_the_disk;
  const auto before = std::tuple(last_name_, last_size_, last_durable_);
  change();
  std::tie(last_name_, last_size_, last_durable_) = before;
  forget_retired();
}

void crash_log::settled(const inode& file) {
  without_traces([&] { sync_file(file, state_of(file.number()), false); });
}

template <class Is>
void crash_log::settle_names(const inode& directory, const Is& is) {
  without_traces([&] {
    filter(state_of(directory.number()).of_names, [&](micro_operation& each) {
      if (!is(each)) return true;
      retire_name(each);
      return false;
    });
  });
}

void crash_log::settled_name(const inode& directory, std::string_view name) {
  settle_names(directory, [name](const micro_operation& each) { return each.text == name; });
}

void crash_log::settled_names_of(const inode& directory) {
  if (state_of(directory.number()).names_pending == 0) return;
  settle_names(*directory.parent, [&](const micro_operation& each) { return each.file == directory.number(); });
}

// Requires that there is one.
void crash_log::write_back_oldest() {
  const sparing_allocations of_the_disk;
  forget_retired();
  micro_operation& oldest = operations_.front();
  if (oldest.is_name()) {
    retire_name(oldest);
  } else {
    apply(durable_, oldest);
    note_durable(oldest);
    retire(oldest);
  }
  forget_retired();
}

bool crash_log::has_changes_of(const inode& file) const noexcept {
  const file_state* const state = state_of(file.number());
  return state != nullptr &&
         (state->of_file.first != 0 || state->of_attributes.first != 0 || state->of_names.first != 0);
}

void crash_log::synced_all(const std::set<std::uint64_t>& but) {
  const sparing_allocations of_the_disk;
  const auto is_left_out = [&but](std::uint64_t file) { return !but.empty() && but.count(file) != 0; };
  std::set<std::uint64_t> lacks_something = but;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    micro_operation& each = operations_[i];
    if (each.retired || is_left_out(each.is_name() ? each.directory : each.file)) continue;
    if (each.is_name()) {
      retire_name(each);
      continue;
    }
    if (each.dropped) lacks_something.insert(each.file);
    apply(durable_, each);
    note_durable(each);
    retire(each);
  }
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const std::uint64_t of = operations_[i].is_name() ? operations_[i].directory : operations_[i].file;
    if (states_[of] != nullptr && !is_left_out(of)) chain_of(*states_[of], operations_[i]) = {};
  }
  durable_.bad_.synced_all(lacks_something);
  if (but.empty()) operations_.clear();
  forget_retired();
}

void crash_log::begin_with(disk_image durable) {
  durable_ = std::move(durable);
  operations_.clear();
  states_.clear();
  pending_ = bytes_ = 0;
}

// The oldest change in the log is the first of its chain, if it is still in one.
void crash_log::forget_oldest() noexcept {
  const micro_operation& gone = operations_.front();
  const std::uint64_t of = gone.is_name() ? gone.directory : gone.file;
  if (of < states_.size() && states_[of] != nullptr) {
    chain& from = chain_of(*states_[of], gone);
    if (from.first == gone.number) from = {gone.next, gone.next != 0 ? from.last : 0};
  }
  operations_.pop_front();
}

void crash_log::close_gaps() noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    if (operations_[i].retired) continue;
    if (i != kept) operations_[kept] = std::move(operations_[i]);
    ++kept;
  }
  while (operations_.size() != kept) operations_.pop_back();
  for (const auto& each : states_) {
    if (each != nullptr) each->of_file = each->of_attributes = each->of_names = {};
  }
  for (std::size_t i = 0; i < kept; ++i) {
    micro_operation& each = operations_[i];
    append(chain_of(*states_[each.is_name() ? each.directory : each.file], each), each);
  }
}

}  // namespace lockstep::sim
