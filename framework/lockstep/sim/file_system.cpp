#include <lockstep/sim/file_system.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/file_watch.hpp>
#include <lockstep/sim/opened_name.hpp>

#include <fmt/format.h>

#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace lockstep::sim {

bool credentials::in_group(gid_t wanted) const noexcept {
  return group == wanted || std::find(groups.begin(), groups.end(), wanted) != groups.end();
}

void inode::end() noexcept { on_.end(*this); }

std::string_view inode::name() const noexcept {
  if (parent == nullptr) return {};
  const directory_entries& names = parent->entries;
  for (std::size_t place = 0; place < names.places(); ++place) {
    if (names.at(place).to == this) return names.at(place).name;
  }
  return {};
}

void inode::expect_name(bool for_another) {
  if (is_directory() || parent == nullptr || (for_another && other_parents == nullptr)) return;
  if (other_parents == nullptr) other_parents = std::make_unique<std::vector<inode*>>();
  if (other_parents->size() == other_parents->capacity()) other_parents->reserve(2 * other_parents->size() + 1);
}

void inode::named_in(inode& directory) noexcept {
  inode* const before = std::exchange(parent, &directory);
  if (before != nullptr && !is_directory()) other_parents->push_back(before);
}

void inode::unnamed_in(inode& directory) noexcept {
  const bool has_others = other_parents != nullptr && !other_parents->empty();
  if (parent == &directory) {
    parent = has_others ? other_parents->back() : nullptr;
    if (has_others) other_parents->pop_back();
  } else {
    const auto found = std::find(other_parents->rbegin(), other_parents->rend(), &directory);
    other_parents->erase(std::prev(found.base()));
  }
}

file_system::file_system(loop& owner, std::shared_ptr<page_store> pages, identity id, std::uint64_t device)
    : owner_(owner), id_(id), device_(device), pages_(std::move(pages)), zero_(pages_->take()), log_(pages_) {
  std::memset(zero_.bytes_to_change(), 0, page_bytes);
  inode_reference made;
  constexpr mode_t for_all = S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH;
  make(S_IFDIR | for_all, {.umask = 0}, made);
  root_ = made.get();
  root_->parent = root_;
  root_->links = 2;
  log_.begin_with(image());
  root_->retain();  // last, as there may be no memory for the image
}

file_system::~file_system() {
  is_closing_ = true;
  root_->release();
}

wall_clock::time_point file_system::now() const noexcept { return owner_.wall_now(); }

// Its names go with it, and what nobody refers to then: one by one, so that a deep tree takes no stack.
void file_system::end(inode& gone) noexcept {
  gone.mounted = std::exchange(ending_, &gone);
  if (std::exchange(is_ending_, true)) return;
  while (ending_ != nullptr) {
    inode* const last = std::exchange(ending_, ending_->mounted);
    const bool keeps_parent =
        last->is_directory() && last->links == 0 && last->parent != nullptr && last->parent != last;
    if (keeps_parent) last->parent->release();
    for (std::size_t place = 0; place < last->entries.places(); ++place) {
      if (inode* const to = last->entries.at(place).to; to != nullptr) to->release();
    }
    if (!is_closing_ && last->life == life_) {
      log_.ended(*last);
      cache_.cut(last->number(), 0);
      if (!bad_.empty()) bad_.forget(last->number());
    }
    while (!last->watches.empty()) last->watches.front().forget();
    take_pages(*last, -static_cast<std::int64_t>(last->content.pages()));
    --inodes_used_;
    last->unlink();
    delete last;
  }
  is_ending_ = false;
}

namespace {

std::string_view name_of(const inode& file) {
  if (file.parent == &file) return "/";
  return file.parent == nullptr ? "a file without a name" : file.name();
}

}  // namespace

template <class... Parts>
void file_system::tell_observer(const char* what, const Parts&... parts) {
  if (!observer_) [[likely]]
    return;
  const sparing_allocations of_the_observer;
  observer_(fmt::format(fmt::runtime(what), parts...));
}

