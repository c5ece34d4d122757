// Messages as they go over a connection: how their bytes are made, and how they are read, one after the other.
#pragma once

#include <lockstep/http/message.hpp>
#include <lockstep/http/parser.hpp>
#include <lockstep/net/stream.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::http::detail {

using lockstep::detail::stream_socket;

struct message_text {
  std::string header;  // with the empty line
  std::string body;    // with its chunks, if it has such
};

// A request to that host, as Host has it. Its body is in chunks if it has the field Transfer-Encoding: chunked.
message_text text_of(const request& what, std::string_view authority);

// What an answer depends on beside itself.
struct answer_terms {
  bool to_head = false;     // of that, the header alone
  unsigned version = 11;    // of the request
  bool keeps_alive = true;  // whether another request may follow
  std::size_t chunk_bytes = 16'384;
};
message_text text_of(const response& what, const answer_terms& terms);

// Reads messages from a stream. A call that is cancelled or times out loses nothing: the next goes on where it was.
class message_reader {
 public:
  message_reader(stream_socket& from, const message_limits& limits) noexcept : from_(from), limits_(limits) {}
  message_reader(const message_reader&) = delete;
  message_reader& operator=(const message_reader&) = delete;

  // Whether some of the next message has come.
  bool has_begun() const noexcept { return begin_ != end_ || (parser_ != nullptr && parser_took_); }
  // Whether something has come that was not read.
  bool has_left() const noexcept { return begin_ != end_; }
  // Where the stream is to put what comes next, and that so much has come; 0 for the end.
  std::span<char> room();
  void add(std::size_t count) noexcept;
  bool at_end() const noexcept { return at_end_; }

  // The header of the next message, or of the one that was begun; false if the stream has ended before it.
  // Errors: protocol_error; those of the stream.
  task<bool> read_request_header() { return read_header(true, {}); }
  // `method` is of the request that it answers.
  task<bool> read_response_header(std::string method) { return read_header(false, std::move(method)); }
  // What has come of it.
  const message_parser& message() const noexcept { return *parser_; }
  // The rest of that message.
  task<void> read_body();
  // After that; the next message may be read.
  request take_request();
  response take_response();

 private:
  task<bool> read_header(bool of_request, std::string method);
  void parse();

  stream_socket& from_;
  message_limits limits_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool at_end_ = false;
  bool parser_took_ = false;
  std::unique_ptr<message_parser> parser_;  // of the message that is being read
};

}  // namespace lockstep::http::detail
