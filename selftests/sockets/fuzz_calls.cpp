// The operations of fuzz_pair, one after another.
#include "fuzz_pair.hpp"

#include <lockstep/base/hash.hpp>

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lockstep::sockets {
namespace {

using enum operation_kind;

constexpr int new_socket = SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr std::size_t sizes[] = {1,    5,    0,    2,      100,    1000,   2048,   3000,   4096,
                                 4097, 8192, 9000, 16'384, 30'000, 65'507, 65'508, 65'536, 212'960};

std::string ok_text(int result) { return result < 0 ? result_text(result) : "ok"; }

// The same for the same number, and another for the next.
std::string bytes_of(std::size_t size, unsigned number) {
  constexpr unsigned letters = 26;
  constexpr unsigned step = 7;
  std::string made(size, ' ');
  for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>('a' + (number * step + i) % letters);
  return made;
}

std::string text_of_bytes(const std::string& bytes) {
  constexpr std::size_t shown_max = 24;
  if (bytes.size() <= shown_max) return fmt::format("\"{}\"", bytes);
  return fmt::format("{} bytes ({:x})", bytes.size(), hash_of(bytes) & 0xFFFF);
}

struct named_flag {
  int value;
  const char* text;
};
constexpr named_flag receive_flags[] = {{0, "0"},
                                        {0, "0"},
                                        {0, "0"},
                                        {0, "0"},
                                        {MSG_PEEK, "MSG_PEEK"},
                                        {MSG_PEEK, "MSG_PEEK"},
                                        {MSG_OOB, "MSG_OOB"},
                                        {MSG_TRUNC, "MSG_TRUNC"},
                                        {MSG_WAITALL, "MSG_WAITALL"}};

struct settable {
  option which;
  int values[3];
  bool is_buffer = false;
};
const settable set_options[] = {
    {LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEADDR), {1, 1, 0}},
    {LOCKSTEP_OPTION(SOL_SOCKET, SO_LINGER), {0, 0, 0}},
    {LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), {1, 4096, 8192}, true},
    {LOCKSTEP_OPTION(SOL_SOCKET, SO_RCVBUF), {1, 4096, 8192}, true},
    {LOCKSTEP_OPTION(IPPROTO_TCP, TCP_NODELAY), {1, 1, 0}},
    {LOCKSTEP_OPTION(IPPROTO_IPV6, IPV6_V6ONLY), {1, 1, 0}},
    {LOCKSTEP_OPTION(SOL_SOCKET, SO_OOBINLINE), {1, 1, 0}},
    {LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEPORT), {1, 1, 0}},
    {LOCKSTEP_OPTION(SOL_SOCKET, SO_RCVLOWAT), {10, 1, 0}},
    {LOCKSTEP_OPTION(SOL_SOCKET, SO_KEEPALIVE), {1, 1, 0}},
};
const option get_options[] = {
    LOCKSTEP_OPTION(SOL_SOCKET, SO_ACCEPTCONN), LOCKSTEP_OPTION(SOL_SOCKET, SO_TYPE),
    LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEADDR),  LOCKSTEP_OPTION(SOL_SOCKET, SO_DOMAIN),
    LOCKSTEP_OPTION(IPPROTO_TCP, TCP_NODELAY),  LOCKSTEP_OPTION(IPPROTO_IPV6, IPV6_V6ONLY),
    LOCKSTEP_OPTION(SOL_SOCKET, SO_RCVLOWAT),
};

const named_flag watched_events[] = {
    {EPOLLIN, "EPOLLIN"},
    {EPOLLIN | EPOLLOUT | EPOLLRDHUP, "EPOLLIN | EPOLLOUT | EPOLLRDHUP"},
    {EPOLLOUT, "EPOLLOUT"},
    {EPOLLIN | EPOLLOUT, "EPOLLIN | EPOLLOUT"},
    {EPOLLRDHUP | EPOLLPRI, "EPOLLRDHUP | EPOLLPRI"},
    {0, "0"},
};
const named_flag watched_modes[] = {{0, ""},
                                    {static_cast<int>(EPOLLET), " | EPOLLET"},
                                    {EPOLLONESHOT, " | EPOLLONESHOT"},
                                    {static_cast<int>(EPOLLET | EPOLLONESHOT), " | EPOLLET | EPOLLONESHOT"}};

