#include <lockstep/sim/name_service.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/name_server.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/packet.hpp>

#include <fmt/format.h>

#include <netdb.h>

#include <algorithm>
#include <array>

namespace lockstep::sim {

namespace {

// What /etc/resolv.conf says where it says nothing.
constexpr duration round_length = std::chrono::seconds(5);
constexpr unsigned rounds_max = 2;
// One family alone has an answer: then it asks for one after the other.
constexpr unsigned rounds_max_of_half = 3;
constexpr identity service_id = domain_identity("dns");
constexpr std::array<int, 2> families = {AF_INET, AF_INET6};

std::size_t slot_of(int family) noexcept { return family == AF_INET6 ? 1 : 0; }

// Of the server, and not of the name: another might know.
bool is_trouble(name_failure why) noexcept {
  return why == name_failure::server_failure || why == name_failure::refused;
}

}  // namespace

// A call of getaddrinfo() that is under way.
class name_service::lookup final : private timer {
 public:
  lookup(name_service& of, host& by, std::uint64_t number, std::string name, int family)
      : timer(&due, cause::event), of_(of), by_(by), number_(number), name_(std::move(name)), family_(family) {}
  ~lookup() { stop(); }

  host& by() const noexcept { return by_; }
  const std::string& name() const noexcept { return name_; }
  bool wants(int family) const noexcept { return family_ == AF_UNSPEC || family_ == family; }

  void begin_round() {
    stop();
    ++rounds;
    loop& owner = of_.network_.owner();
    owner.timers().arm(*this, saturating_add(owner.now(), round_length));
  }

  unsigned rounds = 0;
  std::array<std::optional<name_answer>, 2> answers;
  intrusive_list<name_query, name_query> waiting;  // one at most

 private:
  static void due(timer& due) noexcept {
    auto& self = static_cast<lookup&>(due);
    self.of_.round_ends(self.number_);
  }
  void stop() noexcept {
    if (timer::armed()) of_.network_.owner().timers().disarm(*this);
  }

  name_service& of_;
  host& by_;
  std::uint64_t number_;
  std::string name_;
  int family_;
};

class name_service::question final : public packet {
 public:
  question(name_service& to, query asked) : to_(to), asked_(std::move(asked)) {}

  identity destination() const noexcept override { return service_id; }
  std::size_t bytes() const noexcept override { return 46 + asked_.name.size(); }

 private:
  void arrive() noexcept override { to_.arrive_at_server(asked_); }

  name_service& to_;
  query asked_;
};

class name_service::reply final : public packet {
 public:
  reply(name_service& of, query to, name_answer given) : of_(of), to_(std::move(to)), given_(std::move(given)) {}

  static void send(std::unique_ptr<reply> made) {
    network& over = made->of_.network_;
    const name_server* const server = made->of_.server();
    lane* const back = server != nullptr ? over.lane_between(server->on(), *made->to_.by) : nullptr;
    packet::send(std::move(made), over, back);
  }

  identity destination() const noexcept override { return service_id; }
  std::size_t bytes() const noexcept override { return 62 + 28 * given_.addresses.size(); }

 private:
  void arrive() noexcept override { of_.arrive_at_host(to_, given_); }

  name_service& of_;
  query to_;
  name_answer given_;
};

// The server needs a while for it.
class name_service::slow_reply final : public packet {
 public:
  explicit slow_reply(std::unique_ptr<reply> made) noexcept : made_(std::move(made)) {}

  identity destination() const noexcept override { return service_id; }
  std::size_t bytes() const noexcept override { return 0; }

 private:
  void arrive() noexcept override { reply::send(std::move(made_)); }

