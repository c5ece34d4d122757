#include <lockstep/sim/own_socket.hpp>

#include <algorithm>
#include <utility>

namespace lockstep::sim {

own_socket::own_socket(file_reference file, unsigned events) : file_(std::move(file)) {
  set_events(events);
  file_->watch(*this);
}

own_socket::~own_socket() {
  if (linked()) unlink();
}

int own_socket::bind(const endpoint& to) {
  sockaddr_storage name;
  const socklen_t size = to.to(name);
  return get().bind(reinterpret_cast<const sockaddr*>(&name), size);
}

int own_socket::connect(const endpoint& to) {
  sockaddr_storage name;
  const socklen_t size = to.to(name);
  return get().connect(reinterpret_cast<const sockaddr*>(&name), size);
}

std::int64_t own_socket::send(std::span<const std::byte> message, const endpoint* to) {
  const iovec piece{const_cast<std::byte*>(message.data()), message.size()};
  if (to == nullptr) return get().send(&piece, 1, MSG_NOSIGNAL, nullptr);
  sockaddr_storage name;
  msghdr rest{};
  rest.msg_name = &name;
  rest.msg_namelen = to->to(name);
  return get().send(&piece, 1, MSG_NOSIGNAL, &rest);
}

std::int64_t own_socket::receive(std::vector<std::byte>& message, std::size_t bytes_max, endpoint* from) {
  message.resize(bytes_max);
  sockaddr_storage name{};
  const iovec piece{message.data(), message.size()};
  msghdr rest{};
  rest.msg_name = &name;
  rest.msg_namelen = sizeof name;
  const std::int64_t size = get().receive(&piece, 1, 0, from != nullptr ? &rest : nullptr);
  message.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  if (size >= 0 && from != nullptr) *from = *endpoint::from(reinterpret_cast<const sockaddr*>(&name), rest.msg_namelen);
  return size;
}

bool dns_stream::take(std::vector<std::byte>& message) {
  constexpr std::size_t prefix = 2;
  if (come_.size() < prefix) return false;
  const std::size_t length = std::to_integer<std::size_t>(come_[0]) << 8 | std::to_integer<std::size_t>(come_[1]);
  if (come_.size() < prefix + length) return false;
  const auto begin = come_.begin() + static_cast<std::ptrdiff_t>(prefix);
  const auto end = begin + static_cast<std::ptrdiff_t>(length);
  message.assign(begin, end);
  come_.erase(come_.begin(), end);
  return true;
}

std::vector<std::byte> dns_stream::framed(std::span<const std::byte> message) {
  constexpr std::size_t prefix = 2;
  std::vector<std::byte> all(prefix + message.size());
  all[0] = static_cast<std::byte>(message.size() >> 8);
  all[1] = static_cast<std::byte>(message.size() & 0xFF);
  std::copy(message.begin(), message.end(), all.begin() + static_cast<std::ptrdiff_t>(prefix));
  return all;
}

}  // namespace lockstep::sim
