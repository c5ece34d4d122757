#include <lockstep/sim/name_server.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/packet.hpp>
#include <lockstep/sim/tcp_socket.hpp>
#include <lockstep/sim/udp_socket.hpp>

#include <fmt/format.h>

#include <limits>

namespace lockstep::sim {

namespace {

constexpr std::uint16_t dns_port = 53;
constexpr std::size_t datagram_max = 512;
constexpr std::size_t message_max = 65'535;

int bind_to_port(socket& of) {
  sockaddr_storage name;
  const socklen_t size = endpoint(ip_address::any_v6(), dns_port).to(name);
  return of.bind(reinterpret_cast<const sockaddr*>(&name), size);
}

}  // namespace

name_server::own_socket::own_socket(file_reference file) : file_(std::move(file)) {
  set_events(POLLIN);
  file_->watch(*this);
}

name_server::own_socket::~own_socket() {
  if (linked()) unlink();
}

class name_server::datagrams final : public own_socket {
 public:
  datagrams(name_server& of, file_reference file) : own_socket(std::move(file)), of_(of) {}

  void may_be_ready() noexcept override {
    std::vector<std::byte> room(message_max);
    for (;;) {
      sockaddr_storage name{};
      iovec piece{room.data(), room.size()};
      msghdr message{};
      message.msg_name = &name;
      message.msg_namelen = sizeof name;
      const std::int64_t size = get().receive(&piece, 1, 0, &message);
      if (size < 0) return;
      const auto from = endpoint::from(reinterpret_cast<const sockaddr*>(&name), message.msg_namelen);
      of_.asked(std::span(room).first(static_cast<std::size_t>(size)), {*from, 0});
    }
  }

 private:
  name_server& of_;
};

class name_server::connection final : public own_socket {
 public:
  connection(name_server& of, file_reference file, std::uint64_t number)
      : own_socket(std::move(file)), of_(of), number_(number) {}

  // Messages, each with its length before it. Ends this when the peer has ended.
  void may_be_ready() noexcept override {
    for (;;) {
      std::byte room[1024];
      const iovec piece{room, sizeof room};
      const std::int64_t size = get().receive(&piece, 1, 0, nullptr);
      if (size == -EAGAIN) break;
      if (size <= 0) {
        of_.connections_.erase(number_);
        return;
      }
      come_.insert(come_.end(), room, room + size);
    }
    constexpr std::size_t prefix = 2;
    while (come_.size() >= prefix) {
      const std::size_t length = std::to_integer<std::size_t>(come_[0]) << 8 | std::to_integer<std::size_t>(come_[1]);
      if (come_.size() < prefix + length) return;
      const std::vector<std::byte> message(come_.begin() + prefix,
                                           come_.begin() + static_cast<std::ptrdiff_t>(prefix + length));
      come_.erase(come_.begin(), come_.begin() + static_cast<std::ptrdiff_t>(prefix + length));
      of_.asked(message, {{}, number_});
    }
  }

 private:
  name_server& of_;
  std::uint64_t number_;
  std::vector<std::byte> come_;
};

class name_server::listener final : public own_socket {
 public:
  listener(name_server& of, file_reference file) : own_socket(std::move(file)), of_(of) {}

  void may_be_ready() noexcept override {
    for (file_reference made; get().accept(made) == 0; made = {}) {
      const std::uint64_t number = of_.next_connection_++;
      auto accepted = std::make_unique<connection>(of_, made, number);
      connection& added = *(of_.connections_[number] = std::move(accepted));
      added.may_be_ready();
    }
  }

 private:
  name_server& of_;
};

// The server needs a while for it, and may have gone then.
class name_server::held_answer final : public packet {
 public:
  held_answer(name_service& of, std::vector<std::byte> message, asker to)
      : of_(of), message_(std::move(message)), to_(std::move(to)) {}

  identity destination() const noexcept override { return hash_of("name server"); }
  std::size_t bytes() const noexcept override { return message_.size(); }

 private:
  void arrive() noexcept override {
    if (name_server* const server = of_.server()) server->answer(message_, to_);
  }

  name_service& of_;
  std::vector<std::byte> message_;
  asker to_;
};

name_server::name_server(name_service& of, host& on) : of_(of), on_(on) {
  const identity id = hash_of("name server");
  const file_reference for_datagrams = new udp_socket(on, roll(id, on.number()), true, O_RDWR | O_NONBLOCK);
  const file_reference for_streams = new tcp_socket(on, roll(roll(id, on.number()), 1), true, O_RDWR | O_NONBLOCK);
  if (bind_to_port(*for_datagrams->as_socket()) != 0 || bind_to_port(*for_streams->as_socket()) != 0) {
    on.of().owner().misused(fmt::format("port 53 of host \"{}\" is taken, where a name server is to be", on.name()));
  }
  for_streams->as_socket()->listen(std::numeric_limits<int>::max());
  datagrams_ = std::make_unique<datagrams>(*this, for_datagrams);
  listener_ = std::make_unique<listener>(*this, for_streams);
}

name_server::~name_server() = default;

void name_server::asked(std::span<const std::byte> message, const asker& by) {
  const std::optional<dns_question> question = parse_question(message);
  if (!question) return;
  const bool over_tcp = by.connection != 0;
  name_service::served served;
  if (question->readable) {
    served = of_.serve(question->name, question->family(), over_tcp);
    if (served.answer.failure == name_failure::timeout) return;
  }
  std::vector<std::byte> made = encode_answer(*question, served.answer, over_tcp ? message_max : datagram_max);
  if (served.delay <= duration::zero()) return answer(made, by);
  packet::send_later(std::make_unique<held_answer>(of_, std::move(made), by), on_.of(), served.delay);
}

void name_server::answer(const std::vector<std::byte>& message, const asker& to) {
  auto* const data = const_cast<std::byte*>(message.data());
  if (to.connection == 0) {
    sockaddr_storage name;
    msghdr rest{};
    rest.msg_name = &name;
    rest.msg_namelen = to.from.to(name);
    const iovec piece{data, message.size()};
    datagrams_->get().send(&piece, 1, 0, &rest);
  } else if (const auto found = connections_.find(to.connection); found != connections_.end()) {
    std::byte length[] = {static_cast<std::byte>(message.size() >> 8), static_cast<std::byte>(message.size() & 0xFF)};
    const iovec pieces[] = {{length, sizeof length}, {data, message.size()}};
    found->second->get().send(pieces, 2, MSG_NOSIGNAL, nullptr);
  }
}

}  // namespace lockstep::sim