// That of the packets; 0 for none.
int family_of(const address& of) {
  if (of.bytes.ss_family != AF_INET6) return of.bytes.ss_family;
  const auto& in = reinterpret_cast<const sockaddr_in6&>(of.bytes).sin6_addr;
  return IN6_IS_ADDR_V4MAPPED(&in) ? AF_INET : AF_INET6;
}

template <class T, std::size_t Size>
const T& one_of(const T (&these)[Size], std::uint32_t number) {
  return these[number % Size];
}

}  // namespace

// -- what makes descriptors -------------------------------------------------------------------------------------------

void fuzz_pair::make(const std::string& code, const std::vector<handle>& like,
                     const std::function<int(std::size_t, int*)>& on_one) {
  std::vector<handle> made = like;
  do_both(code, [&](std::size_t arm) {
    int fds[2] = {-1, -1};
    const int result = on_one(arm, fds);
    for (std::size_t i = 0; i < made.size(); ++i) made[i].fds[arm] = fds[i];
    return ok_text(result);
  });
  if (step_.said[simulated] != "ok" || step_.said[real] != "ok") return;
  for (handle& each : made) {
    if (each.file == 0) each.file = ++files_;
    handles_.push_back(each);
  }
}

void fuzz_pair::run_maker(const operation& what) {
  constexpr std::size_t handles_max = 24;
  if (handles_.size() >= handles_max) return;
  handle one;
  handle other;
  switch (what.kind) {
    case socket: {
      const socket_type& type = socket_type_of(what.subject);
      one = {.name = fresh_name(), .domain = type.domain, .type = type.type};
      make(fmt::format("descriptor {} = on.socket({}, \"{}\");", one.name, type.text, one.name), {one},
           [&](std::size_t arm, int* fds) {
             return fds[0] = calls(arm).socket(type.domain, type.type | new_socket, 0);
           });
      break;
    }
    case socketpair: {
      static constexpr named_flag types[] = {
          {SOCK_STREAM, "SOCK_STREAM"}, {SOCK_DGRAM, "SOCK_DGRAM"}, {SOCK_SEQPACKET, "SOCK_SEQPACKET"}};
      const named_flag& type = one_of(types, what.detail);
      one = {.name = fresh_name(), .domain = AF_UNIX, .type = type.value};
      other = one;
      other.name = fresh_name();
      make(fmt::format("auto [{}, {}] = on.unix_pair({});", one.name, other.name, type.text), {one, other},
           [&](std::size_t arm, int* fds) { return calls(arm).socketpair(AF_UNIX, type.value | new_socket, 0, fds); });
      break;
    }
    case pipe:
      one.name = fresh_name();
      other.name = fresh_name();
      make(fmt::format("auto [{}, {}] = on.pipe();", one.name, other.name), {one, other},
           [&](std::size_t arm, int* fds) { return calls(arm).pipe2(fds, O_NONBLOCK | O_CLOEXEC); });
      break;
    case eventfd: {
      const unsigned begin = what.detail % 3;
      const int flags = EFD_NONBLOCK | EFD_CLOEXEC | (what.object % 2 == 1 ? EFD_SEMAPHORE : 0);
      one = {.name = fresh_name(), .is_event = true};
      make(fmt::format("descriptor {} = on.named(on.calls().eventfd({}, {:#x}), \"{}\");", one.name, begin, flags,
                       one.name),
           {one}, [&](std::size_t arm, int* fds) { return fds[0] = calls(arm).eventfd(begin, flags); });
      break;
    }
    case epoll:
      one = {.name = fresh_name(), .is_epoll = true};
      make(fmt::format("descriptor {} = on.epoll(\"{}\");", one.name, one.name), {one},
           [&](std::size_t arm, int* fds) { return fds[0] = calls(arm).epoll_create1(EPOLL_CLOEXEC); });
      break;
    case accept: {
      const handle* const by = pick(what.subject, [](const handle& each) { return each.listens; });
      if (by == nullptr) return;
      const handle listener = *by;
      one = {.name = fresh_name(), .domain = listener.domain, .type = listener.type};
      std::array<std::string, 2> from;
      make(fmt::format("descriptor {} = {}.accept(\"{}\");", one.name, listener.name, one.name), {one},
           [&](std::size_t arm, int* fds) {
             address peer;
             peer.size = sizeof peer.bytes;
             fds[0] = calls(arm).accept4(listener.fds[arm], peer.get(), &peer.size, new_socket);
             if (fds[0] >= 0) from[arm] = " from " + text_of(arm, listener, peer);
             return fds[0];
           });
      for (const std::size_t arm : {simulated, real}) step_.said[arm] += from[arm];
      if (!from[simulated].empty() && !from[real].empty() && one.is_inet()) note_port(handles_.back());
      break;
    }
    case dup: {
      const handle* const by = pick(what.subject, [](const handle& each) { return each.domain != AF_UNSPEC; });
      if (by == nullptr) return;
      const handle old = *by;
      one = old;
      one.name = fresh_name();
      make(fmt::format("descriptor {} = on.named(on.calls().dup({}.number()), \"{}\");", one.name, old.name, one.name),
           {one}, [&](std::size_t arm, int* fds) { return fds[0] = calls(arm).dup(old.fds[arm]); });
      break;
    }
    default: break;
  }
}

