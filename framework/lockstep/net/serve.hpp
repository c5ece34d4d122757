// Serving: a task for each connection that comes, until the server is stopped.
//
//   server web({.connections_max = 100});
//   auto running = spawn(web.run(tcp_listener::bind("0.0.0.0:80"), answer), "web");
//   ...
//   web.stop();                // no more come, and those that are there are served to their end
//   co_await running.join();
//
// or, for as long as the task is not cancelled, co_await serve(tcp_listener::bind("0.0.0.0:80"), answer).
//
// What handlers do
//   `answer` is a task_function that takes a connection, as tcp_stream or unix_stream; it is kept until all have ended.
//   Its tasks are named after their peers. An exception that leaves one is told to the exception handler of the run, or
//   is a verdict, and ends nothing else, unless `ends_with_failure`.
// Threads: those of the run.
// Source: asyncio.start_server and asyncio.Server.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/net/stream.hpp>
#include <lockstep/runtime/result.hpp>
#include <lockstep/runtime/select.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/runtime/task_group.hpp>
#include <lockstep/sync/event.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace lockstep {

struct serve_options {
  // How many connections are served at once, at least 1; others wait in the listener's backlog.
  std::size_t connections_max = std::numeric_limits<std::size_t>::max();
  // How long after stop() handlers may go on before they are cancelled.
  duration stop_limit = std::chrono::seconds(30);
  // Until connections are accepted again when the system has no descriptor or buffer for one.
  duration accept_pause = std::chrono::seconds(1);
  // Whether the first exception that leaves a handler ends the server, which throws it, and cancels the other handlers.
  bool ends_with_failure = false;
};

// What a server takes connections from.
template <class Listener>
concept stream_listener = requires(Listener& from) {
  { from.accept() } -> operation_of_ours;
  { from.accept().await_resume() } -> byte_stream;
  from.close();
};

template <stream_listener Listener>
using accepted_stream = std::remove_cvref_t<decltype(std::declval<Listener&>().accept().await_resume())>;

namespace detail {

// In the name of that line, if the listener takes one.
template <class Listener>
auto accept_at(Listener& from, const source& where) {
  if constexpr (requires { from.accept(where); }) {
    return from.accept(where);
  } else {
    return from.accept();
  }
}

}  // namespace detail

// What is done for each connection: `co_await handler(connection)`.
template <class Handler, class Listener>
concept connection_handler = task_function<Handler&, accepted_stream<Listener>>;

// Requires that it outlives its run(), which is for once.
class server {
 public:
  explicit server(const serve_options& options = {}, source where = source::current());
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Accepts connections and runs `handler(connection)` for each, until the server is stopped and all handlers have
  // ended. Cancelled, it closes the listener, cancels the handlers and waits for their end.
  // A want of descriptors or buffers (EMFILE, ENFILE, ENOBUFS, ENOMEM) passes after a pause, and what is about one
  // connection that came to nothing (ECONNABORTED and what accept(2) says is to be tried again) at once.
  // Errors: any other of the listener's accept(), which cancels the handlers as well; with `ends_with_failure`, what
  // left a handler.
  template <stream_listener Listener, connection_handler<Listener> Handler>
  task<void> run(Listener listener, Handler handler, source where = source::current());

  // The listener is closed, which resets those that were not accepted; then run() waits for the handlers, for
  // `stop_limit` at most, cancels those that are left, and returns. Returns at once, from whichever task, and also
  // before run(), which then does nothing.
  // Source: asyncio.Server.close and wait_closed.
  void stop(source where = source::current());
  // The same, but handlers are cancelled at once; also after stop().
  // Source: asyncio.Server.abort_clients.
  void stop_now(source where = source::current());

  // Whether it was stopped.
  bool stopped() const noexcept { return stopped_.is_set(); }
  // How many are being served.
  std::size_t connections() const noexcept {
    changed_.touch(access::read);
    return connections_;
  }

