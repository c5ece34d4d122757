// Addresses of names.
//
//   const std::vector<endpoint> web = co_await resolver().resolve("www.debian.org", 80);
//
// In a simulation the network's name service answers (sim/name_service.hpp); on the operating system getaddrinfo(),
// on a thread of the loop's executor.
// Errors: std::system_error of getaddrinfo_category(): EAI_NONAME for a name that does not exist, EAI_NODATA for one
// that has no such address, EAI_AGAIN if no server answers or can, which may pass, EAI_FAIL, EAI_MEMORY and the others
// of <netdb.h>; for EAI_SYSTEM that of the system.
// Source: getaddrinfo(3), of the GNU C library.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace lockstep {

// Its values are the errors of getaddrinfo(), EAI_AGAIN and so on, and its messages those of gai_strerror().
const std::error_category& getaddrinfo_category() noexcept;

enum class address_family : std::uint8_t { any, v4, v6 };

struct resolver_options {
  address_family family = address_family::any;  // of the addresses wanted
};

class resolver {
 public:
  explicit resolver(const resolver_options& options = {}) noexcept : options_(options) {}

  // The addresses of a name, or the one that `name` writes out, for which nobody is asked. Those of IPv6 come first,
  // and each family in the order in which it was given.
  // Cancellation ends the wait, and nothing is wanted any more; on the operating system, a call that a thread has begun
  // is awaited first.
  // Errors: see above; EAI_ADDRFAMILY for an address of the other family. There is at least one address.
  task<std::vector<ip_address>> look_up(std::string name) const { return look_up(std::move(name), options_); }
  // The same, each with that port.
  task<std::vector<endpoint>> resolve(std::string name, std::uint16_t port) const {
    return resolve(std::move(name), port, options_);
  }

 private:
  static task<std::vector<ip_address>> look_up(std::string name, resolver_options options);
  static task<std::vector<endpoint>> resolve(std::string name, std::uint16_t port, resolver_options options);

  resolver_options options_;
};

}  // namespace lockstep
