#include <lockstep/net/socket.hpp>

#include <lockstep/net/unix.hpp>
#include <lockstep/sync/guard.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

namespace lockstep {

namespace detail {

void throw_system_error(int error, const std::string& deed) {
  throw std::system_error(error, std::system_category(), deed);
}

// -- open_socket ------------------------------------------------------------------------------------------------------

open_socket::open_socket(std::string_view noun, std::shared_ptr<system_calls> calls, std::optional<endpoint> remote)
    : object(label()), noun_(noun), calls_(std::move(calls)), remote_(remote) {}

void open_socket::hold(int fd, const source& where) noexcept {
  if (fd < 0) return;
  fd_ = fd;
  calls_->opened_at(fd, where);
}

open_socket::~open_socket() {
  for (operation& each : waiters_) calls_->unwatch(static_cast<socket_wait&>(each));
  orphan_waiters(waiters_, *this, handed_ != 0);
  close();
}

void open_socket::close() noexcept {
  if (fd_ < 0) return;
  if (returned_ != nullptr) {
    for (const connection& each : returned_->connections) calls_->close(each.fd);
    returned_.reset();
  }
  calls_->close(std::exchange(fd_, -1));
}

endpoint open_socket::local() const {
  sockaddr_storage stored{};
  socklen_t size = sizeof stored;
  auto* const address = reinterpret_cast<sockaddr*>(&stored);
  checked(calls_->getsockname(fd_, address, &size), fmt::format("address of {}", noun_));
  return endpoint::from(address, size).value_or(endpoint());
}

int open_socket::option(int level, int name) const {
  int value = 0;
  socklen_t size = sizeof value;
  checked(calls_->getsockopt(fd_, level, name, &value, &size), fmt::format("option of {}", noun_));
  return value;
}

void open_socket::set_option(int level, int name, int value) {
  checked(calls_->setsockopt(fd_, level, name, &value, sizeof value), fmt::format("option of {}", noun_));
}

std::string open_socket::described_with_ends() const {
  std::string text(noun_);
  if (fd_ >= 0) {
    sockaddr_storage stored{};
    socklen_t size = sizeof stored;
    auto* const address = reinterpret_cast<sockaddr*>(&stored);
    const bool known = calls_->getsockname(fd_, address, &size) == 0;
    if (const std::optional<endpoint> local = known ? endpoint::from(address, size) : std::nullopt) {
      text += ' ' + local->text();
    } else if (const unix_address name = known ? unix_address::from(stored, size) : unix_address();
               !name.is_unnamed()) {
      text += ' ' + name.text();
    }
  }
  if (remote_) text += " -> " + remote_->text();
  return fd_ >= 0 ? text : text + ", which is closed";
}

std::size_t open_socket::take_from(std::vector<std::byte>& bytes, std::span<std::byte> into) noexcept {
  const std::size_t count = std::min(into.size(), bytes.size());
  if (count == 0) return 0;
  std::memcpy(into.data(), bytes.data(), count);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

bool open_socket::make_room_for_returns(std::size_t bytes) noexcept {
  try {
    returns& all = make_returns();
    all.bytes.reserve(all.bytes.size() + bytes);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool open_socket::give_back(std::span<const std::byte> bytes) noexcept {
  if (fd_ < 0 || !make_room_for_returns(bytes.size())) return false;
  returned_->bytes.insert(returned_->bytes.begin(), bytes.begin(), bytes.end());
  return true;
}

bool open_socket::give_back(const connection& accepted) noexcept {
  if (fd_ < 0) return false;
  try {
    std::vector<connection>& all = make_returns().connections;
    all.insert(all.begin(), accepted);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool open_socket::give_back(std::span<const std::byte> bytes, const socket_address& from, bool truncated) noexcept {
  if (fd_ < 0) return false;
  try {
    std::vector<datagram>& all = make_returns().datagrams;
    all.insert(all.begin(), {{bytes.begin(), bytes.end()}, from, truncated});
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

socket_wait* open_socket::first_waiter(operation_kind of) noexcept {
  for (operation& each : waiters_) {
    if (each.kind() == of) return &static_cast<socket_wait&>(each);
  }
  return nullptr;
}

// One that is told takes something, if it is not just about to.
void open_socket::tell_waiters(operation_kind of) noexcept {
  for (std::size_t left = returned_count(), before = left + 1; left != 0 && left < before; left = returned_count()) {
    socket_wait* const first = first_waiter(of);
    if (first == nullptr) return;
    before = left;
    first->may_be_ready();
  }
}

// -- socket_owner -----------------------------------------------------------------------------------------------------

void socket_owner::close(source where) {
  if (is_open()) changed("was closed", where).close();
}

void socket_owner::refuse_moved(const char* deed, const source& where) {
  const std::string text = fmt::format("a socket that was moved from {}", deed);
  if (current_context == nullptr) throw misuse(text);
  current_context->owner->misused(text, where);
}

// -- socket_wait ------------------------------------------------------------------------------------------------------

socket_wait::socket_wait(operation_kind kind, open_socket& of, unsigned events) noexcept : operation(kind, of) {
  set_events(events);
}

std::string socket_wait::describe() const {
  const auto deed = [this]() -> std::string_view {
    switch (kind()) {
      case operation_kind::read_socket: return "read from";
      case operation_kind::write_socket: return "write to";
      case operation_kind::accept: return "accept at";
      default: return "connect of";
    }
  };
  if (what() == nullptr) return fmt::format("{} a socket that is gone", deed());
  return fmt::format("{} {}", deed(), socket().described_with_ends());
}

bool socket_wait::others_wait() const noexcept {
  open_socket& of = socket();
  return !of.waiters_.empty() && of.first_waiter(kind()) != nullptr;
}

// What the call does to others may come back to this one while it is being made.
bool socket_wait::make_call() noexcept {
  if (calling_) {
    again_ = true;
    return false;
  }
  calling_ = true;
  do {
    again_ = false;
    outcome_ = call();
  } while (outcome_ == -EAGAIN && again_);
  calling_ = false;
  return outcome_ != -EAGAIN;
}

std::int64_t socket_wait::outcome() {
  note_return();
  if (outcome_ < 0) throw_system_error(static_cast<int>(-outcome_), describe());
  return outcome_;
}

void socket_wait::enqueue() noexcept {
  open_socket& of = socket();
  of.waiters_.push_back(*this);
  if (const int result = of.calls().watch(of.fd(), events(), *this); result < 0) end(result);
}

void socket_wait::withdraw() noexcept {
  socket().calls().unwatch(*this);
  static_cast<list_hook<operation>&>(*this).unlink();
}

bool socket_wait::revoke() noexcept {
  if (what() == nullptr || outcome_ < 0 || !give_back()) return false;
  note_return();
  socket().tell_waiters(kind());
  return true;
}

void socket_wait::may_be_ready() noexcept {
  socket().touch(access::write);
  if (!make_call()) return;
  socket().calls().unwatch(*this);
  end(outcome_);
}

void socket_wait::was_closed() noexcept { end(-ECANCELED); }

// It is watched no more.
void socket_wait::end(std::int64_t outcome) noexcept {
  static_cast<list_hook<operation>&>(*this).unlink();
  outcome_ = outcome;
  handed_ = true;
  ++socket().handed_;
  current_context->owner->grant(*this);
}

void socket_wait::note_return() noexcept {
  if (std::exchange(handed_, false) && what() != nullptr) --socket().handed_;
}

// -- streams ----------------------------------------------------------------------------------------------------------

stream_read::stream_read(open_socket& from, std::span<std::byte> into, bool exactly) noexcept
    : socket_wait(operation_kind::read_socket, from, POLLIN), into_(into), exactly_(exactly) {}

// One call, or as many as it takes. Of an empty buffer Linux would say EAGAIN while nothing has come.
std::int64_t stream_read::fill() noexcept {
  if (into_.empty()) return socket().fd() >= 0 ? 0 : -EBADF;
  filled_ += socket().take_returned(into_.subspan(filled_));
  if (filled_ != 0 && (!exactly_ || filled_ == into_.size())) return 0;
  for (;;) {
    const std::span<std::byte> left = into_.subspan(filled_);
    const std::int64_t result = socket().calls().recv(socket().fd(), left.data(), left.size(), 0);
    if (result < 0) return result;
    filled_ += static_cast<std::size_t>(result);
    if (!exactly_ || result == 0 || filled_ == into_.size()) return 0;
  }
}

std::int64_t stream_read::call() noexcept {
  const std::int64_t error = fill();
  if (error == 0) return static_cast<std::int64_t>(filled_);
  if (filled_ == 0) return error;
  if (error == -EAGAIN) return socket().make_room_for_returns(into_.size()) ? error : -ENOMEM;
  return give_back() ? error : -ENOMEM;
}

// The end of the stream comes again by itself.
bool stream_read::give_back() noexcept {
  if (!socket().give_back(into_.first(filled_))) return false;
  filled_ = 0;
  return true;
}

void stream_read::withdraw() noexcept {
  socket_wait::withdraw();
  if (filled_ != 0 && give_back()) socket().tell_waiters(kind());
}

stream_write::stream_write(open_socket& to, std::span<const std::byte> from, bool all) noexcept
    : socket_wait(operation_kind::write_socket, to, POLLOUT), from_(from), all_(all) {}

std::int64_t stream_write::call() noexcept {
  for (;;) {
    const std::span<const std::byte> left = from_.subspan(written_);
    const std::int64_t result = socket().calls().send(socket().fd(), left.data(), left.size(), MSG_NOSIGNAL);
    if (result < 0) return result;
    written_ += static_cast<std::size_t>(result);
    if (!all_ || written_ == from_.size()) return static_cast<std::int64_t>(written_);
  }
}

void reading_exactly::result() {
  outcome();
  if (filled_ != into_.size()) throw incomplete_read(filled_, into_.size());
}

// -- datagrams --------------------------------------------------------------------------------------------------------

datagram_read::datagram_read(open_socket& from, std::span<std::byte> into) noexcept
    : socket_wait(operation_kind::read_socket, from, POLLIN), into_(into) {}

std::int64_t datagram_read::call() noexcept {
  if (open_socket& from = socket(); from.returned_ != nullptr && !from.returned_->datagrams.empty()) {
    std::vector<open_socket::datagram>& kept = from.returned_->datagrams;
    const open_socket::datagram& first = kept.front();
    size_ = std::min(into_.size(), first.bytes.size());
    if (size_ != 0) std::memcpy(into_.data(), first.bytes.data(), size_);
    from_ = first.from;
    truncated_ = first.truncated || size_ < first.bytes.size();
    kept.erase(kept.begin());
    return 0;
  }
  iovec piece{into_.data(), into_.size()};
  msghdr message{};
  message.msg_name = &from_.stored;
  message.msg_namelen = sizeof from_.stored;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const std::int64_t result = socket().calls().recvmsg(socket().fd(), &message, 0);
  if (result < 0) return result;
  from_.size = message.msg_namelen;
  truncated_ = (message.msg_flags & MSG_TRUNC) != 0;
  size_ = static_cast<std::size_t>(result);
  return 0;
}

bool datagram_read::give_back() noexcept { return socket().give_back(into_.first(size_), from_, truncated_); }

datagram_write::datagram_write(open_socket& by, std::span<const std::byte> from, const socket_address& to) noexcept
    : socket_wait(operation_kind::write_socket, by, POLLOUT), from_(from), to_(to) {}

std::int64_t datagram_write::call() noexcept {
  iovec piece{const_cast<std::byte*>(from_.data()), from_.size()};
  msghdr message{};
  message.msg_name = to_.size != 0 ? &to_.stored : nullptr;
  message.msg_namelen = to_.size;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  return socket().calls().sendmsg(socket().fd(), &message, MSG_NOSIGNAL);
}

// -- connections ------------------------------------------------------------------------------------------------------

accepting_socket::accepting_socket(open_socket& listener, const source& where) noexcept
    : socket_wait(operation_kind::accept, listener, POLLIN), calls_(listener.shared_calls()), where_(where) {}

accepting_socket::~accepting_socket() {
  if (fd_ >= 0) calls_->close(fd_);
}

std::int64_t accepting_socket::call() noexcept {
  if (auto* const kept = socket().returned_connections(); kept != nullptr) {
    fd_ = kept->front().fd;
    remote_ = kept->front().remote;
    kept->erase(kept->begin());
    return fd_;
  }
  sockaddr_storage stored{};
  socklen_t size = sizeof stored;
  auto* const address = reinterpret_cast<sockaddr*>(&stored);
  const int result = calls_->accept4(socket().fd(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (result < 0) return result;
  fd_ = result;
  remote_ = endpoint::from(address, size);
  return result;
}

bool accepting_socket::give_back() noexcept {
  if (!socket().give_back(open_socket::connection{fd_, remote_})) return false;
  fd_ = -1;
  return true;
}

std::unique_ptr<open_socket> accepting_socket::accepted(std::string_view noun) {
  outcome();
  std::unique_ptr<open_socket> made;
  try {
    made = std::make_unique<open_socket>(noun, calls_, remote_);
  } catch (const std::bad_alloc&) {
    if (what() != nullptr) give_back();
    throw;
  }
  made->hold(std::exchange(fd_, -1), where_);
  return made;
}

connecting_socket::connecting_socket(std::unique_ptr<open_socket> made, const endpoint& to, int error) noexcept
    : socket_wait(operation_kind::connect, *made, POLLOUT), made_(std::move(made)), to_(to), error_(error) {}

// Begun once; then the socket says when it is over, and how.
std::int64_t connecting_socket::call() noexcept {
  if (error_ != 0) return -error_;
  system_calls& calls = made_->calls();
  if (!std::exchange(begun_, true)) {
    sockaddr_storage stored{};
    const socklen_t size = to_.to(stored);
    const int result = calls.connect(made_->fd(), reinterpret_cast<const sockaddr*>(&stored), size);
    return result == -EINPROGRESS ? -EAGAIN : result;
  }
  pollfd asked{made_->fd(), POLLOUT, 0};
  if (calls.poll(&asked, 1) <= 0) return -EAGAIN;
  int error = 0;
  socklen_t size = sizeof error;
  const int result = calls.getsockopt(made_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return result < 0 ? result : -error;
}

std::unique_ptr<open_socket> connecting_socket::connected() {
  outcome();
  return std::move(made_);
}

}  // namespace detail

}  // namespace lockstep
