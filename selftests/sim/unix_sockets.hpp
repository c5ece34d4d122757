// Addresses and messages of Unix sockets, for tests.
#pragma once

#include "in_world.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace lockstep {

// The address of a path, or of an abstract name with an '@' before it.
class path_or_name {
 public:
  explicit path_or_name(std::string_view name) {
    whole_.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), whole_.sun_path);
    const bool abstract = !name.empty() && name[0] == '@';
    if (abstract) whole_.sun_path[0] = '\0';
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (abstract || name.empty() ? 0 : 1));
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&whole_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_un whole_{};
  socklen_t size_ = 0;
};

inline int bind_to(system_calls& system, int fd, std::string_view name) {
  const path_or_name at(name);
  return system.bind(fd, at.get(), at.size());
}

inline int connect_to(system_calls& system, int fd, std::string_view name) {
  const path_or_name at(name);
  return system.connect(fd, at.get(), at.size());
}

inline int listening_unix(system_calls& system, std::string_view name, int backlog, int type = SOCK_STREAM) {
  const int fd = system.socket(AF_UNIX, type, 0);
  EXPECT_EQ(bind_to(system, fd, name), 0);
  EXPECT_EQ(system.listen(fd, backlog), 0);
  return fd;
}

inline descriptor_pair pair_of_unix(system_calls& system, int type = SOCK_STREAM) {
  descriptor_pair made;
  EXPECT_EQ(system.socketpair(AF_UNIX, type, 0, made.fds), 0);
  return made;
}

inline std::int64_t send_to(system_calls& system, int fd, std::string_view name, std::string_view text) {
  const path_or_name at(name);
  iovec piece{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(at.get());
  message.msg_namelen = at.size();
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  return system.sendmsg(fd, &message, 0);
}

// Control data of one kind.
template <class T>
std::vector<std::byte> control_of(int type, const std::vector<T>& values) {
  const std::size_t size = values.size() * sizeof(T);
  std::vector<std::byte> made(CMSG_SPACE(size));
  cmsghdr head{};
  head.cmsg_len = CMSG_LEN(size);
  head.cmsg_level = SOL_SOCKET;
  head.cmsg_type = type;
  std::memcpy(made.data(), &head, sizeof head);
  if (size != 0) std::memcpy(made.data() + CMSG_LEN(0), values.data(), size);
  return made;
}

inline std::int64_t send_control(system_calls& system, int fd, std::string_view text, std::vector<std::byte> control) {
  iovec piece{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  return system.sendmsg(fd, &message, 0);
}

inline std::int64_t send_fds(system_calls& system, int fd, std::string_view text, const std::vector<int>& fds) {
  return send_control(system, fd, text, control_of(SCM_RIGHTS, fds));
}

struct received_message {
  std::int64_t result = 0;
  std::string text;
  std::string from;  // the bytes of the name
  std::vector<int> fds;
  std::vector<ucred> senders;
  int flags = 0;
};

inline received_message receive(system_calls& system, int fd, std::size_t size, std::size_t control_size = 200,
                                int flags = 0) {
  std::string text(size, '\0');
  std::vector<std::byte> control(control_size);
  sockaddr_un from{};
  iovec piece{text.data(), size};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control_size == 0 ? nullptr : control.data();
  message.msg_controllen = control_size;
  received_message got;
  got.result = system.recvmsg(fd, &message, flags);
  if (got.result < 0) return got;
  got.flags = message.msg_flags;
  got.text = text.substr(0, std::min(size, static_cast<std::size_t>(got.result)));
  if (message.msg_namelen > 2) got.from.assign(from.sun_path, message.msg_namelen - 2);
  for (std::size_t at = 0; at + sizeof(cmsghdr) <= message.msg_controllen;) {
    cmsghdr head;
    std::memcpy(&head, control.data() + at, sizeof head);
    const std::byte* const data = control.data() + at + sizeof head;
    const std::size_t data_size = head.cmsg_len - sizeof head;
    if (head.cmsg_type == SCM_RIGHTS) {
      got.fds.resize(data_size / sizeof(int));
      std::memcpy(got.fds.data(), data, got.fds.size() * sizeof(int));
    } else if (head.cmsg_type == SCM_CREDENTIALS && data_size == sizeof(ucred)) {
      ucred sender;
      std::memcpy(&sender, data, sizeof sender);
      got.senders.push_back(sender);
    }
    at += CMSG_ALIGN(head.cmsg_len);
  }
  return got;
}

inline int error_of(system_calls& system, int fd) {
  int error = -1;
  socklen_t size = sizeof error;
  system.getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

inline void pass_credentials(system_calls& system, int fd, int on = 1) {
  EXPECT_EQ(system.setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
}

}  // namespace lockstep