// -- room -------------------------------------------------------------------------------------------------------------

void file_system::take_pages(const inode& of, std::int64_t count) noexcept {
  pages_used_ += static_cast<std::uint64_t>(count);
  users_.find(of.attributes.user)->second.pages += static_cast<std::uint64_t>(count);
}

std::uint64_t file_system::pages_left(const inode& of, int& error) const noexcept {
  std::uint64_t left = limits_.pages_max - std::min(limits_.pages_max, pages_used_);
  error = -ENOSPC;
  const user_pages& user = users_.find(of.attributes.user)->second;
  const std::uint64_t of_user = user.pages_max - std::min(user.pages_max, user.pages);
  if (of_user < left) error = -EDQUOT;
  return std::min(left, of_user);
}

// -- names ------------------------------------------------------------------------------------------------------------

int file_system::make(mode_t mode, const credentials& who, inode_reference& made) {
  if (inodes_used_ >= limits_.inodes_max) return -ENOSPC;
  users_.try_emplace(who.user);
  const mode_t permissions = S_ISLNK(mode) ? mode : mode & ~who.umask;
  const wall_clock::time_point at = now();
  made = &add(last_number_ + 1, {permissions, who.user, who.group, at, at, at});
  return 0;
}

// Without a reference. Throws std::bad_alloc.
inode& file_system::add(std::uint64_t number, const file_attributes& first) {
  auto* const made = new inode(*this, number, first);
  last_number_ = std::max(last_number_, number);
  made->life = life_;
  inodes_.push_back(*made);
  ++inodes_used_;
  return *made;
}

void file_system::touch_shared() const noexcept {
  if (!detail::observed()) [[likely]]
    return;
  const sparing_allocations of_the_search;
  const auto has_quota = [](const auto& each) { return each.second.pages_max != user_pages().pages_max; };
  if (limits_.pages_max != disk_limits().pages_max || std::any_of(users_.begin(), users_.end(), has_quota)) {
    detail::touch(id_, access::write);
  }
  constexpr std::uint64_t no_file = 0;
  if (model_.all_in_order || model_.sizes_in_order) detail::touch(roll(id_, no_file), access::write);
}

void file_system::changed_content(inode& of) noexcept { of.attributes.modified = of.attributes.changed = now(); }

// Of a directory that is what names are in it. A search sees both: status() tells of them.
void file_system::changed_names(inode& directory, inode& of) noexcept {
  changed_content(directory);
  of.attributes.changed = directory.attributes.changed;
  if (!detail::observed()) [[likely]]
    return;
  touch_shared();
  const sparing_allocations of_the_search;
  detail::touch(id_of(directory), access::write);
  detail::touch(id_of(of), access::write);
}

void file_system::gained_name(inode& directory, inode& to) noexcept {
  to.retain();
  if (to.is_directory()) {
    ++directory.links;
    if (to.links == 0) to.links = 2;
  } else {
    ++to.links;
  }
  to.named_in(directory);
  changed_names(directory, to);
}

// A directory without a name still has "..", for which it keeps the one above.
void file_system::lost_name(inode& directory, inode& gone, bool moves) noexcept {
  if (gone.is_directory()) {
    --directory.links;
    if (!moves) {
      gone.links = 0;
      directory.retain();
    }
  } else {
    --gone.links;
    gone.unnamed_in(directory);
  }
  changed_names(directory, gone);
  gone.release();
}

void file_system::link(inode& directory, std::string_view name, inode& to) {
  log_.expect_names({{directory, name, to}});
  to.expect_name();
  directory.entries.add(name, to);
  gained_name(directory, to);
  log_.named(directory, to, false, 0);
  tell_to_itself(to, IN_ATTRIB);
  tell_of_name(directory, IN_CREATE, name, to);
  tell_observer("{} is made", name);
}

