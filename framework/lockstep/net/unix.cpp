#include <lockstep/net/unix.hpp>

#include <lockstep/system/current.hpp>

#include <fmt/format.h>

#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <vector>

namespace lockstep {

namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t name_size_max = sizeof(sockaddr_un::sun_path) - 1;

// Of a kind of socket that `noun` is: not yet open.
std::unique_ptr<detail::open_socket> unopened(std::string_view noun, system_calls& calls) {
  return std::make_unique<detail::open_socket>(noun, calls.shared_from_this(), std::nullopt);
}

std::unique_ptr<detail::open_socket> opened(std::string_view noun, int type, const source& where) {
  system_calls& calls = current_system(where);
  auto made = unopened(noun, calls);
  const int fd = calls.socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  detail::checked(fd, std::string(noun));
  made->hold(fd, where);
  return made;
}

std::unique_ptr<detail::open_socket> bound(std::string_view noun, int type, const unix_address& at,
                                           const source& where) {
  auto made = opened(noun, type, where);
  sockaddr_storage stored{};
  const socklen_t size = at.to(stored);
  const int result = made->calls().bind(made->fd(), reinterpret_cast<const sockaddr*>(&stored), size);
  if (result < 0) detail::throw_system_error(-result, fmt::format("{} at {}", noun, at.text()));
  return made;
}

void connect_at_once(const detail::open_socket& here, const unix_address& to) {
  sockaddr_storage stored{};
  const socklen_t size = to.to(stored);
  const int result = here.calls().connect(here.fd(), reinterpret_cast<const sockaddr*>(&stored), size);
  if (result < 0) detail::throw_system_error(-result, fmt::format("connect of {} to {}", here.noun(), to.text()));
}

struct two_sockets {
  std::unique_ptr<detail::open_socket> one;
  std::unique_ptr<detail::open_socket> other;
};

two_sockets connected_with_each_other(std::string_view noun, int type, const source& where) {
  system_calls& calls = current_system(where);
  two_sockets made{unopened(noun, calls), unopened(noun, calls)};
  int fds[2];
  detail::checked(calls.socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
                  fmt::format("pair of {}s", noun));
  made.one->hold(fds[0], where);
  made.other->hold(fds[1], where);
  return made;
}

}  // namespace

// -- unix_address -----------------------------------------------------------------------------------------------------

unix_address::unix_address(std::string_view path) : bytes_(path) {
  if (path.empty() || path.find('\0') != std::string_view::npos || path.size() > name_size_max) {
    throw std::invalid_argument(
        fmt::format("\"{}\" is no path of a socket: 1 to {} bytes, none of them zero", path, name_size_max));
  }
}

unix_address unix_address::abstract(std::string_view name) {
  if (name.size() > name_size_max) {
    throw std::invalid_argument(fmt::format("\"{}\" is no name of a socket: up to {} bytes", name, name_size_max));
  }
  unix_address made;
  made.bytes_.push_back('\0');
  made.bytes_ += name;
  return made;
}

std::string unix_address::text() const { return (is_abstract() ? "@" : "") + std::string(name()); }

socklen_t unix_address::to(sockaddr_storage& into) const noexcept {
  into.ss_family = AF_UNIX;
  if (is_unnamed()) return path_offset;
  auto* const path = reinterpret_cast<char*>(&into) + path_offset;
  std::memcpy(path, bytes_.data(), bytes_.size());
  if (is_abstract()) return static_cast<socklen_t>(path_offset + bytes_.size());
  path[bytes_.size()] = '\0';
  return static_cast<socklen_t>(path_offset + bytes_.size() + 1);
}

unix_address unix_address::from(const sockaddr_storage& address, socklen_t size) {
  unix_address made;
  if (size <= path_offset || address.ss_family != AF_UNIX) return made;
  const auto* const path = reinterpret_cast<const char*>(&address) + path_offset;
  const std::size_t room = std::min<std::size_t>(size - path_offset, name_size_max + 1);
  if (path[0] == '\0') {
    made.bytes_.assign(path, room);
  } else {
    made.bytes_.assign(path, strnlen(path, room));
  }
  return made;
}

std::ostream& operator<<(std::ostream& out, const unix_address& shown) { return out << shown.text(); }

unix_address detail::local_of(const open_socket& of) {
  sockaddr_storage stored{};
  socklen_t size = sizeof stored;
  checked(of.calls().getsockname(of.fd(), reinterpret_cast<sockaddr*>(&stored), &size),
          fmt::format("address of {}", of.noun()));
  return unix_address::from(stored, size);
}

