#include <lockstep/sim/name_lookup.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/tcp_socket.hpp>
#include <lockstep/sim/udp_socket.hpp>

#include <netdb.h>

#include <algorithm>
#include <utility>

namespace lockstep::sim {

namespace {

// What /etc/resolv.conf says where it says nothing.
constexpr duration round_length = std::chrono::seconds(5);
constexpr unsigned rounds_max = 2;
// One family alone has an answer: then it asks for one after the other.
constexpr unsigned rounds_max_of_half = 3;

// Of the server, and not of the name: another might know.
bool is_trouble(name_failure why) noexcept {
  return why == name_failure::server_failure || why == name_failure::refused;
}

}  // namespace

// -- its sockets ------------------------------------------------------------------------------------------------------

// What comes while it sends is read when all has been sent.
class name_lookup::datagrams final : public own_socket {
 public:
  datagrams(name_lookup& of, bool v6)
      : own_socket(new udp_socket(of.by_, of.next_socket(), v6, O_RDWR | O_NONBLOCK), POLLIN), of_(of) {}

  // Returns false if nobody can be asked.
  bool ask(const endpoint& server) {
    is_busy_ = true;
    bool asked = connect(server) == 0;
    for (const int family : name_families) {
      if (asked && of_.lacks(family)) asked = send(encode_question(of_.name_, family)) >= 0;
    }
    is_busy_ = false;
    return asked;
  }

  void may_be_ready() noexcept override {
    if (is_busy_ || of_.by_.is_paused()) return;
    name_lookup* still = &of_;
    name_service& all = still->of_;
    const std::uint64_t number = still->number_;
    std::vector<std::byte> message;
    do {
      const std::int64_t size = receive(message, dns_message_max);
      if (size == -EAGAIN) return;
      if (size < 0) return still->nobody_is_there();
      still->read(message, false);
      still = all.find(number);
    } while (still != nullptr && still->datagrams_.get() == this);
  }

 private:
  name_lookup& of_;
  bool is_busy_ = false;
};

class name_lookup::stream final : public own_socket {
 public:
  stream(name_lookup& of, bool v6, int family)
      : own_socket(new tcp_socket(of.by_, of.next_socket(), v6, O_RDWR | O_NONBLOCK), POLLIN | POLLOUT), of_(of),
        family_(family) {}

  void ask(const endpoint& server) {
    is_busy_ = true;
    const int done = connect(server);
    is_busy_ = false;
    if (done != 0 && done != -EINPROGRESS) return give_up();
    may_be_ready();
  }

  void may_be_ready() noexcept override {
    if (is_busy_ || of_.by_.is_paused()) return;
    if (!is_connected_) {
      if ((get().ready() & (POLLOUT | POLLERR | POLLHUP)) == 0) return;
      is_connected_ = is_busy_ = true;
      send(dns_stream::framed(encode_question(of_.name_, family_)));
      is_busy_ = false;
    }
    std::vector<std::byte> message;
    for (;;) {
      const std::int64_t size = receive(message, dns_message_max);
      if (size == -EAGAIN) return;
      if (size <= 0) return give_up();
      come_.add(message);
      if (come_.take(message)) return of_.read(message, true);
    }
  }

 private:
  void give_up() { of_.round_ends(); }

