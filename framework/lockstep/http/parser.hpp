// What bytes mean as messages of HTTP: the parser of Boost.Beast, which is in no header of ours.
#pragma once

#include <lockstep/http/message.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace lockstep::http {

// In bytes; more is a protocol_error.
struct message_limits {
  std::size_t header_bytes_max = 16'384;
  std::size_t body_bytes_max = 8'388'608;
};

namespace detail {

// One message, as it comes in pieces.
class message_parser {
 public:
  virtual ~message_parser() = default;
  message_parser(const message_parser&) = delete;
  message_parser& operator=(const message_parser&) = delete;

  // Of a request; and of what answers one of that method, as the answer to HEAD has no body whatever its header says.
  static std::unique_ptr<message_parser> of_request(const message_limits& limits);
  static std::unique_ptr<message_parser> of_response(const message_limits& limits, std::string_view method);

  // Takes what it can of `bytes`, and returns how many of them; those that it leaves are to come again with more behind
  // them, or belong to the next message. Throws protocol_error.
  virtual std::size_t take(std::string_view bytes) = 0;
  // No more bytes come, after these that it has left. Throws protocol_error if that is too early.
  virtual void end(std::string_view left) = 0;

  virtual bool header_is_done() const = 0;
  virtual bool is_done() const = 0;
  // Requires that the header is done: whether another message may follow.
  virtual bool keeps_alive() const = 0;
  // 10 for HTTP/1.0.
  unsigned version() const noexcept { return version_; }

  // What has come so far; of which a message is made when it is done.
  request take_request();
  response take_response();
  const header_fields& headers() const noexcept { return headers_; }
  unsigned status() const noexcept { return status_; }

 protected:
  message_parser() = default;

  std::string method_;
  std::string target_;
  unsigned status_ = 0;
  std::string reason_;
  header_fields headers_;
  std::string body_;
  unsigned version_ = 11;
};

}  // namespace detail

}  // namespace lockstep::http