  std::unique_ptr<reply> made_;
};

name_service::name_service(network& of) : network_(of) {}

name_service::~name_service() = default;

void name_service::stop() noexcept {
  lookups_.clear();
  server_.reset();
}

void name_service::serve_on(host& there) {
  server_.reset();
  server_ = std::make_unique<name_server>(*this, there);
}

// -- what there is ----------------------------------------------------------------------------------------------------

void name_service::add(std::string_view name, const ip_address& address, duration ttl) {
  detail::touch(service_id, access::write);
  zone_.add(name, address, ttl);
}

void name_service::alias(std::string_view name, std::string_view target, duration ttl) {
  detail::touch(service_id, access::write);
  zone_.alias(name, target, ttl);
}

void name_service::remove(std::string_view name) {
  detail::touch(service_id, access::write);
  zone_.remove(name);
}

void name_service::add_to_hosts(std::string_view name, const ip_address& address) {
  detail::touch(service_id, access::write);
  hosts_file_[normal_name(name)].push_back(address);
}

void name_service::fail(std::string_view name, const name_fault& how) {
  detail::touch(service_id, access::write);
  std::array<name_fault, 2>& held = faults_[normal_name(name)];
  for (const int family : families) {
    if (how.family == AF_UNSPEC || how.family == family) held[slot_of(family)] = how;
  }
}

void name_service::fail_with(std::string_view name, int error, int system_error) {
  detail::touch(service_id, access::write);
  local_faults_[normal_name(name)] = {error, system_error};
}

void name_service::heal(std::string_view name) {
  detail::touch(service_id, access::write);
  faults_.erase(normal_name(name));
  local_faults_.erase(normal_name(name));
}

std::vector<ip_address> name_service::from_hosts_file(std::string_view name, int family) const {
  const std::string normal = normal_name(name);
  std::vector<ip_address> known;
  if (const auto line = hosts_file_.find(normal); line != hosts_file_.end()) {
    known = line->second;
  } else if (const host* const named = network_.find(name)) {
    known = named->addresses();
  } else if (const host* const in_lower_case = network_.find(std::string_view(normal))) {
    known = in_lower_case->addresses();
  } else if (normal == "localhost") {
    known = {ip_address::loopback_v4(), ip_address::loopback_v6()};
  }
  std::erase_if(
      known, [family](const ip_address& each) { return family != AF_UNSPEC && each.is_v6() != (family == AF_INET6); });
  return known;
}

// -- the server -------------------------------------------------------------------------------------------------------

name_service::served name_service::serve(std::string_view name, int family, bool over_tcp) {
  detail::touch(service_id, access::write);
  const std::string normal = normal_name(name);
  served made;
  if (const auto found = faults_.find(normal); found != faults_.end()) {
    name_fault& fault = found->second[slot_of(family)];
    const bool cut_short = fault.failure == name_failure::truncated;
    if (fault.count != 0 && !(cut_short && over_tcp)) {
      --fault.count;
      made.delay = fault.delay;
      made.answer.failure = fault.failure;
      if (fault.failure != name_failure::none) return made;
    }
  }
  made.answer = zone_.look_up(normal, family);
  if (made.answer.failure == name_failure::no_such_name) {
    const std::vector<name_alias>& aliases = made.answer.aliases;
    const std::string_view last = aliases.empty() ? name : std::string_view(aliases.back().target);
    if (family != AF_UNSPEC) made.answer.addresses = from_hosts_file(last, family);
    made.answer.ttl = {};
    if (!from_hosts_file(last, AF_UNSPEC).empty()) made.answer.failure = name_failure::no_data;
    if (!made.answer.addresses.empty()) made.answer.failure = name_failure::none;
  }
  if (std::vector<ip_address>& given = made.answer.addresses; given.size() > 1) {
    const auto first =
        static_cast<std::ptrdiff_t>(network_.owner().pick(fmt::format("order of {}", normal), given.size()));
    std::rotate(given.begin(), given.begin() + first, given.end());
  }
  return made;
}

void name_service::arrive_at_server(const query& asked) {
  served made;
  if (asked.over != leg::tcp_handshake) made = serve(asked.name, asked.family, asked.over == leg::tcp);
  if (made.answer.failure == name_failure::timeout) return;
  auto answer = std::make_unique<reply>(*this, asked, std::move(made.answer));
  if (made.delay <= duration::zero()) return reply::send(std::move(answer));
  packet::send_later(std::make_unique<slow_reply>(std::move(answer)), network_, made.delay);
}

// -- the hosts --------------------------------------------------------------------------------------------------------

int name_service::look_up(host& by, name_query& asked) {
  detail::touch(service_id, access::write);
  found_addresses found;
  const std::string normal = normal_name(asked.name());
  if (const auto fault = local_faults_.find(normal); fault != local_faults_.end()) {
    std::tie(found.error, found.system_error) = fault->second;
    asked.answer(std::move(found));
    return 0;
  }
  found.addresses = from_hosts_file(asked.name(), asked.family());
  if (!found.addresses.empty() || !is_name(asked.name())) {
    if (found.addresses.empty()) found.error = EAI_NONAME;
    asked.answer(std::move(found));
    return 0;
  }
  const std::uint64_t number = next_number_++;
  lookup& made = *(lookups_[number] = std::make_unique<lookup>(*this, by, number, normal, asked.family()));
  made.waiting.push_back(asked);
  bool complete = true;
  for (const int family : families) {
    if (!made.wants(family)) continue;
    if (const name_answer* const known = find_kept(by, normal, family)) {
      made.answers[slot_of(family)] = *known;
    } else {
      complete = false;
    }
  }
  if (complete) {
    finish(number);
  } else {
    made.begin_round();
    ask_what_is_missing(number);
  }
  return 0;
}

const name_answer* name_service::find_kept(host& by, const std::string& name, int family) const {
  const auto found = cache_.find({by.number(), name, family});
  return found != cache_.end() && network_.owner().now() < found->second.until ? &found->second.answer : nullptr;
}

name_service::lookup* name_service::find(std::uint64_t number) noexcept {
  const auto found = lookups_.find(number);
  return found == lookups_.end() ? nullptr : found->second.get();
}

void name_service::ask(std::uint64_t number, int family, leg over) {
  const lookup& by = *find(number);
  lane* const there = server_ != nullptr ? network_.lane_between(by.by(), server_->on()) : nullptr;
  query asked{&by.by(), number, by.name(), family, over};
  packet::send(std::make_unique<question>(*this, std::move(asked)), network_, there);
}

// What is answered at once may end it.
void name_service::ask_what_is_missing(std::uint64_t number) {
  for (const int family : families) {
    const lookup* const still = find(number);
    if (still == nullptr) return;
    if (still->wants(family) && !still->answers[slot_of(family)]) ask(number, family, leg::udp);
  }
}

void name_service::arrive_at_host(const query& to, const name_answer& given) {
  lookup* const by = find(to.number);
  if (by == nullptr || by->answers[slot_of(to.family)]) return;
  if (to.over == leg::tcp_handshake) return ask(to.number, to.family, leg::tcp);
  if (given.failure == name_failure::truncated) return ask(to.number, to.family, leg::tcp_handshake);
  by->answers[slot_of(to.family)] = given;
  if (given.failure == name_failure::none && given.ttl > duration::zero()) {
    cache_[{to.by->number(), to.name, to.family}] = {given, saturating_add(network_.owner().now(), given.ttl)};
  }
  bool all_failed = true;
  for (const int family : families) {
    if (!by->wants(family)) continue;
    const std::optional<name_answer>& answer = by->answers[slot_of(family)];
    if (!answer) return;
    all_failed = all_failed && is_trouble(answer->failure);
  }
  if (!all_failed || by->rounds >= rounds_max) return finish(to.number);
  by->answers = {};
  by->begin_round();
  ask_what_is_missing(to.number);
}

// A server's trouble, with silence about the other family, is no answer.
void name_service::round_ends(std::uint64_t number) {
  lookup& by = *find(number);
  for (std::optional<name_answer>& each : by.answers) {
    if (each && is_trouble(each->failure)) each.reset();
  }
  const bool half = by.answers[0].has_value() || by.answers[1].has_value();
  if (by.rounds >= (half ? rounds_max_of_half : rounds_max)) return finish(number);
  by.begin_round();
  ask_what_is_missing(number);
}

void name_service::finish(std::uint64_t number) {
  const std::unique_ptr<lookup> done = std::move(lookups_.extract(number).mapped());
  if (done->waiting.empty()) return;
  found_addresses found;
  bool unknown = false;
  bool no_data = false;
  for (const int family : {AF_INET6, AF_INET}) {
    const std::optional<name_answer>& answer = done->answers[slot_of(family)];
    if (!answer) continue;
    unknown = unknown || answer->failure == name_failure::no_such_name;
    no_data = no_data || answer->failure == name_failure::no_data;
    found.addresses.insert(found.addresses.end(), answer->addresses.begin(), answer->addresses.end());
  }
  // Silence about IPv4 is silence: then the C library does not look at the other half.
  const bool silent = done->wants(AF_INET) && !done->answers[slot_of(AF_INET)];
  if (silent) found.addresses.clear();
  if (found.addresses.empty()) {
    found.error = silent ? EAI_AGAIN : unknown ? EAI_NONAME : no_data ? EAI_NODATA : EAI_AGAIN;
  }
  done->waiting.pop_front().answer(std::move(found));
}

}  // namespace lockstep::sim
