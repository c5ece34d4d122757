#include <lockstep/sim/unix_message.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/unix_socket.hpp>

#include <sys/un.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace lockstep::sim {

namespace {

constexpr std::size_t files_max = 253;
constexpr std::size_t name_offset = offsetof(sockaddr_un, sun_path);

// Appends to the control data of a message, as far as there is room.
class control_writer {
 public:
  explicit control_writer(msghdr& message) noexcept
      : message_(message), left_(message.msg_control == nullptr ? 0 : message.msg_controllen) {}

  std::size_t room() const noexcept { return left_ < sizeof(cmsghdr) ? 0 : left_ - sizeof(cmsghdr); }
  // What does not fit is cut off.
  void put(int type, const void* data, std::size_t size) noexcept {
    if (left_ < sizeof(cmsghdr)) {
      message_.msg_flags |= MSG_CTRUNC;
      return;
    }
    if (size > room()) {
      message_.msg_flags |= MSG_CTRUNC;
      size = room();
    }
    cmsghdr head{};
    head.cmsg_len = CMSG_LEN(size);
    head.cmsg_level = SOL_SOCKET;
    head.cmsg_type = type;
    auto* const to = static_cast<std::byte*>(message_.msg_control) + used_;
    std::memcpy(to, &head, sizeof head);
    std::memcpy(to + sizeof head, data, size);
    const std::size_t space = std::min(CMSG_SPACE(size), left_);
    used_ += space;
    left_ -= space;
  }
  std::size_t used() const noexcept { return used_; }

 private:
  msghdr& message_;
  std::size_t left_;
  std::size_t used_ = 0;
};

int read_files(host& on, const std::byte* from, std::size_t count, std::vector<file_reference>& files) {
  if (count + files.size() > files_max) return -EINVAL;
  for (std::size_t i = 0; i < count; ++i) {
    int fd = -1;
    std::memcpy(&fd, from + i * sizeof fd, sizeof fd);
    open_file* const file = on.descriptors().find(fd);
    if (file == nullptr) return -EBADF;
    files.emplace_back(file);
  }
  return 0;
}

int read_credentials(host& on, const std::byte* from, std::size_t size, ucred& sender) noexcept {
  if (size != sizeof sender) return -EINVAL;
  std::memcpy(&sender, from, sizeof sender);
  const ucred own = on.credentials();
  if (!on.privileged() && (sender.pid != own.pid || sender.uid != own.uid || sender.gid != own.gid)) return -EPERM;
  return sender.pid != own.pid ? -ESRCH : 0;
}

}  // namespace

void unix_message::drop(unix_message& gone) noexcept {
  const std::unique_ptr<unix_message> owned(&gone);
  const std::shared_ptr<unix_party> sender = gone.from;
  detail::touch(sender->id, access::write);
  sender->queued -= gone.memory;
  if (!gone.with.files.empty()) gone.on->unix_names().count_flight(-1);
  if (sender->socket != nullptr) sender->socket->has_room();
}

int read_control(host& on, const msghdr& message, unix_ancillary& with) {
  const auto* const begin = static_cast<const std::byte*>(message.msg_control);
  const std::size_t size = begin == nullptr ? 0 : message.msg_controllen;
  std::size_t at = 0;
  while (at < size && size - at >= sizeof(cmsghdr)) {
    cmsghdr head;
    std::memcpy(&head, begin + at, sizeof head);
    if (head.cmsg_len < sizeof head || head.cmsg_len > size - at) return -EINVAL;
    const std::byte* const data = begin + at + sizeof head;
    const std::size_t data_size = head.cmsg_len - sizeof head;
    at += CMSG_ALIGN(head.cmsg_len);
    if (head.cmsg_level != SOL_SOCKET) continue;
    int failed = -EINVAL;
    if (head.cmsg_type == SCM_RIGHTS) failed = read_files(on, data, data_size / sizeof(int), with.files);
    if (head.cmsg_type == SCM_CREDENTIALS) failed = read_credentials(on, data, data_size, with.sender);
    if (failed != 0) return failed;
  }
  return 0;
}

void write_control(host& on, msghdr& message, const unix_ancillary& with, bool pass_credentials) {
  control_writer out(message);
  if (pass_credentials) out.put(SCM_CREDENTIALS, &with.sender, sizeof with.sender);
  int fds[files_max];
  std::size_t count = 0;
  const std::size_t most = std::min(with.files.size(), out.room() / sizeof(int));
  for (; count < most; ++count) {
    fds[count] = on.descriptors().add(with.files[count], (message.msg_flags & MSG_CMSG_CLOEXEC) != 0);
    if (fds[count] < 0) break;
  }
  if (count != 0) out.put(SCM_RIGHTS, fds, count * sizeof(int));
  if (count < with.files.size()) message.msg_flags |= MSG_CTRUNC;
  message.msg_controllen = out.used();
}

int write_unix_name(const std::string& name, sockaddr* address, socklen_t* size) noexcept {
  if (static_cast<int>(*size) < 0) return -EINVAL;
  const sa_family_t family = AF_UNIX;
  const std::size_t room = *size;
  std::memcpy(address, &family, std::min(room, sizeof family));
  if (room > name_offset) {
    std::memcpy(reinterpret_cast<char*>(address) + name_offset, name.data(), std::min(room - name_offset, name.size()));
  }
  *size = static_cast<socklen_t>(name_offset + name.size());
  return 0;
}

int read_unix_name(const sockaddr* address, socklen_t size, std::string& name) {
  if (size <= name_offset || size > sizeof(sockaddr_un) || address->sa_family != AF_UNIX) return -EINVAL;
  const char* const path = reinterpret_cast<const char*>(address) + name_offset;
  const std::size_t length = size - name_offset;
  if (path[0] == '\0') {
    name.assign(path, length);
  } else {
    name.assign(path, strnlen(path, length));
    name += '\0';  // which counts, as Linux has it
  }
  return 0;
}

// A block with its header of 320 bytes is rounded up to a power of two, and there is a head of 256.
std::uint64_t message_memory(std::size_t size, std::size_t in_pages) noexcept {
  constexpr std::size_t line = 64;
  constexpr std::size_t page = 4096;
  constexpr std::size_t trailer = 320;
  constexpr std::size_t least = 512;
  constexpr std::size_t head = 256;
  const std::size_t block = (size - in_pages + line - 1) / line * line + trailer;
  return std::bit_ceil(std::max(block, least)) + head + (in_pages + page - 1) / page * page;
}

}  // namespace lockstep::sim