// -- names ------------------------------------------------------------------------------------------------------------

void fuzz_pair::run_naming(const operation& what) {
  const auto is_socket = [](const handle& each) { return each.domain != AF_UNSPEC; };
  const auto is_fresh = [](const handle& each) { return each.domain != AF_UNSPEC && !each.has_name && !each.listens; };
  const auto can_listen = [](const handle& each) { return each.domain != AF_UNSPEC && each.type != SOCK_DGRAM; };
  switch (what.kind) {
    case bind: {
      handle* const by = pick(what.subject, is_fresh);
      if (by == nullptr) return;
      const name to = name_for(what, *by, true);
      if (by->first_peer == AF_INET && family_of(to.is[simulated]) == AF_INET6) return;
      do_both(fmt::format("{}.bind({});", by->name, to.code), [&](std::size_t arm) {
        return result_text(calls(arm).bind(by->fds[arm], to.is[arm].get(), to.is[arm].size));
      });
      if (step_.succeeded) by->has_name = true;
      if (step_.succeeded && by->is_inet()) note_port(*by);
      break;
    }
    case listen: {
      static constexpr int backlogs[] = {8, 0, 1, 8, -1};
      handle* const by = pick(what.subject, can_listen);
      if (by == nullptr) return;
      const int backlog = one_of(backlogs, what.detail);
      do_both(fmt::format("{}.listen({});", by->name, backlog),
              [&](std::size_t arm) { return result_text(calls(arm).listen(by->fds[arm], backlog)); });
      if (step_.succeeded) by->listens = true;
      if (step_.succeeded && by->is_inet()) note_port(*by);
      break;
    }
    case connect: {
      handle* const by = pick(what.subject, is_fresh);
      if (by == nullptr) return;
      const name to = name_for(what, *by, false);
      // From one address family to another is not modelled.
      const int family = family_of(to.is[simulated]);
      if (by->domain == AF_INET6 && by->first_peer != 0 && family != 0 && family != by->first_peer) return;
      const int file = by->file;
      for (handle& each : handles_) {
        if (each.file == file && each.first_peer == 0) each.first_peer = family;
      }
      do_both(fmt::format("{}.connect({});", by->name, to.code), [&](std::size_t arm) {
        return result_text(calls(arm).connect(by->fds[arm], to.is[arm].get(), to.is[arm].size));
      });
      if (by->is_inet()) note_port(*by);
      if (by->is_tcp() && step_.said[simulated] == "EINPROGRESS") connecting_ = by;
      break;
    }
    case local_name:
    case peer_name: {
      const handle* const by = pick(what.subject, is_socket);
      if (by == nullptr) return;
      const bool is_local = what.kind == local_name;
      do_both(fmt::format("{}.{}();", by->name, is_local ? "local_name" : "peer_name"), [&](std::size_t arm) {
        address is;
        is.size = sizeof is.bytes;
        const int result = is_local ? calls(arm).getsockname(by->fds[arm], is.get(), &is.size)
                                    : calls(arm).getpeername(by->fds[arm], is.get(), &is.size);
        return result < 0 ? result_text(result) : text_of(arm, *by, is);
      });
      break;
    }
    default: break;
  }
}

