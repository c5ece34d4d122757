// mock: an HTTP server that a test tells what to answer, and that tells the test what it was asked.
//
//   http::mock web("web:80");                                    // on a host of the simulation
//   web.on("GET", "/stock").answer(200, "7 apples").once();
//   web.on("POST", "/orders").answer(503).then(201).after(2s);   // fails at first
//   ... what is tested asks http://web/stock ...
//   EXPECT_EQ(web.requests().size(), 3u);
//
// A request goes to the first route that takes it (see route.hpp); so a last one that takes all else makes the mock
// lenient: web.on(anything(), anything()).answer(404).always(). One that no route takes is answered 501, and is a
// verdict, once for all that are alike, which names the routes that come nearest and what they would have had
// otherwise. When the mock dies, every route that was not asked as often as it was to be is a verdict, with the line
// that made it; so is one that could not be asked, as a route before it takes every request that it could take. The
// code under test speaks real HTTP to it over the network, whose faults and latencies apply.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/http/route.hpp>
#include <lockstep/http/server.hpp>
#include <lockstep/http/text_matcher.hpp>
#include <lockstep/net/endpoint.hpp>
#include <lockstep/net/tcp.hpp>
#include <lockstep/runtime/listeners.hpp>
#include <lockstep/runtime/object.hpp>

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace lockstep::http {

namespace detail {

// What the mock and its tasks have in common.
class mock_server final : public object,
                          public std::enable_shared_from_this<mock_server>,
                          private lockstep::detail::run_listener {
 public:
  mock_server(std::string at, const server_options& options, source where);
  ~mock_server();
  // Serves from now on.
  void begin();
  std::string_view noun() const noexcept override { return "http_mock"; }

  route& add(text_matcher method, text_matcher path, source where);
  const endpoint& local() const noexcept { return local_; }
  std::string url(std::string_view target) const;
  const std::vector<received_request>& requests() const;
  // Its mock dies.
  void part() noexcept;

  // A route is about to be changed.
  void enter_route(const char* deed, source where) { enter_to_change(deed, where); }
  [[noreturn]] void refuse(const route& which, const std::string& why, source where) const;
  using object::touch;

 private:
  void listen(const endpoint& at);
  [[noreturn]] void refuse_place(const endpoint& at, const std::error_code& code) const;
  static task<void> serve(std::shared_ptr<mock_server> of, tcp_listener listener);
  static task<reply> reply_to(std::shared_ptr<mock_server> of, request what);
  // The one that is to answer it; null if none is.
  route* find(const request& what);
  const route* route_that_hides(const route& which) const;
  // Why it is not that route's turn; empty if it is.
  std::string out_of_turn(const route& which) const;
  std::string tell_unmatched(const request& what);
  // The body of an answer is over before it was to be cut.
  void tell_if_it_ends_late(const route& of, const reply& how, bool to_head);
  // Makes that verdict, once.
  void tell(verdict_kind kind, const std::string& text, source where);
  void judge(bool run_has_ended) noexcept;
  void tasks_have_gone() noexcept override {}
  void run_ends(bool well) noexcept override;

  std::string at_;
  source where_;
  std::string host_;
  endpoint local_;
  std::deque<std::unique_ptr<route>> routes_;
  std::vector<received_request> requests_;
  std::set<std::string> told_;  // of verdicts on requests
  http::server server_;
  loop* owner_;  // null once the run is over, or the mock has died
};

}  // namespace detail

class [[nodiscard("the mock serves while it lives")]] mock {
 public:
  // Serves from now on, at `at`: "web:80" is a host of the simulation, which is made if there is none; "10.0.0.2:80"
  // and "127.0.0.1:0" are addresses, on the operating system as well. Misuse for anything else, and in a simulation if
  // somebody listens there already. Errors: those of tcp_listener::bind().
  explicit mock(std::string at, const server_options& options = {}, source where = source::current());
  mock(const mock&) = delete;
  mock& operator=(const mock&) = delete;
  // Stops serving, and judges.
  ~mock() { server_->part(); }

  // A new route, behind those that there are. It lives as long as the mock.
  route& on(text_matcher method, text_matcher path, source where = source::current()) {
    return server_->add(std::move(method), std::move(path), where);
  }

  // All that have come, also those that no route took, in their order.
  const std::vector<received_request>& requests() const { return server_->requests(); }
  // Where it listens.
  const endpoint& local() const noexcept { return server_->local(); }
  // "http://web/stock" of "/stock".
  std::string url(std::string_view target = "/") const { return server_->url(target); }

 private:
  std::shared_ptr<detail::mock_server> server_;
};

}  // namespace lockstep::http

namespace lockstep {

using http_mock = http::mock;

}  // namespace lockstep