void file_system::unlink(inode& directory, std::string_view name) {
  const inode_reference gone = directory.entries.find(name);
  log_.expect_names({{directory, name, *gone}});
  directory.entries.remove(name);
  lost_name(directory, *gone);
  log_.unnamed(directory, *gone, 0);
  if (!gone->is_directory()) tell_to_itself(*gone, IN_ATTRIB);
  name_has_gone(*gone, directory, name);
  tell_of_name(directory, IN_DELETE, name, *gone);
  tell_observer("{} is removed", name);
}

void file_system::rename(inode& from, std::string_view name, inode& to, std::string_view as) {
  const inode_reference moved = from.entries.find(name);
  const inode_reference replaced = to.entries.find(as);
  moved->expect_name(true);
  expect_move(*moved, from, name, as);
  if (replaced) {
    log_.expect_names({{to, as, *replaced}, {from, name, *moved}, {to, as, *moved}});
    to.entries.replace(as, *moved);
    lost_name(to, *replaced);
  } else {
    log_.expect_names({{from, name, *moved}, {to, as, *moved}});
    to.entries.add(as, *moved);
  }
  from.entries.remove(name);
  lost_name(from, *moved, true);
  gained_name(to, *moved);
  const std::uint32_t group = log_.new_group();
  if (replaced) log_.unnamed(to, *replaced, group);
  log_.unnamed(from, *moved, group);
  log_.named(to, *moved, static_cast<bool>(replaced), group);
  tell_of_move(from, name, to, as, *moved, replaced.get());
  if (replaced) name_has_gone(*replaced, to, as);
  name_has_moved(*moved, from, name, to, as);
  tell_observer("{} is renamed to {}", name, as);
}

void file_system::exchange(inode& one, std::string_view name, inode& other, std::string_view with) {
  const inode_reference first = one.entries.find(name);
  const inode_reference second = other.entries.find(with);
  first->expect_name(true);
  second->expect_name(true);
  expect_move(*first, one, name, with);
  expect_move(*second, other, with, name);
  log_.expect_names({{one, name, *first}, {other, with, *second}, {one, name, *second}, {other, with, *first}});
  one.entries.replace(name, *second);
  other.entries.replace(with, *first);
  lost_name(one, *first, true);
  lost_name(other, *second, true);
  gained_name(one, *second);
  gained_name(other, *first);
  const std::uint32_t group = log_.new_group();
  log_.unnamed(one, *first, group);
  log_.unnamed(other, *second, group);
  log_.named(one, *second, true, group);
  log_.named(other, *first, true, group);
  tell_of_move(one, name, other, with, *first);
  tell_of_move(other, with, one, name, *second);
  name_has_moved(*first, one, name, other, with);
  name_has_moved(*second, other, with, one, name);
  tell_observer("{} and {} are exchanged", name, with);
}

// -- what is in files -------------------------------------------------------------------------------------------------

void file_system::need_content(inode& of) {
  if (!of.is_fixture) return;
  std::string text;
  std::FILE* const file = std::fopen(of.target.c_str(), "rb");
  bool was_read = file != nullptr;
  while (was_read && std::feof(file) == 0) {
    const std::size_t before = text.size();
    text.resize(before + page_bytes);
    text.resize(before + std::fread(text.data() + before, 1, page_bytes, file));
    was_read = std::ferror(file) == 0;
  }
  const int error = errno;
  if (file != nullptr) std::fclose(file);
  if (!was_read) owner_.misused(fmt::format("the fixture {} cannot be read: {}", of.target, std::strerror(error)));
  of.content.write(*pages_, text.data(), text.size(), 0);
  take_pages(of, static_cast<std::int64_t>(of.content.pages()));
  of.is_fixture = false;
}

