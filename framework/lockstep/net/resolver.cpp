#include <lockstep/net/resolver.hpp>

#include <lockstep/net/name_query.hpp>
#include <lockstep/runtime/run_blocking.hpp>
#include <lockstep/sync/event.hpp>
#include <lockstep/system/current.hpp>

#include <fmt/format.h>

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace lockstep {

namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "getaddrinfo"; }
  std::string message(int value) const override { return gai_strerror(value); }
};

class awaited_query final : public name_query {
 public:
  awaited_query(std::string name, int family)
      : name_query(std::move(name), family), known_(fmt::format("address of {}", this->name())) {}

  event::waiting wait() { return known_.wait(); }

 private:
  void was_answered() override { known_.set(); }

  event known_;
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
  if (const auto written_out = ip_address::parsed(name)) {
    const bool wanted = family == AF_UNSPEC || (family == AF_INET6) == written_out->is_v6();
    if (wanted) {
      found.addresses.push_back(*written_out);
    } else {
      found.error = EAI_ADDRFAMILY;
    }
  } else {
    awaited_query query(name, family);
    system_calls* const system = find_system();
    if (system != nullptr && system->look_up(query) == 0) {
      co_await query.wait();
      found = query.found();
    } else {
      const auto ask = [name, family] { return found_by_system(name, family); };
      found = co_await run_blocking(ask);
    }
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
