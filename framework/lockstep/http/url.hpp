// Addresses of what is fetched by HTTP: "http://web:8080/find?name=x".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::http {

struct url {
  std::string host;  // a name or an address, without the brackets of IPv6
  std::uint16_t port = 80;
  std::string target = "/";  // the path and what follows it, without a fragment

  // Throws std::invalid_argument for what is none, and for other schemes than http.
  // Source: RFC 3986, and RFC 9110, section 4.2.1.
  static url parse(std::string_view text);
  // What `reference` means where this was fetched: another URL, or a path of the same host, from its root or beside
  // this one. As parse().
  // Source: RFC 9110, section 10.2.2, Location.
  url resolve(std::string_view reference) const;

  // "web:8080", as the Host field has it: without the port 80.
  std::string authority() const;
  // The whole of it.
  std::string text() const { return "http://" + authority() + target; }
};

}  // namespace lockstep::http