std::int64_t file_system::write(inode& to, const void* from, std::size_t size, std::uint64_t offset) {
  if (size == 0) return 0;
  touch_shared();
  const std::uint64_t most = std::min(limits_.file_bytes_max, limits_.written_bytes_max);
  if (offset >= most) return -EFBIG;
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, most - offset));
  int error = 0;
  const std::uint64_t left = pages_left(to, error);
  if (size / page_bytes + 2 > left && to.content.pages_missing(offset, size) > left) [[unlikely]] {
    std::size_t fits = 0;
    std::uint64_t missing = 0;
    while (fits < size) {
      const std::size_t count =
          std::min(size - fits, page_bytes - static_cast<std::size_t>((offset + fits) % page_bytes));
      if (to.content.page_at((offset + fits) / page_bytes) == nullptr && ++missing > left) break;
      fits += count;
    }
    if (fits == 0) return error;
    size = fits;
  }
  if (size <= log_.write_max()) [[likely]] {
    write_piece(to, from, size, offset);
  } else {
    size = write_in_pieces(to, static_cast<const std::byte*>(from), size, offset);
  }
  tell(to, IN_MODIFY);
  if (observer_) [[unlikely]]
    tell_observer("{} bytes are written at {} to {}", size, offset, name_of(to));
  return static_cast<std::int64_t>(size);
}

void file_system::write_piece(inode& to, const void* from, std::size_t size, std::uint64_t offset) {
  const std::uint64_t before = to.content.pages();
  const std::uint64_t size_before = to.content.size();
  const bool fills_space = zero_.shared() && to.content.has_unwritten(zero_, offset, size);
  log_.expect_write(to, offset, size);
  to.content.write(*pages_, from, size, offset);
  changed_content(to);
  log_.wrote(to, offset, size, size_before, fills_space || to.content.pages() != before);
  if (!bad_.empty()) [[unlikely]] {
    bad_.rewritten(to, size, offset);
    log_.rewrote(to, bad_, log_.changes());
  }
  take_pages(to, static_cast<std::int64_t>(to.content.pages() - before));
}

// The page cache does not hold it as a whole: the first pieces go to the disk before the last has come.
std::size_t file_system::write_in_pieces(inode& to, const std::byte* from, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const std::size_t piece = std::min<std::uint64_t>(size - done, log_.write_max());
    try {
      write_piece(to, from + done, piece, offset + done);
    } catch (const std::bad_alloc&) {
      if (done == 0) throw;
      break;
    }
    done += piece;
  }
  return done;
}

int file_system::resize(inode& of, std::uint64_t size) {
  touch_shared();
  if (size > limits_.file_bytes_max || (size > of.content.size() && size > limits_.written_bytes_max)) return -EFBIG;
  const bool cuts_a_sector = size < of.content.size() && size % page_bytes != 0;
  if (cuts_a_sector && bad_.writable(of, 1, size) == 0) return -EIO;
  const std::uint64_t before = of.content.pages();
  const std::uint64_t size_before = of.content.size();
  constexpr std::size_t changes_max = 2;
  log_.expect(of, changes_max);
  of.content.resize(*pages_, size);
  changed_content(of);
  if (size != size_before) log_.resized(of, size_before);
  if (size < size_before) cache_.cut(of.number(), size);
  if (!bad_.empty()) [[unlikely]] {
    bad_.cut(of, size);
    log_.rewrote(of, bad_, log_.changes());
  }
  take_pages(of, static_cast<std::int64_t>(of.content.pages() - before));
  tell(of, IN_MODIFY);
  if (observer_) [[unlikely]]
    tell_observer("{} is resized to {}", name_of(of), size);
  return 0;
}

