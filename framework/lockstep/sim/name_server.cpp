#include <lockstep/sim/name_server.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/packet.hpp>
#include <lockstep/sim/tcp_socket.hpp>
#include <lockstep/sim/udp_socket.hpp>

#include <fmt/format.h>

#include <limits>
#include <utility>

namespace lockstep::sim {

namespace {

constexpr std::size_t datagram_max = 512;

}  // namespace

class name_server::datagrams final : public own_socket {
 public:
  datagrams(name_server& of, file_reference file) : own_socket(std::move(file), POLLIN), of_(of) {}

  void may_be_ready() noexcept override {
    if (of_.on_.is_paused()) return;
    std::vector<std::byte> message;
    for (endpoint from; receive(message, dns_message_max, &from) >= 0;) of_.asked(message, {from, 0});
  }

 private:
  name_server& of_;
};

class name_server::connection final : public own_socket {
 public:
  connection(name_server& of, file_reference file, std::uint64_t number)
      : own_socket(std::move(file), POLLIN), of_(of), number_(number) {}

  // Ends this when the peer has ended.
  void may_be_ready() noexcept override {
    if (of_.on_.is_paused()) return;
    constexpr std::size_t piece_max = 1024;
    std::vector<std::byte> message;
    for (;;) {
      const std::int64_t size = receive(message, piece_max);
      if (size == -EAGAIN) break;
      if (size <= 0) {
        of_.connections_.erase(number_);
        return;
      }
      come_.add(message);
    }
    name_server& of = of_;
    const std::uint64_t number = number_;
    const auto is_there = [&] {
      const auto found = of.connections_.find(number);
      return found != of.connections_.end() && found->second.get() == this;
    };
    while (is_there() && come_.take(message)) of.asked(message, {{}, number});
  }

 private:
  name_server& of_;
  std::uint64_t number_;
  dns_stream come_;
};

class name_server::listener final : public own_socket {
 public:
  listener(name_server& of, file_reference file) : own_socket(std::move(file), POLLIN), of_(of) {}

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
  held_answer(name_service& of, std::uint64_t server, std::vector<std::byte> message, asker to)
      : of_(of), server_(server), message_(std::move(message)), to_(std::move(to)) {}

  identity destination() const noexcept override { return hash_of("name server"); }
  std::size_t bytes() const noexcept override { return message_.size(); }

 private:
  void arrive() noexcept override {
    name_server* const server = of_.server();
    if (server == nullptr || server->number_ != server_) return;
    if (server->on_.is_paused()) {
      server->held_.push_back({std::move(message_), to_});
    } else {
      server->answer(message_, to_);
    }
  }

  name_service& of_;
  std::uint64_t server_;
  std::vector<std::byte> message_;
  asker to_;
};

name_server::name_server(name_service& of, host& on, source where) : of_(of), on_(on), number_(of.next_server()) {
  const identity id = hash_of("name server");
  const identity of_streams = roll(roll(id, on.number()), 1);
  datagrams_ = std::make_unique<datagrams>(*this, new udp_socket(on, roll(id, on.number()), true, O_RDWR | O_NONBLOCK));
  listener_ = std::make_unique<listener>(*this, new tcp_socket(on, of_streams, true, O_RDWR | O_NONBLOCK));
  const endpoint everywhere(ip_address::any_v6(), dns_port);
  const int on_value = 1;
  listener_->get().set_option(SOL_SOCKET, SO_REUSEADDR, &on_value, sizeof on_value);
  if (datagrams_->bind(everywhere) != 0 || listener_->bind(everywhere) != 0) {
    on.of().owner().misused(fmt::format("port 53 of host \"{}\" is taken, where a name server is to be", on.name()),
                            where);
  }
  listener_->get().listen(std::numeric_limits<int>::max());
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
  std::vector<std::byte> made = encode_answer(*question, served.answer, over_tcp ? dns_message_max : datagram_max);
  if (served.delay <= duration::zero()) return answer(made, by);
  packet::send_later(std::make_unique<held_answer>(of_, number_, std::move(made), by), on_.of(), served.delay);
}

void name_server::answer(const std::vector<std::byte>& message, const asker& to) {
  if (to.connection == 0) {
    datagrams_->send(message, &to.from);
  } else if (const auto found = connections_.find(to.connection); found != connections_.end()) {
    found->second->send(dns_stream::framed(message));
  }
}

// They are looked at by number, as each may end itself.
void name_server::resume() {
  for (const held& each : std::exchange(held_, {})) answer(each.message, each.to);
  datagrams_->may_be_ready();
  for (auto next = connections_.begin(); next != connections_.end();) (next++)->second->may_be_ready();
}

}  // namespace lockstep::sim
