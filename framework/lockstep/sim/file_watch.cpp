#include <lockstep/sim/file_watch.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/sim/opened_name.hpp>

#include <sys/inotify.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace lockstep::sim {

watch_item::watch_item(watch_file& by, int its_number, inode& watched, std::uint32_t wanted)
    : of(by), number(its_number), on(&watched), events(wanted) {
  watched.watches.push_back(*this);
  on->on().count_watches(1);
}

watch_item::~watch_item() { forget(); }

void watch_item::forget() noexcept {
  if (on == nullptr) return;
  unlink();
  on->on().count_watches(-1);
  on = nullptr;
}

watch_file::watch_file(identity id, int status_flags, std::size_t events_max)
    : open_file(id, status_flags), events_max_(events_max) {}

int watch_file::add(inode& on, std::uint32_t events) {
  constexpr std::uint32_t kept = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;
  for (auto& [number, item] : items_) {
    if (item->on != &on) continue;
    if ((events & IN_MASK_CREATE) != 0) return -EEXIST;
    item->events = (events & kept) | ((events & IN_MASK_ADD) != 0 ? item->events : 0);
    return number;
  }
  const int number = ++last_number_;
  items_.emplace(number, std::make_unique<watch_item>(*this, number, on, events & kept));
  return number;
}

int watch_file::remove(int number) {
  const sparing_allocations of_events;
  const auto found = items_.find(number);
  if (found == items_.end()) return -EINVAL;
  items_.erase(found);
  add_event({number, IN_IGNORED, 0, {}});
  return 0;
}

// What has happened cannot fail any more.
void watch_file::tell(watch_item& of, std::uint32_t what, std::uint32_t cookie, std::string_view name) {
  const sparing_allocations of_events;
  detail::touch(id(), access::write);
  const int number = of.number;
  const bool goes = (what & IN_DELETE_SELF) != 0;
  const bool wanted = (of.events & what & IN_ALL_EVENTS) != 0;
  if (wanted) add_event({number, what, cookie, std::string(name)});
  if (goes || (wanted && (of.events & IN_ONESHOT) != 0)) remove(number);
}

std::size_t watch_file::event::bytes() const noexcept {
  constexpr std::size_t unit = sizeof(inotify_event);
  return unit + (name.empty() ? 0 : (name.size() + 1 + unit - 1) / unit * unit);
}

// What is the same as the last one is told of once.
void watch_file::add_event(event what) {
  if (events_.size() >= events_max_) {
    if (std::exchange(overflowed_, true)) return;
    what = {-1, IN_Q_OVERFLOW, 0, {}};
  }
  if (!events_.empty() && events_.back() == what) return;
  events_.push_back(std::move(what));
  notify(POLLIN);
}

std::int64_t watch_file::read(const iovec* into, int count) {
  detail::touch(id(), access::write);
  if (events_.empty()) return -EAGAIN;
  std::vector<std::byte> bytes;
  std::size_t room = 0;
  for (int i = 0; i < count; ++i) room += into[i].iov_len;
  while (!events_.empty() && bytes.size() + events_.front().bytes() <= room) {
    const event& next = events_.front();
    const std::size_t at = bytes.size();
    bytes.resize(at + next.bytes());
    inotify_event head{};
    head.wd = next.watch;
    head.mask = next.mask;
    head.cookie = next.cookie;
    head.len = static_cast<std::uint32_t>(next.bytes() - sizeof head);
    std::memcpy(bytes.data() + at, &head, sizeof head);
    std::memcpy(bytes.data() + at + sizeof head, next.name.data(), next.name.size());
    if (next.mask == IN_Q_OVERFLOW) overflowed_ = false;
    events_.pop_front();
  }
  if (bytes.empty()) return -EINVAL;
  std::size_t done = 0;
  for (int i = 0; i < count && done < bytes.size(); ++i) {
    const std::size_t part = std::min(into[i].iov_len, bytes.size() - done);
    std::memcpy(into[i].iov_base, bytes.data() + done, part);
    done += part;
  }
  return static_cast<std::int64_t>(bytes.size());
}

int watch_file::ioctl(unsigned long request, void* argument) {
  if (request != FIONREAD) return -ENOTTY;
  std::size_t bytes = 0;
  for (const event& each : events_) bytes += each.bytes();
  *static_cast<int*>(argument) = static_cast<int>(bytes);
  return 0;
}

unsigned watch_file::ready() const noexcept { return events_.empty() ? 0 : POLLIN; }

// -- who is told ------------------------------------------------------------------------------------------------------

namespace {

// `by_name_that_is_gone` is of an open file.
void tell_each(inode& on, std::uint32_t event, std::uint32_t cookie, std::string_view name,
               bool by_name_that_is_gone = false) noexcept {
  for (auto at = on.watches.begin(); at != on.watches.end();) {
    watch_item& each = *at;
    ++at;
    if (by_name_that_is_gone && (each.events & IN_EXCL_UNLINK) != 0) continue;
    each.of.tell(each, event, cookie, name);
  }
}

std::uint32_t of_kind(const inode& of) noexcept { return of.is_directory() ? IN_ISDIR : 0; }

}  // namespace

void tell_watchers(inode& of, std::uint32_t event) noexcept {
  if (const told_name* const by = of.told_by; by != nullptr) {
    const bool is_gone = by->is_gone && by->by_open_file;
    if (by->directory != nullptr && !by->directory->watches.empty()) [[unlikely]]
      tell_each(*by->directory, event | of_kind(of), 0, by->name, is_gone);
    if (!of.watches.empty()) [[unlikely]]
      tell_each(of, event | of_kind(of), 0, {}, is_gone);
    return;
  }
  if (of.parent != nullptr && of.parent != &of && of.links != 0 && !of.parent->watches.empty()) [[unlikely]]
    tell_each(*of.parent, event | of_kind(of), 0, of.name());
  if (!of.watches.empty()) [[unlikely]]
    tell_each(of, event | of_kind(of), 0, {});
}

void tell_of_name(inode& directory, std::uint32_t event, std::string_view name, const inode& of,
                  std::uint32_t cookie) noexcept {
  if (!directory.watches.empty()) [[unlikely]]
    tell_each(directory, event | of_kind(of), cookie, name);
}

void tell_of_move(inode& from, std::string_view name, inode& to, std::string_view as, inode& moved,
                  inode* replaced) noexcept {
  const bool is_any = replaced != nullptr && !replaced->watches.empty();
  if (from.watches.empty() && to.watches.empty() && moved.watches.empty() && !is_any) return;
  const std::uint32_t cookie = from.on().next_cookie();
  tell_of_name(from, IN_MOVED_FROM, name, moved, cookie);
  tell_of_name(to, IN_MOVED_TO, as, moved, cookie);
  if (replaced != nullptr) tell_each(*replaced, IN_ATTRIB | of_kind(*replaced), 0, {});
  tell_each(moved, IN_MOVE_SELF, 0, {});
}

void tell_to_itself(inode& of, std::uint32_t event) noexcept {
  if (!of.watches.empty()) tell_each(of, event, 0, {});
}

}  // namespace lockstep::sim