int file_system::allocate(inode& of, int mode, std::uint64_t offset, std::uint64_t size) {
  touch_shared();
  if (offset + size > limits_.file_bytes_max) return -EFBIG;
  const bool grows = (mode & FALLOC_FL_KEEP_SIZE) == 0 && offset + size > of.content.size();
  if (grows && offset + size > limits_.written_bytes_max) return -EFBIG;
  const bool punches = (mode & FALLOC_FL_PUNCH_HOLE) != 0;
  const bool clears = punches || (mode & FALLOC_FL_ZERO_RANGE) != 0;
  // As ext4: nothing behind the end, but all of the page with the end.
  if (punches && offset + size > of.content.size()) {
    const std::uint64_t end = (of.content.size() + page_bytes - 1) / page_bytes * page_bytes;
    size = std::max(offset, end) - offset;
  }
  const std::uint64_t before = of.content.pages();
  const std::uint64_t size_before = of.content.size();
  if (!punches) {
    int error = 0;
    if (of.content.pages_missing(offset, size) > pages_left(of, error)) return error;
  }
  if (clears && bad_.writable(of, static_cast<std::size_t>(size), offset) != size) return -EIO;
  constexpr std::size_t changes_max = 4;
  log_.expect(of, changes_max);
  if (!punches) of.content.expect_to_set_aside(offset, size);
  changed_content(of);
  if (clears && size != 0) {
    const std::uint64_t change = log_.changes() + 1;
    of.content.punch(*pages_, offset, size);
    log_.cleared(of, zero_, offset, size);
    bad_.rewritten(of, size, offset);
    log_.rewrote(of, bad_, change);
  }
  if (!punches) of.content.set_aside(zero_, offset, size);
  if (grows) of.content.set_size(offset + size);
  take_pages(of, static_cast<std::int64_t>(of.content.pages()) - static_cast<std::int64_t>(before));
  if (!punches && (clears || grows || of.content.pages() != before)) {
    log_.set_aside(of, zero_, offset, size, size_before);
  }
  tell(of, IN_MODIFY);
  if (observer_) [[unlikely]]
    tell_observer("{} bytes are {} at {} of {}", size, clears ? "cleared" : "allocated", offset, name_of(of));
  return 0;
}

void file_system::set_owner(inode& of, uid_t user, gid_t group) {
  users_.try_emplace(user);
  const auto pages = static_cast<std::int64_t>(of.content.pages());
  take_pages(of, -pages);
  of.attributes.user = user;
  of.attributes.group = group;
  take_pages(of, pages);
}

void file_system::touch_attributes(inode& of) {
  expect_attributes(of);
  detail::touch(id_of(of), access::write);
  of.attributes.changed = now();
  log_.changed_attributes(of);
  tell(of, IN_ATTRIB);
  if (observer_) [[unlikely]]
    tell_observer("attributes of {} are changed", name_of(of));
}

int file_system::sync(inode& of, bool data_only) {
  log_.synced(of, data_only);
  if (observer_) [[unlikely]]
    tell_observer("{} is synced", name_of(of));
  return 0;
}

void file_system::fail_to_write_back(inode& of, int error) {
  of.errors.set(error);
  errors_.set(error);
  if (!failed_sync_reverts_) return log_.failed_to_sync(of);
  const auto before = static_cast<std::int64_t>(of.content.pages());
  of.content = log_.reverted(of);
  log_.give_back(bad_, of);
  bad_.cut(of, of.content.size());
  take_pages(of, static_cast<std::int64_t>(of.content.pages()) - before);
  tell_observer("what is not on the disk of {} is lost", name_of(of));
}

std::optional<std::uint64_t> file_system::rot(const inode& file, std::uint64_t sector) {
  const std::optional<std::uint64_t> where = bad_.rot(file, sector);
  if (where) log_.went_bad(bad_, file, sector);
  return where;
}

void file_system::fail_to_read(const inode& file, std::uint64_t sector) {
  bad_.fail(file, sector);
  log_.went_bad(bad_, file, sector);
}

std::vector<inode_reference> file_system::unwritten() const {
  std::vector<inode_reference> found;
  std::set<std::uint64_t> met{root_->number()};
  std::vector<inode*> left{root_};
  while (!left.empty()) {
    inode* const each = left.back();
    left.pop_back();
    if (log_.has_changes_of(*each)) found.emplace_back(each);
    for (std::size_t place = each->entries.places(); place-- > 0;) {
      inode* const to = each->entries.at(place).to;
      if (to != nullptr && met.insert(to->number()).second) left.push_back(to);
    }
  }
  return found;
}

void file_system::sync_all(const std::set<std::uint64_t>& but) {
  log_.synced_all(but);
  tell_observer("all is synced");
}

}  // namespace lockstep::sim
