#include <lockstep/net/resolver.hpp>

#include <lockstep/net/name_query.hpp>
#include <lockstep/runtime/primitive.hpp>
#include <lockstep/runtime/run_blocking.hpp>
#include <lockstep/system/current.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

namespace lockstep {

namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "getaddrinfo"; }
  std::string message(int value) const override { return gai_strerror(value); }
};

// The wait for a system that answers by itself. It asks when the task's turn has come.
class look_up_operation final : public primitive<look_up_operation>, private name_query {
 public:
  look_up_operation(system_calls& of, std::string name, int family)
      : primitive(operation_kind::look_up), name_query(std::move(name), family), system_(of) {}
  look_up_operation(const look_up_operation&) = delete;
  look_up_operation& operator=(const look_up_operation&) = delete;

  bool try_now() {
    refused_ = system_.look_up(*this) != 0;
    return refused_ || answered_;
  }
  void enqueue() noexcept override { waits_ = true; }
  void withdraw() noexcept override {
    waits_ = false;
    if (list_hook<name_query>::linked()) list_hook<name_query>::unlink();
  }
  std::string describe() const override { return fmt::format("the addresses of \"{}\"", name()); }
  // Nothing if the system finds names by getaddrinfo() alone.
  std::optional<found_addresses> result() const {
    return refused_ ? std::nullopt : std::optional<found_addresses>(found());
  }

 private:
  void was_answered() override {
    answered_ = true;
    if (std::exchange(waits_, false)) detail::current_context->owner->grant(*this);
  }

  system_calls& system_;
  bool refused_ = false;
  bool answered_ = false;
  bool waits_ = false;
};

// As the C library does it, which waits.
found_addresses found_by_system(const std::string& name, int family) {
  addrinfo wanted{};
  wanted.ai_family = family;
  wanted.ai_socktype = SOCK_STREAM;  // or each address would be there once for each type
  addrinfo* given = nullptr;
  found_addresses found;
  found.error = getaddrinfo(name.c_str(), nullptr, &wanted, &given);
  if (found.error == EAI_SYSTEM) found.system_error = errno;
  if (found.error != 0) return found;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(given, &freeaddrinfo);
  for (const addrinfo* each = given; each != nullptr; each = each->ai_next) {
    if (const auto name_of_one = endpoint::from(each->ai_addr, each->ai_addrlen)) {
      found.addresses.push_back(name_of_one->address());
    }
  }
  return found;
}

// The address that a name writes out: also "10.1" and "0x7f.1", which the C library takes for addresses.
// Source: inet_aton(3).
std::optional<ip_address> address_in(const std::string& name) {
  if (const auto address = ip_address::parsed(name)) return address;
  in_addr read{};
  const bool has_odd_signs = name.find_first_not_of("0123456789abcdefABCDEFxX.") != name.npos;
  if (has_odd_signs || inet_aton(name.c_str(), &read) == 0) return std::nullopt;
  return ip_address::v4(ntohl(read.s_addr));
}

constexpr int number_of(address_family family) noexcept {
  return family == address_family::any ? AF_UNSPEC : family == address_family::v4 ? AF_INET : AF_INET6;
}

// The task's, or its world's; null for none.
system_calls* find_system() {
  system_calls* const own = detail::system_of_task.get();
  return own != nullptr ? own : detail::here().owner->driven_by().system();
}

[[noreturn]] void fail(const std::string& name, const found_addresses& why) {
  const std::error_code code = why.error == EAI_SYSTEM ? std::error_code(why.system_error, std::system_category())
                                                       : std::error_code(why.error, getaddrinfo_category());
  throw std::system_error(code, fmt::format("no address of \"{}\"", name));
}

}  // namespace

const std::error_category& getaddrinfo_category() noexcept {
  static const category the_one;
  return the_one;
}

task<std::vector<ip_address>> resolver::look_up(std::string name, resolver_options options) {
  const int family = number_of(options.family);
  found_addresses found;
  if (const auto written_out = address_in(name)) {
    const bool wanted = family == AF_UNSPEC || (family == AF_INET6) == written_out->is_v6();
    if (wanted) {
      found.addresses.push_back(*written_out);
    } else {
      found.error = EAI_ADDRFAMILY;
    }
  } else {
    std::optional<found_addresses> given;
    if (system_calls* const system = find_system()) {
      look_up_operation query(*system, name, family);
      given = co_await query;
    }
    if (!given) {
      const auto ask = [name, family] { return found_by_system(name, family); };
      given = co_await run_blocking(ask);
    }
    found = std::move(*given);
  }
  if (found.error != 0) fail(name, found);
  std::stable_partition(found.addresses.begin(), found.addresses.end(),
                        [](const ip_address& each) { return each.is_v6(); });
  co_return std::move(found.addresses);
}

task<std::vector<endpoint>> resolver::resolve(std::string name, std::uint16_t port, resolver_options options) {
  const std::vector<ip_address> found = co_await look_up(std::move(name), options);
  std::vector<endpoint> endpoints;
  endpoints.reserve(found.size());
  for (const ip_address& each : found) endpoints.emplace_back(each, port);
  co_return endpoints;
}

}  // namespace lockstep
