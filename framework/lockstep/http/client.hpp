// Asking HTTP servers: fetch() once, or a client, which keeps its connections.
//
//   const http::response page = co_await http::fetch("http://web/index.html");
//
//   http::client shop;
//   co_await shop.post("http://shop/orders", "two apples");
//   const http::response orders = co_await shop.get("http://shop/orders");   // over the same connection
//
// They run on the system of the task that calls: on a host of a simulation, or on the machine.
// Any status is an answer, and no error. with_timeout() sets a limit to the time.
// Errors: std::system_error, of the resolver, of connecting and of the connection; protocol_error for an answer that is
// none or too long; std::invalid_argument for a URL that is none.
// Cancellation closes the connection of the call.
#pragma once

#include <lockstep/http/connection.hpp>
#include <lockstep/http/message.hpp>
#include <lockstep/http/url.hpp>
#include <lockstep/net/connect.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <utility>

namespace lockstep::http {

struct client_options {
  message_limits limits{};  // of an answer
  // How many connections without a request are kept, for all servers together.
  std::size_t idle_max = 8;
  // How many answers 301, 302, 303, 307 and 308 of one request are followed; the next is returned as it is.
  unsigned redirects_max = 0;
  connect_by_name_options connecting{};
};

// Keeps a connection that was used, and uses it again for the same server. Any number of calls may be under way, each
// on a connection of its own.
// A kept connection may have been closed by the server meanwhile. Where that shows before anything of the answer has
// come, a request that may be repeated (GET, HEAD, OPTIONS, TRACE, PUT, DELETE) is sent again, once, on a new
// connection. Others fail, as the server may have taken them. Source: RFC 9112, section 9.3.1.
// Requires that it outlives its calls.
class client {
 public:
  explicit client(client_options options = {});
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();

  task<response> get(std::string url) { return send(std::move(url), request()); }
  task<response> post(std::string url, std::string body) {
    return send(std::move(url), request("POST", {}, std::move(body)));
  }
  // The answer to `what`, whose target is that of the URL.
  task<response> send(std::string url, request what);

  // Closes the connections that have no request.
  void close_idle() noexcept { idle_.clear(); }
  std::size_t idle_connections() const noexcept { return idle_.size(); }

 private:
  struct kept {
    std::string authority;
    std::unique_ptr<connection> to;
  };

  task<response> ask(url at, request what);
  std::unique_ptr<connection> take_idle(const std::string& authority);
  void keep(const std::string& authority, std::unique_ptr<connection> used);

  client_options options_;
  std::list<kept> idle_;  // the longest idle first
};

// The answer to one request on a connection of its own, which is closed.
task<response> fetch(std::string url, request what, client_options options);
inline task<response> fetch(std::string url, request what) {
  return fetch(std::move(url), std::move(what), client_options());
}
inline task<response> fetch(std::string url) { return fetch(std::move(url), request()); }

}  // namespace lockstep::http
