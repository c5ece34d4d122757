#include <lockstep/sim/epoll.hpp>

#include <lockstep/runtime/context.hpp>

#include <algorithm>

namespace lockstep::sim {

namespace {

constexpr int nests_max = 4;
constexpr std::uint32_t modes = EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP;
constexpr std::uint32_t of_exclusive =
    EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

void erase_one(std::vector<epoll*>& from, epoll* which) noexcept {
  from.erase(std::find(from.begin(), from.end(), which));
}

}  // namespace

// -- items ------------------------------------------------------------------------------------------------------------

void epoll::item::ask(const epoll_event& event) noexcept {
  asked_ = event.events | EPOLLERR | EPOLLHUP;
  data_ = event.data;
  set_events(asked_ & ~modes);
}

void epoll::item::disable() noexcept {
  asked_ &= modes;
  set_events(0);
}

epoll::item* epoll::find(int fd, const open_file& file) noexcept {
  const auto [first, last] = items_.equal_range(fd);
  const auto found = std::find_if(first, last, [&file](const auto& each) { return &each.second.file() == &file; });
  return found == last ? nullptr : &found->second;
}

void epoll::may_be_ready(item& who) noexcept {
  if (who.events() == 0) return;
  detail::touch(id(), access::write);
  if (!who.may_be_reported()) ready_.push_back(who);
  notify(POLLIN);
}

void epoll::report_if_ready(item& who) noexcept {
  if (who.ready() != 0) may_be_ready(who);
}

void epoll::forget(item& who, int fd) noexcept {
  if (who.may_be_reported()) who.list_hook<in_ready_list>::unlink();
  if (epoll* const inner = who.file().as_epoll()) {
    erase_one(inner_, inner);
    erase_one(inner->outer_, this);
  }
  const auto [first, last] = items_.equal_range(fd);
  items_.erase(std::find_if(first, last, [&who](const auto& each) { return &each.second == &who; }));
}

// -- nesting ----------------------------------------------------------------------------------------------------------

int epoll::depth_below() const noexcept {
  int deepest = 0;
  for (const epoll* each : inner_) deepest = std::max(deepest, 1 + each->depth_below());
  return deepest;
}

int epoll::depth_above() const noexcept {
  int deepest = 0;
  for (const epoll* each : outer_) deepest = std::max(deepest, 1 + each->depth_above());
  return deepest;
}

bool epoll::reaches(const epoll& other) const noexcept {
  return this == &other ||
         std::any_of(inner_.begin(), inner_.end(), [&other](const epoll* each) { return each->reaches(other); });
}

// -- calls ------------------------------------------------------------------------------------------------------------

int epoll::control_item(int operation, int fd, open_file& file, const epoll_event* event) {
  const std::uint32_t asked = operation == EPOLL_CTL_DEL ? 0 : event->events;
  if ((asked & EPOLLEXCLUSIVE) != 0) {
    if (operation == EPOLL_CTL_MOD) return -EINVAL;
    if (file.as_epoll() != nullptr || (asked & ~of_exclusive) != 0) return -EINVAL;
  }
  detail::touch(id(), access::write);
  detail::touch(file.touched_id(), access::read);
  epoll* const inner = file.as_epoll();
  if (operation == EPOLL_CTL_ADD && inner != nullptr) {
    if (inner->reaches(*this) || depth_above() + 1 + inner->depth_below() > nests_max) return -ELOOP;
  }
  item* const found = find(fd, file);
  switch (operation) {
    case EPOLL_CTL_ADD: return found != nullptr ? -EEXIST : add(fd, file, *event);
    case EPOLL_CTL_DEL:
      if (found == nullptr) return -ENOENT;
      found->readiness_watch::unlink();
      forget(*found, fd);
      return 0;
    case EPOLL_CTL_MOD:
      if (found == nullptr) return -ENOENT;
      if ((found->asked() & EPOLLEXCLUSIVE) != 0) return -EINVAL;
      found->ask(*event);
      report_if_ready(*found);
      return 0;
    default: return -EINVAL;
  }
}

int epoll::add(int fd, open_file& file, const epoll_event& event) {
  epoll* const inner = file.as_epoll();
  if (inner != nullptr) {
    inner_.reserve(inner_.size() + 1);
    inner->outer_.reserve(inner->outer_.size() + 1);
  }
  item& made = items_.emplace(std::piecewise_construct, std::tuple(fd), std::forward_as_tuple(*this, fd, file))->second;
  if (inner != nullptr) {
    inner_.push_back(inner);
    inner->outer_.push_back(this);
  }
  made.ask(event);
  if ((event.events & EPOLLEXCLUSIVE) != 0) {
    file.watch(made);
  } else {
    file.watch_first(made);
  }
  report_if_ready(made);
  return 0;
}

int epoll::wait(epoll_event* events, int events_max) {
  detail::touch(id(), access::write);
  int count = 0;
  ready_list asked;
  asked.splice_back(ready_);
  while (count < events_max && !asked.empty()) {
    item& each = asked.pop_front();
    detail::touch(each.file().touched_id(), access::read);
    const unsigned is = each.ready();
    if (is == 0) continue;
    events[count].events = is;
    events[count].data = each.data();
    ++count;
    if ((each.asked() & EPOLLONESHOT) != 0) {
      each.disable();
    } else if ((each.asked() & EPOLLET) == 0) {
      ready_.push_back(each);
    }
  }
  asked.splice_back(ready_);
  ready_.splice_back(asked);
  return count;
}

// Those that are not ready after all leave the list, up to the first that is.
unsigned epoll::ready() const noexcept {
  while (!ready_.empty()) {
    item& first = ready_.front();
    detail::touch(first.file().touched_id(), access::read);
    if (first.ready() != 0) return POLLIN;
    first.list_hook<in_ready_list>::unlink();
  }
  return 0;
}

void epoll::closed() noexcept {
  detail::touch(id(), access::write);
  while (!items_.empty()) {
    item& each = items_.begin()->second;
    each.readiness_watch::unlink();
    forget(each, items_.begin()->first);
  }
}

}  // namespace lockstep::sim
