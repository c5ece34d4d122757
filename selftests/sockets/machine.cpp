#include "machine.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include <linux/sockios.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lockstep::sockets {
namespace {

using against_linux::bytes_text;

std::string text_of_type(int how) {
  if (how == SHUT_RD) return "SHUT_RD";
  if (how == SHUT_WR) return "SHUT_WR";
  return how == SHUT_RDWR ? "SHUT_RDWR" : std::to_string(how);
}

// Without the port.
std::string host_text(const address& of) {
  char text[INET6_ADDRSTRLEN] = {};
  if (of.bytes.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&of.bytes)->sin_addr, text, sizeof text);
    return text;
  }
  ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&of.bytes)->sin6_addr, text, sizeof text);
  return fmt::format("[{}]", text);
}

std::string message_flags_text(int flags) {
  std::string text;
  const auto add = [&](int flag, const char* name) { text += (flags & flag) != 0 ? std::string(" ") + name : ""; };
  add(MSG_PEEK, "MSG_PEEK");
  add(MSG_TRUNC, "MSG_TRUNC");
  add(MSG_CTRUNC, "MSG_CTRUNC");
  add(MSG_WAITALL, "MSG_WAITALL");
  add(MSG_DONTWAIT, "MSG_DONTWAIT");
  add(MSG_OOB, "MSG_OOB");
  add(MSG_MORE, "MSG_MORE");
  add(MSG_EOR, "MSG_EOR");
  add(MSG_ERRQUEUE, "MSG_ERRQUEUE");
  return text;
}

}  // namespace

// -- addresses and texts ----------------------------------------------------------------------------------------------

address v4(const std::string& host, std::uint16_t port) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &in.sin_addr) != 1) throw row_ended("no address: " + host);
  address made;
  std::memcpy(&made.bytes, &in, sizeof in);
  made.size = sizeof in;
  return made;
}

address v6(const std::string& host, std::uint16_t port) {
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, host.c_str(), &in.sin6_addr) != 1) throw row_ended("no address: " + host);
  address made;
  std::memcpy(&made.bytes, &in, sizeof in);
  made.size = sizeof in;
  return made;
}

std::uint16_t port_of(const address& of) {
  // At the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&of.bytes)->sin_port);
}

address with_port(address of, std::uint16_t port) {
  reinterpret_cast<sockaddr_in*>(&of.bytes)->sin_port = htons(port);
  return of;
}

