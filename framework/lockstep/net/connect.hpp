// Connecting by name: the first of the name's addresses that answers.
//
//   tcp_stream web = co_await connect("www.debian.org", 80);
//
// The addresses of both families are known at once, as getaddrinfo() gives them, also where a server is late with one.
// Source: RFC 8305, "Happy Eyeballs".
#pragma once

#include <lockstep/net/resolver.hpp>
#include <lockstep/net/tcp.hpp>
#include <lockstep/runtime/task.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace lockstep {

// How to connect by name.
struct connect_by_name_options {
  // How long an attempt is alone before the next begins beside it; 250 ms as the RFC says.
  duration attempt_delay = std::chrono::milliseconds(250);
  resolver_options names;
  connect_options each;  // of every attempt
};

// Thrown where no address answers. Its code is the error of the first attempt.
class connect_failed : public std::system_error {
 public:
  struct attempt {
    endpoint to;
    std::error_code error;
  };

  // Requires at least one.
  connect_failed(const std::string& host, std::vector<attempt> attempts);

  // What became of each, in the order in which they were begun.
  const std::vector<attempt>& attempts() const noexcept { return attempts_; }

 private:
  std::vector<attempt> attempts_;
};

// A connection to that port of `host`, a name or an address that is written out, for which nobody is asked.
// Attempts go to the addresses in turn, one of IPv6, one of IPv4 and so on. The next begins when the last has failed,
// or when `attempt_delay` is over and it is still under way; the first that succeeds is taken, and the others are
// closed. Cancellation ends them all.
// Errors: those of the resolver; connect_failed, if every attempt has failed, which waits for the slowest of them:
// with_timeout() sets a limit.
task<tcp_stream> connect(std::string host, std::uint16_t port, connect_by_name_options options = {},
                         source where = source::current());

namespace detail {

// The order in which they are tried. Requires that those of one family come first.
std::vector<endpoint> interleaved(const std::vector<endpoint>& found);

}  // namespace detail

}  // namespace lockstep
