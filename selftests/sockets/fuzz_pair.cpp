#include "fuzz_pair.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace lockstep::sockets {
namespace {

constexpr unsigned asked_events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;

// -- what is not compared ---------------------------------------------------------------------------------------------
// Where one of these comes to pass, the sequence ends, as what follows would differ with reason.

// Linux sends a SYN that was dropped again after a second, of which the simulated kernel's is another.
constexpr const char* dropped_syn = "the queue of a TCP listener is full";
// How many bytes fit into the buffers of TCP depends on how Linux cuts and accounts them; for what comes of full
// buffers the rows stand.
constexpr const char* crowded_tcp = "a TCP buffer is full";
constexpr std::size_t crowded_bytes = 60'000;
constexpr std::size_t crowded_small_bytes = 1'500;
// Two ports that the one kernel has chosen are the same number, for TCP once over IPv4 and once over IPv6, say.
constexpr const char* chance_port = "one kernel gave a port twice, by chance";
// Linux shows that a byte which it has refused with a reset was urgent.
constexpr const char* refused_urgent = "an urgent byte was answered with a reset";
// Besides, names that a Unix socket was given by the kernel are compared only as such.

}  // namespace

// -- the barrier ------------------------------------------------------------------------------------------------------

loopback_barrier::loopback_barrier() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  address own = v4("127.0.0.1");
  const bool is_made = ::bind(socket_, own.get(), own.size) == 0 && ::getsockname(socket_, own.get(), &own.size) == 0 &&
                       ::connect(socket_, own.get(), own.size) == 0;
  if (!is_made) throw std::runtime_error("no barrier on loopback");
}

loopback_barrier::~loopback_barrier() { ::close(socket_); }

// What arrives may cause an answer, and that another.
void loopback_barrier::pass() {
  constexpr int rounds = 3;
  for (int i = 0; i < rounds; ++i) {
    char byte = 0;
    if (::send(socket_, &byte, 1, 0) != 1 || ::recv(socket_, &byte, 1, 0) != 1) throw std::runtime_error("barrier");
  }
}

// -- a step -----------------------------------------------------------------------------------------------------------

fuzz_pair::fuzz_pair(machine& on_simulated, machine& on_real, loopback_barrier& barrier, int patience)
    : on_{&on_simulated, &on_real}, barrier_(barrier), patience_(patience) {}

fuzz_step fuzz_pair::run(const operation& what) {
  step_ = {};
  step_.kind = what.kind;
  connecting_ = nullptr;
  run_maker(what);
  run_naming(what);
  run_data(what);
  run_option(what);
  run_epoll(what);
  run_other(what);
  if (!step_.code.empty() && step_.is == verdict::same) compare();
  return std::move(step_);
}

fuzz_pair::handle* fuzz_pair::pick(std::uint32_t number, const std::function<bool(const handle&)>& preferred,
                                   bool no_other) {
  std::vector<handle*> these;
  for (handle& each : handles_) {
    if (preferred(each)) these.push_back(&each);
  }
  constexpr std::uint32_t one_in = 12;
  const bool takes_any = !no_other && (these.empty() || number % one_in == one_in - 1);
  if (takes_any) {
    these.clear();
    for (handle& each : handles_) these.push_back(&each);
  }
  return these.empty() ? nullptr : these[number / one_in % these.size()];
}

void fuzz_pair::do_both(const std::string& code, const call& on_one) {
  step_.code = code;
  for (const std::size_t arm : {simulated, real}) step_.said[arm] = on_one(arm);
  step_.succeeded = step_.said[simulated].empty() || step_.said[simulated].front() != 'E';
}

// -- names ------------------------------------------------------------------------------------------------------------

fuzz_pair::name fuzz_pair::name_for(const operation& what, const handle& by, bool to_bind) {
  constexpr std::uint32_t one_in = 24;
  if (!to_bind && what.detail % one_in == one_in - 1) {
    address none;
    none.size = sizeof none.bytes;
    return {{none, none}, "address{{}, sizeof(sockaddr_storage)}"};
  }
  const auto has_same_kind = [&by](const handle& each) {
    return each.has_name && each.type == by.type && each.is_inet() == by.is_inet() &&
           (each.listens || each.type != SOCK_STREAM || !each.is_inet());
  };
  if (handle* const to = to_bind || what.object % 4 > 1 ? nullptr : pick(what.object / 4, has_same_kind, true)) {
    name made;
    for (const std::size_t arm : {simulated, real}) {
      made.is[arm].size = sizeof made.is[arm].bytes;
      calls(arm).getsockname(to->fds[arm], made.is[arm].get(), &made.is[arm].size);
    }
    made.code = to->name + ".local()";
    return made;
  }
  return by.domain == AF_UNIX ? unix_name(what, to_bind) : inet_name(what, by, to_bind);
}