  name_lookup& of_;
  int family_;
  bool is_busy_ = false;
  bool is_connected_ = false;
  dns_stream come_;
};

// -- asking -----------------------------------------------------------------------------------------------------------

name_lookup::name_lookup(name_service& of, host& by, std::uint64_t number, std::string name, name_query& asked)
    : timer(&due, cause::event), of_(of), by_(by), number_(number), name_(std::move(name)), family_(asked.family()) {
  waiting_.push_back(asked);
}

name_lookup::~name_lookup() { stop_timer(); }

void name_lookup::due(timer& due) noexcept {
  auto& self = static_cast<name_lookup&>(due);
  self.is_overdue_ = self.by_.is_paused();
  if (!self.is_overdue_) self.round_ends();
}

// What has come meanwhile goes before the end of the round.
void name_lookup::resume() {
  name_service& all = of_;
  const std::uint64_t number = number_;
  const auto is_there = [&] { return all.find(number) == this; };
  if (datagrams_ != nullptr) datagrams_->may_be_ready();
  for (const int family : name_families) {
    if (is_there() && streams_[slot_of(family)] != nullptr) streams_[slot_of(family)]->may_be_ready();
  }
  if (is_there() && std::exchange(is_overdue_, false)) round_ends();
}

void name_lookup::stop_timer() noexcept {
  if (timer::armed()) by_.of().owner().timers().disarm(*this);
}

identity name_lookup::next_socket() noexcept { return roll(roll(hash_of("resolver"), number_), sockets_++); }

bool name_lookup::lacks(int family) const noexcept { return wants(family) && !answers_[slot_of(family)]; }

void name_lookup::begin() {
  for (const int family : name_families) {
    if (const name_answer* const known = wants(family) ? of_.find_kept(by_, name_, family) : nullptr) {
      answers_[slot_of(family)] = *known;
    }
  }
  if (!lacks(AF_INET) && !lacks(AF_INET6)) return finish();
  begin_round();
}

void name_lookup::begin_round() {
  stop_timer();
  is_overdue_ = false;
  ++rounds_;
  loop& owner = by_.of().owner();
  owner.timers().arm(*this, saturating_add(owner.now(), round_length));
  for (std::unique_ptr<stream>& each : streams_) each.reset();
  if (of_.server_host() == nullptr) return ask_directly();
  const endpoint at = server();
  // The same as in the round before, so that a late answer is one.
  if (datagrams_ == nullptr) datagrams_ = std::make_unique<datagrams>(*this, at.address().is_v6());
  if (!datagrams_->ask(at)) return nobody_is_there();
  datagrams_->may_be_ready();
}

// Of its addresses the first that this host has a family for.
endpoint name_lookup::server() const {
  const std::vector<ip_address>& its = of_.server_host()->addresses();
  const auto can_reach = [this](const ip_address& one) {
    const std::vector<ip_address>& own = by_.addresses();
    return std::any_of(own.begin(), own.end(), [&one](const ip_address& each) { return each.is_v6() == one.is_v6(); });
  };
  const auto found = std::find_if(its.begin(), its.end(), can_reach);
  return {found != its.end() ? *found : its.front(), dns_port};
}

void name_lookup::nobody_is_there() {
  datagrams_.reset();
  round_ends();
}

// Each answer may end it.
void name_lookup::ask_directly() {
  name_service& all = of_;
  const std::uint64_t number = number_;
  for (const int family : name_families) {
    if (all.find(number) != this) return;
    if (lacks(family)) all.answer_directly(*this, name_, family);
  }
}

void name_lookup::ask_over_tcp(int family) {
  const endpoint at = server();
  std::unique_ptr<stream>& made = streams_[slot_of(family)];
  made = std::make_unique<stream>(*this, at.address().is_v6(), family);
  made->ask(at);
}

// -- answers ----------------------------------------------------------------------------------------------------------

// An answer to another question, as one that was changed on its way, is none.
void name_lookup::read(std::span<const std::byte> message, bool over_tcp) {
  const std::optional<dns_answer> answer = parse_answer(message);
  if (!answer || answer->family == AF_UNSPEC || normal_name(answer->name) != normal_name(name_)) return;
  come(answer->family, answer->what, over_tcp);
}

void name_lookup::come(int family, const name_answer& given, bool over_tcp) {
  if (!lacks(family)) return;
  if (given.failure == name_failure::truncated) {
    if (!over_tcp && streams_[slot_of(family)] == nullptr) ask_over_tcp(family);
    return;
  }
  answers_[slot_of(family)] = given;
  of_.keep(by_, name_, family, given);
  if (lacks(AF_INET) || lacks(AF_INET6)) return;
  const bool all_failed = std::all_of(answers_.begin(), answers_.end(),
                                      [](const auto& each) { return !each || is_trouble(each->failure); });
  if (!all_failed || rounds_ >= rounds_max) return finish();
  answers_ = {};
  begin_round();
}

// A server's trouble, with silence about the other family, is no answer.
void name_lookup::round_ends() {
  for (std::optional<name_answer>& each : answers_) {
    if (each && is_trouble(each->failure)) each.reset();
  }
  const bool half = answers_[0].has_value() || answers_[1].has_value();
  if (rounds_ >= (half ? rounds_max_of_half : rounds_max)) return finish();
  begin_round();
}

void name_lookup::finish() {
  const std::unique_ptr<name_lookup> done = of_.take_out(number_);
  if (waiting_.empty()) return;
  found_addresses found;
  bool unknown = false;
  bool no_data = false;
  for (const int family : {AF_INET6, AF_INET}) {
    const std::optional<name_answer>& answer = answers_[slot_of(family)];
    if (!answer) continue;
    unknown = unknown || answer->failure == name_failure::no_such_name;
    no_data = no_data || answer->failure == name_failure::no_data;
    found.addresses.insert(found.addresses.end(), answer->addresses.begin(), answer->addresses.end());
  }
  // Silence about IPv4 is silence: then the C library does not look at the other half.
  const bool silent = lacks(AF_INET);
  if (silent) found.addresses.clear();
  if (found.addresses.empty()) {
    found.error = silent ? EAI_AGAIN : unknown ? EAI_NONAME : no_data ? EAI_NODATA : EAI_AGAIN;
  }
  waiting_.pop_front().answer(std::move(found));
}

}  // namespace lockstep::sim