unix_address detail::peer_of(const open_socket& of) {
  sockaddr_storage stored{};
  socklen_t size = sizeof stored;
  checked(of.calls().getpeername(of.fd(), reinterpret_cast<sockaddr*>(&stored), &size),
          fmt::format("peer of {}", of.noun()));
  return unix_address::from(stored, size);
}

// -- streams ----------------------------------------------------------------------------------------------------------

std::pair<unix_stream, unix_stream> unix_stream::pair(source where) {
  two_sockets made = connected_with_each_other("unix_stream", SOCK_STREAM, where);
  return {unix_stream(std::move(made.one)), unix_stream(std::move(made.other))};
}

unix_stream connect_unix(const unix_address& to, source where) {
  auto made = opened("unix_stream", SOCK_STREAM, where);
  connect_at_once(*made, to);
  return unix_stream(std::move(made));
}

unix_listener unix_listener::bind(const unix_address& at, int backlog, source where) {
  auto made = bound("unix_listener", SOCK_STREAM, at, where);
  detail::checked(made->calls().listen(made->fd(), backlog), fmt::format("unix_listener at {}", at.text()));
  return unix_listener(std::move(made));
}

// -- passing descriptors ----------------------------------------------------------------------------------------------

namespace detail {

namespace {

// A message of one byte, which carries room for one descriptor.
struct descriptor_message {
  descriptor_message() noexcept {
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
  }
  descriptor_message(const descriptor_message&) = delete;
  descriptor_message& operator=(const descriptor_message&) = delete;

  char byte = 0;
  iovec piece{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
};

}  // namespace

std::int64_t sending_descriptor::call() noexcept {
  descriptor_message sent;
  cmsghdr* const header = CMSG_FIRSTHDR(&sent.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &sent_, sizeof sent_);
  return socket().calls().sendmsg(socket().fd(), &sent.message, MSG_NOSIGNAL);
}

descriptor_read::descriptor_read(open_socket& from) noexcept
    : socket_wait(operation_kind::read_socket, from, POLLIN), calls_(from.shared_calls()) {}

descriptor_read::~descriptor_read() {
  if (fd_ >= 0) calls_->close(fd_);
}

// 0 at the end of the stream.
std::int64_t descriptor_read::call() noexcept {
  if (auto* const kept = socket().returned_connections(); kept != nullptr) {
    fd_ = kept->front().fd;
    kept->erase(kept->begin());
    return 1;
  }
  descriptor_message got;
  const std::int64_t result = calls_->recvmsg(socket().fd(), &got.message, MSG_CMSG_CLOEXEC);
  if (result <= 0) return result;
  const cmsghdr* const header = CMSG_FIRSTHDR(&got.message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return -EBADMSG;
  std::memcpy(&fd_, CMSG_DATA(header), sizeof fd_);
  return result;
}

bool descriptor_read::give_back() noexcept {
  if (fd_ < 0) return true;  // the end of the stream comes again by itself
  if (!socket().give_back(open_socket::connection{fd_, std::nullopt})) return false;
  fd_ = -1;
  return true;
}

std::optional<passed_descriptor> descriptor_read::received() {
  if (outcome() == 0) return std::nullopt;
  return passed_descriptor(calls_, std::exchange(fd_, -1));
}

}  // namespace detail

// -- datagrams --------------------------------------------------------------------------------------------------------

unix_datagram unix_datagram::bind(const unix_address& at, source where) {
  return unix_datagram(bound("unix_datagram", SOCK_DGRAM, at, where));
}

unix_datagram unix_datagram::unnamed(source where) { return unix_datagram(opened("unix_datagram", SOCK_DGRAM, where)); }

std::pair<unix_datagram, unix_datagram> unix_datagram::pair(source where) {
  two_sockets made = connected_with_each_other("unix_datagram", SOCK_DGRAM, where);
  return {unix_datagram(std::move(made.one)), unix_datagram(std::move(made.other))};
}

void unix_datagram::connect(const unix_address& to, source where) {
  connect_at_once(changed("was connected", where), to);
}

bool unix_datagram::try_send_to(std::span<const std::byte> from, const unix_address& to, source where) {
  const detail::open_socket& here = changed("was sent from", where);
  sockaddr_storage stored{};
  iovec piece{const_cast<std::byte*>(from.data()), from.size()};
  msghdr message{};
  message.msg_name = &stored;
  message.msg_namelen = to.to(stored);
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const std::int64_t result = here.calls().sendmsg(here.fd(), &message, MSG_NOSIGNAL);
  if (result == -EAGAIN) return false;
  if (result < 0) {
    detail::throw_system_error(static_cast<int>(-result), fmt::format("send from {} to {}", here.noun(), to.text()));
  }
  return true;
}

}  // namespace lockstep