fuzz_pair::name fuzz_pair::inet_name(const operation& what, const handle& by, bool to_bind) {
  static constexpr const char* hosts_v4[] = {"127.0.0.1", "127.0.0.1", "0.0.0.0", "127.0.0.2"};
  static constexpr const char* hosts_v6[] = {"::1", "::", "::ffff:127.0.0.1", "::1"};
  constexpr std::uint32_t one_in = 16;
  const bool is_other = what.detail % one_in == one_in - 2;
  const bool is_v6 = (by.domain == AF_INET6) != is_other;
  const std::string host = (is_v6 ? hosts_v6 : hosts_v4)[what.object / 4 % 4];
  const ports& seen = ports_of(by);
  const bool has_seen = !seen.empty() && (!to_bind || what.detail % 3 == 1);
  const std::size_t at = has_seen ? what.detail / 3 % seen.size() : 0;
  name made;
  for (const std::size_t arm : {simulated, real}) {
    // Port 1 is nobody's.
    const std::uint16_t port = has_seen ? seen[at][arm] : to_bind ? std::uint16_t{0} : std::uint16_t{1};
    made.is[arm] = is_v6 ? v6(host, port) : v4(host, port);
  }
  const std::string port =
      has_seen ? fmt::format("{}_{}", by.type == SOCK_STREAM ? "tcp" : "udp", at + 1) : (to_bind ? "0" : "1");
  made.code = fmt::format("{}(\"{}\", {})", is_v6 ? "v6" : "v4", host, port);
  return made;
}

fuzz_pair::name fuzz_pair::unix_name(const operation& what, bool to_bind) {
  constexpr std::uint32_t names = 3;
  constexpr std::uint32_t one_in = 8;
  const std::string text = fmt::format("n{}", what.detail / one_in % names);
  name made;
  for (const std::size_t arm : {simulated, real}) {
    if (to_bind && what.detail % one_in == one_in - 1) {
      made.is[arm].bytes.ss_family = AF_UNIX;
      made.is[arm].size = sizeof made.is[arm].bytes.ss_family;
      made.code = "address{{AF_UNIX, {}, {}}, 2}";
    } else if (what.detail % one_in > one_in - 4) {
      made.is[arm] = on_[arm]->path(text);
      made.code = fmt::format("on.path(\"{}\")", text);
    } else {
      made.is[arm] = on_[arm]->abstract(text);
      made.code = fmt::format("on.abstract(\"{}\")", text);
    }
  }
  return made;
}

// The two that stand for each other, once the socket has one.
void fuzz_pair::note_port(handle& of) {
  std::array<std::uint16_t, 2> are{};
  for (const std::size_t arm : {simulated, real}) {
    address is;
    is.size = sizeof is.bytes;
    if (calls(arm).getsockname(of.fds[arm], is.get(), &is.size) != 0) return;
    are[arm] = port_of(is);
  }
  if (are[simulated] == 0 || are[real] == 0) return;
  of.has_name = true;
  ports& seen = ports_of(of);
  for (const auto& each : seen) {
    if (each == are) return;
    if (each[simulated] == are[simulated] || each[real] == are[real]) {
      step_.is = verdict::ended;
      step_.why_ended = chance_port;
      return;
    }
  }
  seen.push_back(are);
  step_.code += fmt::format("\nconst std::uint16_t {}_{} = port_of({}.local());",
                            of.type == SOCK_STREAM ? "tcp" : "udp", seen.size(), of.name);
}

std::string fuzz_pair::text_of(std::size_t arm, const handle& of, const address& is) {
  if (is.size < sizeof is.bytes.ss_family) return "nobody";
  if (is.bytes.ss_family == AF_UNIX) {
    constexpr std::size_t chosen = offsetof(sockaddr_un, sun_path) + 6;
    const auto& un = reinterpret_cast<const sockaddr_un&>(is.bytes);
    if (is.size == chosen && un.sun_path[0] == '\0') return "@chosen";
    return on_[arm]->text_of(is);
  }
  if (is.bytes.ss_family != AF_INET && is.bytes.ss_family != AF_INET6) return "no family";
  const std::uint16_t port = port_of(is);
  std::string text = on_[arm]->text_of(is);
  text.erase(text.rfind(':') + 1);
  const ports& seen = ports_of(of);
  const auto found = std::find_if(seen.begin(), seen.end(), [&](const auto& each) { return each[arm] == port; });
  if (found != seen.end()) return text + "#" + std::to_string(found - seen.begin() + 1);
  return text + (port < 2 ? std::to_string(port) : "#new");
}

