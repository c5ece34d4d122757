#include <lockstep/sim/name_service.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/name_lookup.hpp>
#include <lockstep/sim/name_server.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/packet.hpp>

#include <fmt/format.h>

#include <netdb.h>

#include <algorithm>
#include <utility>

namespace lockstep::sim {

namespace {

constexpr identity service_id = domain_identity("dns");

}  // namespace

name_service::name_service(network& of) : network_(of) {}

name_service::~name_service() = default;

void name_service::stop() noexcept {
  lookups_.clear();
  server_.reset();
}

// -- the server's host ------------------------------------------------------------------------------------------------

void name_service::serve_on(host& there, source where) {
  detail::touch(service_id, access::write);
  server_.reset();
  server_ = std::make_unique<name_server>(*this, there, where);
  server_host_ = &there;
}

// What its own tasks have asked, nobody waits for any more.
void name_service::host_ends(host& which, bool power_cut) noexcept {
  detail::touch(service_id, access::write);
  if (server_host_ == &which) server_.reset();
  std::erase_if(lookups_,
                [&which](const auto& each) { return &each.second->by() == &which && !each.second->is_wanted(); });
  if (power_cut)
    std::erase_if(cache_, [&which](const auto& each) { return std::get<0>(each.first) == which.number(); });
}

void name_service::host_begins(host& which) {
  if (server_host_ == &which && server_ == nullptr) serve_on(which);
}

void name_service::host_resumes(host& which) {
  if (server_host_ == &which && server_ != nullptr) server_->resume();
  std::vector<std::uint64_t> own;
  for (const auto& [number, each] : lookups_) {
    if (&each->by() == &which) own.push_back(number);
  }
  for (const std::uint64_t number : own) {
    if (name_lookup* const still = find(number)) still->resume();
  }
}

// -- what there is ----------------------------------------------------------------------------------------------------

void name_service::check_name(std::string_view name, source where) const {
  if (is_name(name)) return;
  network_.owner().misused(
      fmt::format("\"{}\" is no name, as \"db.example\" is: labels of 1 to 63 letters, digits, - and _, 253 together",
                  name),
      where);
}

void name_service::check_ttl(duration ttl, source where) const {
  if (ttl < duration::zero()) {
    network_.owner().misused(fmt::format("an answer cannot live for {}; 0 is for none that is kept", to_text(ttl)),
                             where);
  }
}

void name_service::add(std::string_view name, const ip_address& address, duration ttl, source where) {
  check_name(name, where);
  check_ttl(ttl, where);
  detail::touch(service_id, access::write);
  zone_.add(name, address, ttl);
}

void name_service::alias(std::string_view name, std::string_view target, duration ttl, source where) {
  check_name(name, where);
  check_name(target, where);
  check_ttl(ttl, where);
  detail::touch(service_id, access::write);
  zone_.alias(name, target, ttl);
}

void name_service::remove(std::string_view name) {
  detail::touch(service_id, access::write);
  zone_.remove(name);
}

void name_service::add_to_hosts(std::string_view name, const ip_address& address, source where) {
  check_name(name, where);
  detail::touch(service_id, access::write);
  hosts_file_[normal_name(name)].push_back(address);
}

// -- faults -----------------------------------------------------------------------------------------------------------

void name_service::fail(std::string_view name, const name_fault& how, source where) {
  check_name(name, where);
  loop& owner = network_.owner();
  if (how.delay < duration::zero())
    owner.misused(fmt::format("a name server cannot be {} late", to_text(how.delay)), where);
  if (how.family != AF_UNSPEC && how.family != AF_INET && how.family != AF_INET6) {
    owner.misused(fmt::format("a name has no addresses of family {}, as of AF_INET and AF_INET6", how.family), where);
  }
  if (how.count == 0)
    owner.misused("a fault of a name server that is for no question never fires; count is 1 at least", where);
  detail::touch(service_id, access::write);
  std::shared_ptr<injected> made;
  if (how.failure != name_failure::none || how.delay != duration::zero()) {
    made = std::make_shared<injected>(injected{normal_name(name), where, how});
  }
  std::array<standing, 2>& held = faults_[normal_name(name)].of_family;
  for (const int family : name_families) {
    if (how.family != AF_UNSPEC && how.family != family) continue;
    end(std::exchange(held[slot_of(family)], {made, how.count}).what);
  }
}

void name_service::fail_with(std::string_view name, int error, int system_error, source where) {
  check_name(name, where);
  const bool is_known = error < 0 && std::string_view(gai_strerror(error)) != "Unknown error";
  if (!is_known || (error == EAI_SYSTEM) != (system_error > 0)) {
    network_.owner().misused(
        fmt::format("getaddrinfo() does not fail with {} and errno {}; it does with EAI_FAIL, EAI_MEMORY "
                    "and the like, and with EAI_SYSTEM and an errno",
                    error, system_error),
        where);
  }
  detail::touch(service_id, access::write);
  end(std::exchange(faults_[normal_name(name)].local,
                    std::make_shared<injected>(injected{normal_name(name), where, {}, error, system_error})));
}

void name_service::heal(std::string_view name) {
  detail::touch(service_id, access::write);
  const auto found = faults_.find(normal_name(name));
  if (found == faults_.end()) return;
  faults_of_name healed = std::move(found->second);
  faults_.erase(found);
  for (standing& each : healed.of_family) end(std::move(each.what));
  end(std::move(healed.local));
}

void name_service::end(std::shared_ptr<injected> fault) noexcept {
  if (fault != nullptr && fault.use_count() == 1) judge(*fault, false);
}

void name_service::judge() noexcept {
  for (const auto& [name, each] : faults_) {
    const auto& [first, second] = each.of_family;
    if (first.what != nullptr) judge(*first.what, true);
    if (second.what != nullptr && second.what != first.what) judge(*second.what, true);
    if (each.local != nullptr) judge(*each.local, true);
  }
}

void name_service::judge(const injected& fault, bool run_has_ended) const noexcept {
  if (fault.fired != 0 || fault.how.may_not_fire) return;
  const char* const why = fault.error != 0 ? "no host looked it up" : "its server was not asked for it";
  network_.faults().report_unfired(fmt::format("fault on the name \"{}\" never fired: {}", fault.name, why),
                                   fault.where, run_has_ended);
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
    standing& fault = found->second.of_family[slot_of(family)];
    const bool cut_short = fault.what != nullptr && fault.what->how.failure == name_failure::truncated;
    if (fault.what != nullptr && fault.left != 0 && !(cut_short && over_tcp)) {
      --fault.left;
      ++fault.what->fired;
      made.delay = fault.what->how.delay;
      made.answer.failure = fault.what->how.failure;
      if (made.answer.failure != name_failure::none) return made;
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

// Nobody serves, and it comes so late.
class name_service::late_answer final : public packet {
 public:
  late_answer(name_service& of, std::uint64_t lookup, int family, name_answer given)
      : of_(of), lookup_(lookup), family_(family), given_(std::move(given)) {}

  identity destination() const noexcept override { return service_id; }
  std::size_t bytes() const noexcept override { return 0; }

 private:
  void arrive() noexcept override {
    if (name_lookup* const to = of_.find(lookup_)) to->come(family_, given_, true);
  }

  name_service& of_;
  std::uint64_t lookup_;
  int family_;
  name_answer given_;
};

void name_service::answer_directly(name_lookup& to, const std::string& name, int family) {
  served made = serve(name, family, false);
  if (made.answer.failure == name_failure::truncated) {
    const duration first = made.delay;
    made = serve(name, family, true);
    made.delay += first;
  }
  if (made.answer.failure == name_failure::timeout) return;
  if (made.delay <= duration::zero()) return to.come(family, made.answer, true);
  packet::send_later(std::make_unique<late_answer>(*this, to.number(), family, std::move(made.answer)), network_,
                     made.delay);
}

// -- the hosts --------------------------------------------------------------------------------------------------------

int name_service::look_up(host& by, name_query& asked) {
  detail::touch(service_id, access::write);
  found_addresses found;
  const std::string normal = normal_name(asked.name());
  if (const auto fault = faults_.find(normal); fault != faults_.end() && fault->second.local != nullptr) {
    injected& local = *fault->second.local;
    ++local.fired;
    found.error = local.error;
    found.system_error = local.system_error;
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
  (lookups_[number] = std::make_unique<name_lookup>(*this, by, number, normal, asked))->begin();
  return 0;
}

const name_answer* name_service::find_kept(const host& by, const std::string& name, int family) const {
  const auto found = cache_.find({by.number(), name, family});
  return found != cache_.end() && network_.owner().now() < found->second.until ? &found->second.answer : nullptr;
}

void name_service::keep(const host& by, const std::string& name, int family, const name_answer& given) {
  if (given.failure != name_failure::none || given.ttl <= duration::zero()) return;
  detail::touch(service_id, access::write);
  cache_[{by.number(), name, family}] = {given, saturating_add(network_.owner().now(), given.ttl)};
}

name_lookup* name_service::find(std::uint64_t number) noexcept {
  const auto found = lookups_.find(number);
  return found == lookups_.end() ? nullptr : found->second.get();
}

std::unique_ptr<name_lookup> name_service::take_out(std::uint64_t number) {
  return std::move(lookups_.extract(number).mapped());
}

}  // namespace lockstep::sim
