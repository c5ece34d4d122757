// One connection to an HTTP server: requests that are written to it, and the answers in their order.
#pragma once

#include <lockstep/http/message.hpp>
#include <lockstep/http/parser.hpp>
#include <lockstep/net/tcp.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

namespace lockstep::http {

namespace detail {
class message_reader;
}

// Requires that it outlives its calls; one task writes and one reads at a time. A cancellation or a timeout of read()
// loses nothing, the next goes on; a write() that is cancelled may have sent a part, and the connection is of no use.
class connection {
 public:
  // `authority` is the Host that requests name which have none.
  connection(tcp_stream to, std::string authority, const message_limits& limits = {});
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  // Sends a request, before the answers to those before have come if need be.
  // Errors: those of tcp_stream::write(); misuse after one that could not be written or answered.
  task<void> write(request what);
  // The answer to the oldest request that was written and has none; 1xx before it are left out. Misuse if all have one.
  // Errors: protocol_error; those of tcp_stream::read_some(). ECONNRESET too, if the server has closed the connection
  // before it has said anything.
  task<response> read();
  // Both. If the request says Expect: 100-continue, its body waits for the server to ask for it, or for a second.
  // A server that answers before it has taken the whole request is heard.
  task<response> exchange(request what);

  // Whether the next request may be written: all were answered, and the server has not closed the connection.
  bool is_idle() const;
  // Whether something of an answer has come.
  bool has_heard() const noexcept { return heard_; }
  const tcp_stream& stream() const noexcept { return stream_; }

 private:
  void begin_request();
  task<response> read_final();
  task<bool> wait_for_continue();

  tcp_stream stream_;
  std::string authority_;
  std::unique_ptr<detail::message_reader> from_;
  std::deque<std::string> asked_;  // the methods of those without an answer
  bool heard_ = false;
  bool over_ = false;
};

}  // namespace lockstep::http
