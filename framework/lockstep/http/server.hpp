// Serving HTTP/1.1: a handler is called for each request that comes, until the server is stopped.
//
//   http::server web;
//   auto running = spawn(web.run(tcp_listener::bind("0.0.0.0:80"), answer), "web");
//   ...
//   web.stop();                // what was begun is answered
//   co_await running.join();
//
// or, for as long as the task is not cancelled, co_await http::serve(tcp_listener::bind("0.0.0.0:80"), answer).
//
// Connections are served at the same time, the requests of one in their order. They are kept until the peer or the
// limit on idleness ends them. HEAD is answered as GET without the body, an expected 100 Continue is sent, and bodies
// in chunks are put together. An exception that leaves the handler is answered 500, and is told to the exception
// handler of the run, or is a verdict. What is no request, as one without a Host, is answered 400, 408, 413, 431 or
// 501, and ends its connection; a connection that breaks is nothing to tell. Threads: those of the run.
#pragma once

#include <lockstep/http/message.hpp>
#include <lockstep/http/parser.hpp>
#include <lockstep/http/reply.hpp>
#include <lockstep/net/serve.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/sync/event.hpp>

#include <chrono>
#include <functional>
#include <utility>

namespace lockstep::http {

// Answers a request. It is kept until all have been answered.
using handler = std::function<task<response>(request)>;

struct server_options {
  message_limits limits{};  // of a request
  // How long a connection may be without a request, and how long one may take to come.
  duration idle_limit = std::chrono::seconds(60);
  // How long the rest of what a peer sends is read and dropped, after an answer that ends the connection, so that the
  // answer is not lost with it.
  duration linger_limit = std::chrono::seconds(1);
  serve_options connections{};
};

// Requires that it outlives its run(), which is for once.
class server {
 public:
  explicit server(const server_options& options = {}, source where = source::current());
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // As server::run() of lockstep, which it uses.
  template <stream_listener Listener>
  task<void> run(Listener listener, handler answer, source where = source::current()) {
    return run_replies(std::move(listener), detail::replies_of(std::move(answer)), where);
  }
  // The same with answers that are sent in an unusual way.
  template <stream_listener Listener>
  task<void> run_replies(Listener listener, detail::replier answer, source where = source::current());

  // No more connections come, those without a request are closed, and the requests that have begun are answered; for
  // `connections.stop_limit` at most. Returns at once.
  void stop(source where = source::current());
  // The same, but all is cancelled at once.
  void stop_now(source where = source::current());
  bool stopped() const noexcept { return connections_.stopped(); }
  std::size_t connections() const noexcept { return connections_.connections(); }

 private:
  server_options options_;
  lockstep::server connections_;
  event stopping_;
};

// As server::run(), for a server that nobody stops but by cancellation.
template <stream_listener Listener>
task<void> serve(Listener listener, handler answer, server_options options = {}, source where = source::current()) {
  server one(options);
  co_await one.run(std::move(listener), std::move(answer), where);
}

// -- implementation ---------------------------------------------------------------------------------------------------

template <stream_listener Listener>
task<void> server::run_replies(Listener listener, detail::replier answer, source where) {
  using stream = accepted_stream<Listener>;
  const auto converse = [this, &answer, where](stream peer) -> task<void> {
    const auto reset = [](lockstep::detail::stream_socket& which) {
      if constexpr (requires { peer.reset(); }) {
        static_cast<stream&>(which).reset();
      } else {
        which.close();
      }
    };
    co_await detail::converse({peer, reset, options_.limits, options_.idle_limit, options_.linger_limit, stopping_},
                              answer, where);
  };
  co_await connections_.run(std::move(listener), converse, where);
}

}  // namespace lockstep::http