// -- comparing --------------------------------------------------------------------------------------------------------

std::vector<fuzz_pair::readiness> fuzz_pair::look(std::size_t arm) {
  std::vector<pollfd> asked;
  for (const handle& each : handles_) asked.push_back({each.fds[arm], asked_events, 0});
  calls(arm).poll(asked.data(), asked.size());
  std::vector<readiness> are;
  for (std::size_t i = 0; i < handles_.size(); ++i) {
    int bytes = 0;
    if (handles_[i].domain != AF_UNSPEC) {
      const int result = calls(arm).ioctl(handles_[i].fds[arm], FIONREAD, &bytes);
      if (result < 0) bytes = result;
    }
    are.push_back({static_cast<unsigned short>(asked[i].revents), bytes});
  }
  return are;
}

std::string fuzz_pair::text_of(const std::vector<readiness>& are) const {
  std::string text;
  for (std::size_t i = 0; i < are.size(); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", handles_[i].name, events_text(are[i].events));
    if (are[i].bytes != 0) text += " " + result_text(are[i].bytes);
  }
  return text;
}

// What differs only in how much of the bytes of TCP is here, or there, while there are many.
bool fuzz_pair::ends_here(const std::vector<readiness>& on_simulated, const std::vector<readiness>& on_real) {
  if (connecting_ != nullptr && on_simulated[static_cast<std::size_t>(connecting_ - handles_.data())].events == 0) {
    step_.why_ended = dropped_syn;
    return true;
  }
  for (std::size_t i = 0; sent_urgent_ && i < handles_.size(); ++i) {
    if ((on_simulated[i].events ^ on_real[i].events) != POLLPRI || (on_real[i].events & POLLHUP) == 0) continue;
    step_.why_ended = refused_urgent;
    return true;
  }
  if (!is_crowded_) return false;
  for (std::size_t i = 0; i < handles_.size(); ++i) {
    if (on_simulated[i] == on_real[i]) continue;
    if (!handles_[i].is_tcp()) return false;
    if (((on_simulated[i].events ^ on_real[i].events) & ~unsigned{POLLOUT | POLLPRI}) != 0) return false;
    if ((on_simulated[i].bytes > 0) != (on_real[i].bytes > 0)) return false;
  }
  step_.why_ended = crowded_tcp;
  return true;
}

void fuzz_pair::note_tcp(std::size_t bytes, bool small_buffer) {
  tcp_bytes_ += bytes;
  small_buffers_ |= small_buffer;
  is_crowded_ |= tcp_bytes_ > (small_buffers_ ? crowded_small_bytes : crowded_bytes);
}

// Linux puts off the answer to a FIN by 40 ms, now and then, and wakes whoever watches when it comes.
bool fuzz_pair::has_late_acknowledgement() {
  const auto state_on = [this](std::size_t arm, const handle& of) {
    tcp_info info{};
    socklen_t size = sizeof info;
    calls(arm).getsockopt(of.fds[arm], IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_state;
  };
  return std::any_of(handles_.begin(), handles_.end(), [&](const handle& each) {
    return each.is_tcp() && state_on(real, each) == TCP_FIN_WAIT1 && state_on(simulated, each) == TCP_FIN_WAIT2;
  });
}

void fuzz_pair::compare() {
  if (step_.said[simulated] != step_.said[real]) {
    const bool moves = step_.kind == operation_kind::send || step_.kind == operation_kind::write ||
                       step_.kind == operation_kind::recv || step_.kind == operation_kind::read ||
                       step_.kind == operation_kind::recv_from || step_.kind == operation_kind::send_to;
    const bool have_moved = step_.said[simulated].front() != 'E' && step_.said[real].front() != 'E' &&
                            step_.said[simulated] != "0" && step_.said[real] != "0";
    step_.is = is_crowded_ && moves && have_moved ? verdict::ended : verdict::differs;
    step_.why_ended = crowded_tcp;
    return;
  }
  const std::vector<readiness> on_simulated = look(simulated);
  std::vector<readiness> on_real;
  constexpr int late_max = 250;
  for (int waited = 0;; ++waited) {
    barrier_.pass();
    on_real = look(real);
    if (waited < late_max && has_late_acknowledgement()) {
      ::poll(nullptr, 0, 1);
      continue;
    }
    if (on_simulated == on_real || ends_here(on_simulated, on_real) || waited == patience_) break;
    ::poll(nullptr, 0, 1);
  }
  step_.ready = {text_of(on_simulated), text_of(on_real)};
  step_.is = ends_here(on_simulated, on_real) ? verdict::ended
             : on_simulated == on_real        ? verdict::same
                                              : verdict::differs;
}

}  // namespace lockstep::sockets
