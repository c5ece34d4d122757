#include <lockstep/sim/netstat.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/tcp_socket.hpp>
#include <lockstep/sim/udp_socket.hpp>
#include <lockstep/sim/unix_socket.hpp>

#include <fmt/format.h>

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace lockstep {

namespace sim {

namespace {

const char* name_of_tcp_state(std::uint8_t state) noexcept {
  switch (state) {
    case TCP_ESTABLISHED: return "ESTAB";
    case TCP_SYN_SENT: return "SYN-SENT";
    case TCP_SYN_RECV: return "SYN-RECV";
    case TCP_FIN_WAIT1: return "FIN-WAIT-1";
    case TCP_FIN_WAIT2: return "FIN-WAIT-2";
    case TCP_CLOSE_WAIT: return "CLOSE-WAIT";
    case TCP_LAST_ACK: return "LAST-ACK";
    case TCP_LISTEN: return "LISTEN";
    default: return "UNCONN";
  }
}

std::string text_of_name(const endpoint& name) { return name.port() == 0 ? "*" : name.text(); }

std::string text_of_unix_name(const std::string& name) {
  if (name.empty()) return "*";
  return name[0] == '\0' ? "@" + name.substr(1) : name.substr(0, name.find('\0'));
}

void show_end(const tcp_end& end, socket_status& as) {
  as.protocol = "tcp";
  as.state = name_of_tcp_state(end.state());
  as.receive_queue = end.in().available();
  as.send_queue = end.out().unacknowledged();
  as.local = text_of_name(end.local());
  as.peer = text_of_name(end.peer().local());
}

}  // namespace

void tcp_socket::show(socket_status& as) const {
  if (end_ != nullptr) return show_end(*end_, as);
  as.protocol = "tcp";
  as.state = name_of_tcp_state(state());
  as.local = text_of_name(holder_.claim.local);
  as.peer = "*";
  if (phase_ != phase::listening) return;
  const std::deque<tcp_end*>& waiting = queue_->waiting;
  as.receive_queue = static_cast<std::uint64_t>(std::count_if(
      waiting.begin(), waiting.end(), [](tcp_end* each) { return each->at() != tcp_end::phase::syn_received; }));
  as.send_queue = queue_->backlog;
}

void udp_socket::show(socket_status& as) const {
  as.protocol = "udp";
  as.state = peer_ ? "ESTAB" : "UNCONN";
  for (const arrived& each : queue_) as.receive_queue += each.payload.size();
  as.local = text_of_name(port_.claim.local);
  as.peer = peer_ ? text_of_name(*peer_) : "*";
}

void unix_socket::show(socket_status& as) const {
  as.protocol = of_stream() ? "u_str" : of_datagrams() ? "u_dgr" : "u_seq";
  as.state = phase_ == phase::listening ? "LISTEN" : peer_ != nullptr ? "ESTAB" : "UNCONN";
  as.local = text_of_unix_name(self_->name);
  as.peer = peer_ != nullptr ? text_of_unix_name(peer_->name) : "*";
  if (phase_ == phase::listening) {
    as.receive_queue = pending_.size();
    as.send_queue = backlog_;
    return;
  }
  as.receive_queue = bytes_.size();
  if (!of_datagrams() && peer_ != nullptr && peer_->socket != nullptr) as.send_queue = peer_->socket->bytes_.size();
}

}  // namespace sim

netstat::netstat(sim::network& of) {
  detail::touch(everything, access::write);
  const auto add_end = [&](const sim::tcp_end& end, const sim::host& on) {
    const bool is_there = end.at() != sim::tcp_end::phase::closed && end.at() != sim::tcp_end::phase::unborn;
    if (end.where() != &on || end.has_owner() || !is_there) return;
    sim::show_end(end, sockets_.emplace_back(socket_status{on.name()}));
  };
  for (const auto& host : of.hosts()) {
    std::vector<const sim::open_file*> seen;
    const auto& slots = host->descriptors().slots();
    for (std::size_t fd = 0; fd < slots.size(); ++fd) {
      const sim::socket* const found = slots[fd].file ? slots[fd].file->as_socket() : nullptr;
      if (found == nullptr || std::find(seen.begin(), seen.end(), found) != seen.end()) continue;
      seen.push_back(found);
      socket_status& made = sockets_.emplace_back(socket_status{host->name(), static_cast<int>(fd)});
      made.opened_at = found->opened_at();
      found->show(made);
    }
    for (sim::tcp_connection& each : of.connections()) {
      add_end(each.client(), *host);
      add_end(each.server(), *host);
    }
    for (const auto& each : host->ports().kept_ports()) {
      if (each.until <= host->now()) continue;
      socket_status& made = sockets_.emplace_back(socket_status{host->name(), -1, "tcp", "TIME-WAIT"});
      made.local = sim::text_of_name(each.claim.local);
      made.peer = "*";
    }
  }
}

std::size_t netstat::count(std::string_view protocol, std::string_view state) const noexcept {
  return static_cast<std::size_t>(std::count_if(sockets_.begin(), sockets_.end(), [&](const socket_status& each) {
    return each.protocol == protocol && (state.empty() || each.state == state);
  }));
}

std::string netstat::text() const {
  constexpr std::size_t columns = 9;
  using line = std::array<std::string, columns>;
  std::vector<line> lines{{"host", "fd", "proto", "state", "recv-q", "send-q", "local", "peer", "opened at"}};
  for (const socket_status& each : sockets_) {
    lines.push_back({each.host, each.descriptor < 0 ? "-" : std::to_string(each.descriptor), each.protocol, each.state,
                     std::to_string(each.receive_queue), std::to_string(each.send_queue), each.local, each.peer,
                     each.opened_at.line() == 0 ? "-" : file_and_line(each.opened_at)});
  }
  std::array<std::size_t, columns> widths{};
  for (const line& each : lines) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], each[i].size());
  }
  std::string text;
  for (const line& each : lines) {
    for (std::size_t i = 0; i < columns; ++i) {
      const bool number = i == 1 || i == 4 || i == 5;
      if (i + 1 == columns) {
        text += each[i];
      } else if (number) {
        text += fmt::format("{:>{}}  ", each[i], widths[i]);
      } else {
        text += fmt::format("{:<{}}  ", each[i], widths[i]);
      }
    }
    text += '\n';
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const netstat& shown) { return out << shown.text(); }

}  // namespace lockstep