// -- data -------------------------------------------------------------------------------------------------------------

void fuzz_pair::send(const operation& what, handle& by) {
  constexpr std::uint32_t one_in = 20;
  const std::size_t size = one_of(sizes, what.detail);
  // The urgent byte of a Unix stream is not modelled.
  const bool urgent = what.kind == operation_kind::send && by.is_tcp() && what.object % one_in == one_in - 1;
  const int flags = urgent ? MSG_OOB : 0;
  sent_urgent_ |= urgent;
  std::string bytes = bytes_of(size, ++sent_);
  std::string code = fmt::format("{}.{}(\"{}\"", by.name, what.kind == write ? "write" : "send", bytes);
  constexpr std::size_t shown_max = 8;
  if (size > shown_max)
    code = fmt::format("{}.{}(std::string({}, 'x')", by.name, what.kind == write ? "write" : "send", size);
  if (by.is_event) {
    static constexpr std::uint64_t numbers[] = {1, 3, 0, ~std::uint64_t{0} - 1, ~std::uint64_t{0}};
    bytes.assign(sizeof(std::uint64_t), ' ');
    std::memcpy(bytes.data(), &one_of(numbers, what.detail), bytes.size());
    code = fmt::format("{}.write(bytes_of({})", by.name, one_of(numbers, what.detail));
  }
  if (by.is_tcp()) note_tcp(size, false);
  name to;
  if (what.kind == send_to) {
    to = name_for(what, by, false);
    code = fmt::format("{}.send_to(std::string({}, 'x'), {}", by.name, size, to.code);
  }
  do_both(code + (urgent ? ", MSG_OOB);" : ");"), [&](std::size_t arm) -> std::string {
    if (what.kind == write) return result_text(calls(arm).write(by.fds[arm], bytes.data(), bytes.size()));
    if (what.kind == operation_kind::send) {
      return result_text(calls(arm).send(by.fds[arm], bytes.data(), bytes.size(), flags | MSG_NOSIGNAL));
    }
    iovec piece = {bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_name = to.is[arm].get();
    message.msg_namelen = to.is[arm].size;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    return result_text(calls(arm).sendmsg(by.fds[arm], &message, MSG_NOSIGNAL));
  });
  if (by.is_inet()) note_port(by);
}

void fuzz_pair::receive(const operation& what, handle& by) {
  static constexpr std::size_t room[] = {100, 1, 0, 5, 4096, 70'000, 8, 300'000};
  const std::size_t size = one_of(room, what.detail);
  const named_flag& flags = one_of(receive_flags, what.object);
  std::string code = fmt::format("{}.{}({}", by.name, what.kind == recv_from ? "recv_from" : "recv", size);
  if (what.kind == read) code = fmt::format("{}.read({}", by.name, size);
  if (what.kind != read && flags.value != 0) code += fmt::format(", {}", flags.text);
  do_both(code + ");", [&](std::size_t arm) {
    std::string into(size, '?');
    std::int64_t result = 0;
    std::string rest;
    if (what.kind == read) {
      result = calls(arm).read(by.fds[arm], into.data(), size);
    } else if (what.kind == recv) {
      result = calls(arm).recv(by.fds[arm], into.data(), size, flags.value);
    } else {
      address from;
      iovec piece = {into.data(), size};
      msghdr message{};
      message.msg_name = &from.bytes;
      message.msg_namelen = sizeof from.bytes;
      message.msg_iov = &piece;
      message.msg_iovlen = 1;
      result = calls(arm).recvmsg(by.fds[arm], &message, flags.value);
      from.size = message.msg_namelen;
      if (result >= 0) rest = fmt::format(" from {}, flags {:#x}", text_of(arm, by, from), message.msg_flags);
    }
    if (result <= 0) return result_text(result) + rest;
    into.resize(std::min(size, static_cast<std::size_t>(result)));
    if (by.is_event) return "a number " + std::to_string(hash_of(into) & 0xFFFF);
    return fmt::format("{}: {}{}", result, text_of_bytes(into), rest);
  });
}

void fuzz_pair::run_data(const operation& what) {
  const auto talks = [](const handle& each) { return each.domain != AF_UNSPEC && !each.listens; };
  const auto has_bytes = [](const handle& each) { return !each.is_epoll && !each.listens; };
  const auto has_messages = [](const handle& each) { return each.type == SOCK_DGRAM; };
  switch (what.kind) {
    case operation_kind::send:
    case send_to:
      if (handle* const by = what.kind == send_to ? pick(what.subject, has_messages) : pick(what.subject, talks)) {
        if (by->domain != AF_UNSPEC) send(what, *by);
      }
      break;
    case write:
      if (handle* const by = pick(what.subject, has_bytes)) send(what, *by);
      break;
    case recv:
    case recv_from:
      if (handle* const by = pick(what.subject, talks)) receive(what, *by);
      break;
    case read:
      if (handle* const by = pick(what.subject, has_bytes)) receive(what, *by);
      break;
    default: break;
  }
}

// -- options ----------------------------------------------------------------------------------------------------------

void fuzz_pair::run_option(const operation& what) {
  if (what.kind != set && what.kind != get && what.kind != error) return;
  const handle* const by = pick(what.subject, [](const handle& each) { return each.domain != AF_UNSPEC; });
  if (by == nullptr) return;
  if (what.kind != set) {
    const option which = what.kind == error ? LOCKSTEP_OPTION(SOL_SOCKET, SO_ERROR) : one_of(get_options, what.object);
    do_both(what.kind == error ? by->name + ".error();" : fmt::format("{}.get({});", by->name, which.text),
            [&](std::size_t arm) {
              int value = -1;
              socklen_t size = sizeof value;
              const int result = calls(arm).getsockopt(by->fds[arm], which.level, which.name, &value, &size);
              return result < 0 ? result_text(result) : result_text(what.kind == error ? -value : value);
            });
    return;
  }
  const settable& which = one_of(set_options, what.object);
  const int value = one_of(which.values, what.detail);
  const linger aborting = {1, 0};
  const bool is_linger = which.which.name == SO_LINGER && which.which.level == SOL_SOCKET;
  if (by->is_tcp()) note_tcp(0, which.is_buffer);
  const std::string code =
      is_linger ? by->name + ".linger(0);" : fmt::format("{}.set({}, {});", by->name, which.which.text, value);
  do_both(code, [&](std::size_t arm) {
    const void* const from = is_linger ? static_cast<const void*>(&aborting) : &value;
    const socklen_t size = is_linger ? sizeof aborting : sizeof value;
    return result_text(calls(arm).setsockopt(by->fds[arm], which.which.level, which.which.name, from, size));
  });
}

// -- epoll ------------------------------------------------------------------------------------------------------------

void fuzz_pair::run_epoll(const operation& what) {
  if (what.kind != add && what.kind != modify && what.kind != remove && what.kind != events) return;
  const handle* const by = pick(what.subject, [](const handle& each) { return each.is_epoll; });
  if (by == nullptr) return;
  if (what.kind == events) {
    do_both(by->name + ".events();", [&](std::size_t arm) {
      constexpr int events_max = 32;
      epoll_event happened[events_max] = {};
      const int result = calls(arm).epoll_wait(by->fds[arm], happened, events_max);
      if (result <= 0) return result_text(result);
      std::vector<std::string> texts;
      for (int i = 0; i < result; ++i) {
        texts.push_back(fmt::format("{} {}", keys_.at(happened[i].data.u64), events_text(happened[i].events)));
      }
      return fmt::format("{}", fmt::join(texts, ", "));
    });
    return;
  }
  const handle* const watched = pick(what.object, [](const handle& each) { return !each.is_epoll; });
  if (watched == nullptr) return;
  const named_flag& asked = one_of(watched_events, what.detail);
  const named_flag& mode = one_of(watched_modes, what.detail / 8);
  const int control = what.kind == add ? EPOLL_CTL_ADD : what.kind == modify ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
  const char* const text = what.kind == add ? "add" : what.kind == modify ? "modify" : "remove";
  keys_.push_back(watched->name);
  const std::string flags = what.kind == remove ? "" : fmt::format(", {}{}", asked.text, mode.text);
  do_both(fmt::format("{}.{}({}{});", by->name, text, watched->name, flags), [&](std::size_t arm) {
    epoll_event event{};
    event.events = static_cast<unsigned>(asked.value | mode.value);
    event.data.u64 = keys_.size() - 1;
    return result_text(calls(arm).epoll_ctl(by->fds[arm], control, watched->fds[arm], &event));
  });
}

// -- the rest ---------------------------------------------------------------------------------------------------------

void fuzz_pair::run_other(const operation& what) {
  const auto is_any = [](const handle&) { return true; };
  const auto is_socket = [](const handle& each) { return each.domain != AF_UNSPEC; };
  switch (what.kind) {
    case shutdown: {
      static constexpr named_flag hows[] = {{SHUT_WR, "SHUT_WR"}, {SHUT_RD, "SHUT_RD"}, {SHUT_RDWR, "SHUT_RDWR"}};
      const handle* const by = pick(what.subject, is_socket);
      if (by == nullptr) return;
      const named_flag& how = one_of(hows, what.detail);
      do_both(fmt::format("{}.shutdown({});", by->name, how.text),
              [&](std::size_t arm) { return result_text(calls(arm).shutdown(by->fds[arm], how.value)); });
      break;
    }
    case close: {
      const handle* const by = pick(what.subject, is_any);
      if (by == nullptr) return;
      do_both(by->name + ".close();", [&](std::size_t arm) { return result_text(calls(arm).close(by->fds[arm])); });
      handles_.erase(handles_.begin() + (by - handles_.data()));
      break;
    }
    case dup3: {
      const handle* const by = pick(what.subject, is_any);
      handle* const as = pick(what.object, is_any);
      if (by == nullptr || by == as) return;
      do_both(fmt::format("on.says_ok(\"dup3\", on.calls().dup3({}.number(), {}.number(), O_CLOEXEC));", by->name,
                          as->name),
              [&](std::size_t arm) { return ok_text(calls(arm).dup3(by->fds[arm], as->fds[arm], O_CLOEXEC)); });
      const handle before = *as;
      *as = *by;
      as->fds = before.fds;
      as->name = before.name;
      break;
    }
    case fcntl: {
      struct command {
        int number;
        const char* text;
        std::int64_t argument;
      };
      static constexpr command commands[] = {{F_GETFL, "F_GETFL", 0},
                                             {F_GETFD, "F_GETFD", 0},
                                             {F_SETFD, "F_SETFD", FD_CLOEXEC},
                                             {F_GETPIPE_SZ, "F_GETPIPE_SZ", 0},
                                             {F_SETPIPE_SZ, "F_SETPIPE_SZ", 4096}};
      const handle* const by = pick(what.subject, is_any);
      if (by == nullptr) return;
      const command& which = one_of(commands, what.detail);
      do_both(
          fmt::format("{}.fcntl({}, \"fcntl {}\", {});", by->name, which.text, which.text, which.argument),
          [&](std::size_t arm) { return result_text(calls(arm).fcntl(by->fds[arm], which.number, which.argument)); });
      break;
    }
    default: break;
  }
}

}  // namespace lockstep::sockets