std::string events_text(unsigned events) {
  static constexpr std::pair<unsigned, const char*> names[] = {
      {POLLIN, "IN"},   {POLLPRI, "PRI"},   {POLLOUT, "OUT"},    {POLLERR, "ERR"},
      {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"}, {POLLRDHUP, "RDHUP"}};
  std::string text;
  for (const auto& [bit, name] : names) {
    if ((events & bit) != 0) text += (text.empty() ? "" : "|") + std::string(name);
  }
  return text.empty() ? "-" : text;
}

// -- descriptor: calls that write a line ------------------------------------------------------------------------------

std::int64_t descriptor::line(const std::string& call, std::int64_t result, const std::string& instead) {
  on_->says(name_ + " " + call, result < 0 || instead.empty() ? result_text(result) : instead);
  return result;
}

int descriptor::bind(const address& to) {
  const std::string name = on_->text_of(to);
  return static_cast<int>(line("bind " + name, calls_->bind(number_, to.get(), to.size)));
}

int descriptor::listen(int backlog) {
  return static_cast<int>(line(fmt::format("listen {}", backlog), calls_->listen(number_, backlog)));
}

int descriptor::connect(const address& to) {
  const std::string name = on_->text_of(to);
  return static_cast<int>(line("connect " + name, calls_->connect(number_, to.get(), to.size)));
}

descriptor descriptor::accept(const std::string& name) {
  const int made = calls_->accept4(number_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  line("accept", made, name);
  return descriptor(*on_, *calls_, made, name);
}

std::int64_t descriptor::send(const std::string& text, int flags) {
  const std::int64_t result = calls_->send(number_, text.data(), text.size(), flags | MSG_NOSIGNAL);
  return line("send " + bytes_text(text) + message_flags_text(flags), result);
}

std::int64_t descriptor::send_to(const std::string& text, const address& to) {
  address copy = to;
  iovec piece = {const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_name = copy.get();
  message.msg_namelen = copy.size;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const std::int64_t result = calls_->sendmsg(number_, &message, MSG_NOSIGNAL);
  return line(fmt::format("send {} to {}", bytes_text(text), on_->text_of(to)), result);
}

std::int64_t descriptor::recv(std::size_t size, int flags) {
  std::string into(size, '?');
  const std::int64_t result = calls_->recv(number_, into.data(), size, flags);
  const std::size_t got = result > 0 ? std::min(size, static_cast<std::size_t>(result)) : 0;
  std::string text = got > 0 ? bytes_text(into.substr(0, got)) : "";
  if (result > static_cast<std::int64_t>(size)) text += fmt::format(" of {}", result);
  return line(fmt::format("recv {}{}", size, message_flags_text(flags)), result, text);
}

std::int64_t descriptor::recv_from(std::size_t size, int flags) {
  std::string into(size, '?');
  address from;
  iovec piece = {into.data(), size};
  msghdr message{};
  message.msg_name = &from.bytes;
  message.msg_namelen = sizeof from.bytes;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const std::int64_t result = calls_->recvmsg(number_, &message, flags);
  from.size = message.msg_namelen;
  const std::size_t got = result > 0 ? std::min(size, static_cast<std::size_t>(result)) : 0;
  const std::string text = bytes_text(into.substr(0, got)) + message_flags_text(message.msg_flags) +
                           (from.size > 0 ? " from " + on_->text_of(from) : " from nobody");
  return line(fmt::format("recvmsg {}{}", size, message_flags_text(flags)), result, text);
}

std::int64_t descriptor::write(const std::string& text) {
  return line("write " + bytes_text(text), calls_->write(number_, text.data(), text.size()));
}

std::int64_t descriptor::read(std::size_t size) {
  std::string into(size, '?');
  const std::int64_t result = calls_->read(number_, into.data(), size);
  return line(fmt::format("read {}", size), result,
              result > 0 ? bytes_text(into.substr(0, static_cast<std::size_t>(result))) : "");
}

int descriptor::shutdown(int how) {
  return static_cast<int>(line("shutdown " + text_of_type(how), calls_->shutdown(number_, how)));
}

int descriptor::close() { return static_cast<int>(line("close", calls_->close(number_))); }

void descriptor::poll() { on_->says(name_ + " poll", events_text(ready())); }

void descriptor::error() {
  int value = -1;
  socklen_t size = sizeof value;
  const int result = calls_->getsockopt(number_, SOL_SOCKET, SO_ERROR, &value, &size);
  line("SO_ERROR", result, result_text(-value));
}

int descriptor::set(const option& which, int value) {
  const int result = calls_->setsockopt(number_, which.level, which.name, &value, sizeof value);
  return static_cast<int>(line(fmt::format("set {} {}", which.text, value), result));
}

int descriptor::get(const option& which) {
  int value = -1;
  socklen_t size = sizeof value;
  const int result = calls_->getsockopt(number_, which.level, which.name, &value, &size);
  line(fmt::format("get {}", which.text), result, std::to_string(value));
  return value;
}

void descriptor::local_name() {
  address is;
  is.size = sizeof is.bytes;
  const int result = calls_->getsockname(number_, is.get(), &is.size);
  line("getsockname", result, result < 0 ? "" : on_->text_of(is));
}

void descriptor::peer_name() {
  address is;
  is.size = sizeof is.bytes;
  const int result = calls_->getpeername(number_, is.get(), &is.size);
  line("getpeername", result, result < 0 ? "" : on_->text_of(is));
}

int descriptor::fcntl(int command, const char* text, std::int64_t argument) {
  const int result = calls_->fcntl(number_, command, argument);
  return static_cast<int>(line(text, result));
}

// -- of an epoll ------------------------------------------------------------------------------------------------------

int descriptor::control(int operation, const char* text, const descriptor& watched, unsigned events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = on_->key_of(watched);
  const int result = calls_->epoll_ctl(number_, operation, watched.number(), &event);
  return static_cast<int>(line(fmt::format("{} {}", text, watched.name()), result));
}

int descriptor::add(const descriptor& watched, unsigned events) {
  return control(EPOLL_CTL_ADD, "add", watched, events);
}

int descriptor::modify(const descriptor& watched, unsigned events) {
  return control(EPOLL_CTL_MOD, "modify", watched, events);
}

int descriptor::remove(const descriptor& watched) { return control(EPOLL_CTL_DEL, "remove", watched, 0); }

void descriptor::events(int events_max) {
  std::vector<epoll_event> happened(static_cast<std::size_t>(std::max(events_max, 1)));
  const int result = calls_->epoll_wait(number_, happened.data(), events_max);
  std::string text;
  for (int i = 0; i < result; ++i) {
    const epoll_event& each = happened[static_cast<std::size_t>(i)];
    text += (i > 0 ? ", " : "") + on_->name_of(each.data.u64) + " " + events_text(each.events);
  }
  line("epoll_wait", result, text.empty() ? "nothing" : text);
}

// -- descriptor: calls that write none --------------------------------------------------------------------------------

unsigned descriptor::ready() const {
  pollfd asked = {number_, POLLIN | POLLPRI | POLLOUT | POLLRDHUP, 0};
  const int result = calls_->poll(&asked, 1);
  if (result < 0) on_->ends(name_ + " poll: " + result_text(result));
  return static_cast<unsigned short>(asked.revents);
}

void descriptor::wait(unsigned events) {
  if (!on_->wait_ready(number_, events, [&] { return (ready() & events) != 0; })) {
    on_->ends(fmt::format("{} never becomes {}, but is {}", name_, events_text(events), events_text(ready())));
  }
}

void descriptor::wait_for_bytes(int count) {
  int there = -1;
  const auto come = [&] { return calls_->ioctl(number_, FIONREAD, &there) >= 0 && there >= count; };
  if (!on_->wait_until(come)) on_->ends(fmt::format("{} never gets {} bytes, but {}", name_, count, there));
}

void descriptor::wait_for_acknowledgement() {
  int left = -1;
  const auto gone = [&] { return calls_->ioctl(number_, SIOCOUTQ, &left) >= 0 && left == 0; };
  if (!on_->wait_until(gone)) on_->ends(fmt::format("{} never has its last {} bytes acknowledged", name_, left));
}

void descriptor::wait_for_arrival() {
  const auto arrived = [&] {
    tcp_info info{};
    socklen_t size = sizeof info;
    const int result = calls_->getsockopt(number_, IPPROTO_TCP, TCP_INFO, &info, &size);
    return result < 0 || info.tcpi_unacked == 0;
  };
  if (!on_->wait_until(arrived)) on_->ends(name_ + " never has acknowledged what it has sent");
}

void descriptor::wait_for_reset() { wait(POLLERR | POLLHUP); }

address descriptor::local() const {
  address is;
  is.size = sizeof is.bytes;
  const int result = calls_->getsockname(number_, is.get(), &is.size);
  if (result < 0) on_->ends(name_ + " getsockname: " + result_text(result));
  return is;
}

address descriptor::peer() const {
  address is;
  is.size = sizeof is.bytes;
  const int result = calls_->getpeername(number_, is.get(), &is.size);
  if (result < 0) on_->ends(name_ + " getpeername: " + result_text(result));
  return is;
}

void descriptor::must_set(const option& which, int value) {
  const int result = calls_->setsockopt(number_, which.level, which.name, &value, sizeof value);
  if (result < 0) on_->ends(fmt::format("{} set {}: {}", name_, which.text, result_text(result)));
}

void descriptor::linger(int seconds) {
  const struct linger value = {1, seconds};
  const int result = calls_->setsockopt(number_, SOL_SOCKET, SO_LINGER, &value, sizeof value);
  if (result < 0) on_->ends(name_ + " set SO_LINGER: " + result_text(result));
}

std::size_t descriptor::fill(std::size_t piece) {
  const std::string bytes(piece, 'x');
  std::size_t sent = 0;
  do {
    for (std::int64_t done; (done = calls_->write(number_, bytes.data(), bytes.size())) != -EAGAIN;) {
      if (done <= 0) on_->ends(name_ + " fill: " + result_text(done));
      sent += static_cast<std::size_t>(done);
    }
    wait_for_arrival();
  } while ((ready() & POLLOUT) != 0);
  return sent;
}

std::size_t descriptor::drain(std::size_t piece, std::size_t bytes_max) {
  std::string into(piece, '?');
  std::size_t got = 0;
  while (got < bytes_max) {
    const std::int64_t done = calls_->read(number_, into.data(), std::min(piece, bytes_max - got));
    if (done == 0 || done == -EAGAIN) break;
    if (done < 0) on_->ends(name_ + " drain: " + result_text(done));
    got += static_cast<std::size_t>(done);
  }
  return got;
}

// -- machine ----------------------------------------------------------------------------------------------------------

bool machine::wait_ready(int, unsigned, const std::function<bool()>& holds) { return wait_until(holds); }

address machine::find_host(const std::string& host) { ends("there is no other host: " + host); }
void machine::cut() { ends("there is no cable to cut"); }
void machine::mend() { ends("there is no cable to mend"); }

int machine::must(const std::string& call, int result) {
  if (result < 0) ends(call + ": " + result_text(result));
  return result;
}

descriptor machine::socket(int domain, int type, const std::string& name, const std::string& host) {
  system_calls& on = calls(host);
  return descriptor(*this, on, must("socket", on.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), name);
}

descriptor machine::bound(int type, const std::string& name) {
  const descriptor made = socket(AF_INET, type, name);
  const address any = v4("127.0.0.1");
  must("bind", calls().bind(made.number(), any.get(), any.size));
  return made;
}

descriptor machine::listening(int backlog, const std::string& name) {
  const descriptor made = bound(SOCK_STREAM, name);
  must("listen", calls().listen(made.number(), backlog));
  return made;
}

descriptor machine::connecting(const descriptor& to, const std::string& name) {
  const address where = to.local();
  const descriptor made = socket(where.bytes.ss_family, SOCK_STREAM, name);
  const int result = calls().connect(made.number(), where.get(), where.size);
  if (result != -EINPROGRESS) must("connect", result);
  return made;
}

std::pair<descriptor, descriptor> machine::tcp_pair() {
  descriptor listener = listening();
  descriptor client = connecting(listener);
  listener.wait(POLLIN);
  client.wait(POLLOUT);
  const int made = must("accept", calls().accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  must("close", calls().close(listener.number()));
  return {client, named(made, "server")};
}

std::pair<descriptor, descriptor> machine::unix_pair(int type) {
  int ends[2] = {-1, -1};
  must("socketpair", calls().socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends));
  return {named(ends[0], "a"), named(ends[1], "b")};
}

std::pair<descriptor, descriptor> machine::pipe() {
  int ends[2] = {-1, -1};
  must("pipe2", calls().pipe2(ends, O_NONBLOCK | O_CLOEXEC));
  return {named(ends[0], "reader"), named(ends[1], "writer")};
}

descriptor machine::epoll(const std::string& name) {
  return named(must("epoll_create1", calls().epoll_create1(EPOLL_CLOEXEC)), name);
}

descriptor machine::named(int number, const std::string& name) { return descriptor(*this, calls(), number, name); }

address machine::deaf_address() { return bound(SOCK_STREAM, "deaf").local(); }

address machine::deaf_datagram_address() {
  const descriptor deaf = bound(SOCK_DGRAM, "deaf");
  const address is = deaf.local();
  must("connect", calls().connect(deaf.number(), is.get(), is.size));
  return is;
}

address machine::host_address(const std::string& host, std::uint16_t port) {
  const address is = with_port(find_host(host), port);
  hosts_[host_text(is)] = host;
  return is;
}

address machine::path(const std::string& name) {
  const std::string whole = folder() + "/" + name;
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  if (whole.size() >= sizeof un.sun_path) ends("the path is too long: " + whole);
  std::memcpy(un.sun_path, whole.data(), whole.size());
  address made;
  std::memcpy(&made.bytes, &un, sizeof un);
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + whole.size() + 1);
  return made;
}

address machine::abstract(const std::string& name) {
  const std::string whole = std::string(1, '\0') + prefix() + name;
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  if (whole.size() > sizeof un.sun_path) ends("the name is too long: " + name);
  std::memcpy(un.sun_path, whole.data(), whole.size());
  address made;
  std::memcpy(&made.bytes, &un, sizeof un);
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + whole.size());
  return made;
}

// -- the transcript ---------------------------------------------------------------------------------------------------

std::string machine::text_of(const address& of) {
  const sa_family_t family = of.size < sizeof of.bytes.ss_family ? sa_family_t{AF_UNSPEC} : of.bytes.ss_family;
  if (family == AF_UNIX) {
    const auto& un = reinterpret_cast<const sockaddr_un&>(of.bytes);
    std::string name(un.sun_path, of.size - offsetof(sockaddr_un, sun_path));
    if (name.empty()) return "no name";
    for (const std::string& own : {folder() + "/", prefix()}) {
      if (const std::size_t at = name.find(own); at != std::string::npos) name.erase(at, own.size());
    }
    if (name.front() == '\0') return "@" + name.substr(1);
    return name.substr(0, name.find('\0'));
  }
  if (family != AF_INET && family != AF_INET6) return "AF_UNSPEC";
  const std::string numbers = host_text(of);
  const auto named = hosts_.find(numbers);
  const std::uint16_t port = port_of(of);
  const auto seen = static_cast<int>(ports_.size()) + 1;
  return (named == hosts_.end() ? numbers : named->second) + ":" +
         (port == 0 ? "0" : fmt::format("#{}", ports_.emplace(port, seen).first->second));
}

std::uint64_t machine::key_of(const descriptor& of) {
  watched_.push_back(of.name());
  return watched_.size() - 1;
}

}  // namespace lockstep::sockets