 private:
  // One of the connections, until it dies.
  class place {
   public:
    explicit place(server& of) noexcept : of_(&of) {
      of.changed_.touch(access::write);
      ++of.connections_;
    }
    place(place&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    place& operator=(place&&) = delete;
    ~place() {
      if (of_ != nullptr) of_->left();
    }

   private:
    server* of_;
  };
  // While run() runs.
  class running {
   public:
    running(server& of, const source& where);
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { of_.group_ = nullptr; }

   private:
    server& of_;
  };
  template <class Listener>
  struct closing {
    Listener& listener;
    ~closing() { listener.close(); }
  };

  // False once it is stopped.
  task<bool> wait_for_room();
  // Nothing if the server was stopped, or if there was an error that passes.
  template <stream_listener Listener>
  task<std::optional<accepted_stream<Listener>>> accept_one(Listener& listener, source where);
  template <class Stream, class Handler>
  task<void> handle(Handler& handler, Stream peer, place held, source where);
  task<void> wait_for_handlers(task_group& group);
  // How long to wait before the next; nothing if it is no error that passes.
  std::optional<duration> pause_after(const std::error_code& error) const noexcept;
  void failed(std::exception_ptr failure, const source& where);
  void end_with(std::exception_ptr failure);
  void left() noexcept;
  template <class Stream>
  std::string name_of(const Stream& peer) {
    std::string name;
    if constexpr (requires { peer.remote().text(); }) {
      try {
        name = peer.remote().text();
      } catch (const std::system_error&) {  // it has gone already
      }
    }
    ++served_;
    return !name.empty() ? name : "connection " + std::to_string(served_);
  }

  serve_options options_;
  event stopped_;
  event changed_;  // set when a connection ends
  std::size_t connections_ = 0;
  std::size_t served_ = 0;
  task_group* group_ = nullptr;  // of the handlers
  std::exception_ptr failure_;
  bool began_ = false;
};

// As server::run(), for a server that nobody stops but by cancellation.
template <stream_listener Listener, connection_handler<Listener> Handler>
task<void> serve(Listener listener, Handler handler, serve_options options = {}, source where = source::current()) {
  server one(options);
  co_await one.run(std::move(listener), std::move(handler), where);
}

// -- implementation ---------------------------------------------------------------------------------------------------

template <stream_listener Listener, connection_handler<Listener> Handler>
task<void> server::run(Listener listener, Handler handler, source where) {
  const running scope(*this, where);
  const auto body = [&, this](task_group& group) -> task<void> {
    group_ = &group;
    {
      const closing<Listener> at_end{listener};
      while (co_await wait_for_room()) {
        std::optional<accepted_stream<Listener>> peer = co_await accept_one(listener, where);
        if (!peer) continue;
        std::string name = name_of(*peer);
        group.spawn(handle(handler, std::move(*peer), place(*this), where), std::move(name), where);
      }
    }
    co_await wait_for_handlers(group);
  };
  co_await with_task_group(body);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

template <stream_listener Listener>
task<std::optional<accepted_stream<Listener>>> server::accept_one(Listener& listener, source where) {
  std::optional<duration> pause;
  try {
    auto first = co_await select(stopped_.wait(), detail::accept_at(listener, where));
    if (first.index == 0) co_return std::nullopt;
    co_return std::move(std::get<1>(first.value));
  } catch (const std::system_error& error) {
    pause = pause_after(error.code());
    if (!pause) end_with(std::current_exception());
  }
  if (pause > duration::zero()) co_await select(stopped_.wait(), sleep_for(*pause));
  co_return std::nullopt;
}

template <class Stream, class Handler>
task<void> server::handle(Handler& handler, Stream peer, place held, source where) {
  const place until_the_end = std::move(held);
  try {
    co_await handler(std::move(peer));
  } catch (const cancelled&) {
    throw;
  } catch (...) {
    failed(std::current_exception(), where);
  }
}

}  // namespace lockstep
