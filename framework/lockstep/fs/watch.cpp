#include <lockstep/fs/watch.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/system/current.hpp>

#include <fmt/format.h>

#include <poll.h>
#include <sys/inotify.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace lockstep {

namespace {

constexpr std::uint32_t watched_changes = IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM |
                                          IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

change_kind kind_of(std::uint32_t mask) noexcept {
  constexpr std::pair<std::uint32_t, change_kind> kinds[] = {
      {IN_CREATE, change_kind::created},         {IN_DELETE, change_kind::removed},
      {IN_MODIFY, change_kind::modified},        {IN_CLOSE_WRITE, change_kind::written},
      {IN_MOVED_FROM, change_kind::moved_from},  {IN_MOVED_TO, change_kind::moved_to},
      {IN_ATTRIB, change_kind::attributes},      {IN_DELETE_SELF, change_kind::itself_removed},
      {IN_MOVE_SELF, change_kind::itself_moved},
  };
  for (const auto& [bit, kind] : kinds) {
    if ((mask & bit) != 0) return kind;
  }
  return change_kind::overflow;
}

}  // namespace

std::string_view name_of(change_kind kind) noexcept {
  switch (kind) {
    case change_kind::created: return "created";
    case change_kind::removed: return "removed";
    case change_kind::modified: return "modified";
    case change_kind::written: return "written";
    case change_kind::moved_from: return "moved from";
    case change_kind::moved_to: return "moved to";
    case change_kind::attributes: return "attributes changed";
    case change_kind::itself_removed: return "itself removed";
    case change_kind::itself_moved: return "itself moved";
    case change_kind::overflow: break;
  }
  return "overflow";
}

namespace detail {

void watch_state::close() noexcept {
  if (fd >= 0) calls->close(std::exchange(fd, -1));
}

int watch_state::fill() {
  alignas(inotify_event) char bytes[4096];
  const std::int64_t count = calls->read(fd, bytes, sizeof bytes);
  if (count < 0) return static_cast<int>(count);
  const auto size = static_cast<std::size_t>(count);
  for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
    inotify_event head{};
    std::memcpy(&head, bytes + at, sizeof head);
    at += sizeof head;
    if ((head.mask & IN_IGNORED) != 0) {
      ended = true;
    } else {
      changes.push_back({kind_of(head.mask), std::string(bytes + at, strnlen(bytes + at, head.len)),
                         (head.mask & IN_ISDIR) != 0, head.cookie});
    }
    at += head.len;
  }
  return 0;
}

waiting_for_change::waiting_for_change(std::shared_ptr<watch_state> from, const source& where)
    : primitive(operation_kind::read_file), from_(std::move(from)) {
  if (from_->awaited) here().owner->misused("next() of a file_watch while another is under way", where);
  from_->awaited = true;
  set_events(POLLIN);
}

bool waiting_for_change::try_now() {
  error_ = 0;
  while (from_->changes.empty() && !from_->ended) {
    const int result = from_->fill();
    if (result == -EAGAIN) return false;
    if (result < 0) {
      error_ = -result;
      break;
    }
  }
  return true;
}

void waiting_for_change::enqueue() noexcept {
  const int result = from_->calls->watch(from_->fd, events(), *this);
  if (result == 0) return;
  error_ = -result;
  current_context->owner->grant(*this);
}

void waiting_for_change::withdraw() noexcept { from_->calls->unwatch(*this); }

// Where there is no memory for a change, it is told of later.
void waiting_for_change::may_be_ready() noexcept {
  try {
    if (!try_now()) return;
  } catch (const std::bad_alloc&) {
    error_ = ENOMEM;
  }
  from_->calls->unwatch(*this);
  current_context->owner->grant(*this);
}

void waiting_for_change::was_closed() noexcept {
  error_ = ECANCELED;
  current_context->owner->grant(*this);
}

std::string waiting_for_change::describe() const { return fmt::format("watch {:?}", from_->path); }

// What was granted stays where it is until now, so that a cancellation loses nothing.
std::optional<file_change> waiting_for_change::result() {
  if (error_ != 0) throw std::system_error(error_, std::system_category(), describe());
  if (from_->changes.empty()) return std::nullopt;
  std::optional<file_change> first = std::move(from_->changes.front());
  from_->changes.pop_front();
  return first;
}

adding_watch::adding_watch(const watch_state& to, const source& where)
    : primitive(operation_kind::use_file, nullptr, to.path, "watch", where), to_(to.fd) {}

std::int64_t adding_watch::call() {
  return path() != nullptr ? calls().inotify_add_watch(to_, path(), watched_changes) : -EINVAL;
}

}  // namespace detail

task<file_watch> watch(std::string path, source where) {
  auto state = std::make_shared<detail::watch_state>(current_system(where).shared_from_this(), std::move(path));
  const int fd = state->calls->inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) throw std::system_error(-fd, std::system_category(), fmt::format("watch {:?}", state->path));
  state->fd = fd;
  state->calls->opened_at(fd, where);
  co_await detail::adding_watch(*state, where);
  co_return file_watch(std::move(state));
}

}  // namespace lockstep
