#include <lockstep/http/wire.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace lockstep::http::detail {

namespace {

constexpr std::string_view line_end = "\r\n";

void add_fields(std::string& to, const header_fields& fields) {
  for (const header_field& each : fields) to += fmt::format("{}: {}\r\n", each.name, each.value);
}

bool is_chunked(const header_fields& fields) noexcept { return fields.lists("Transfer-Encoding", "chunked"); }

std::string in_chunks(std::string_view body, std::size_t chunk_bytes) {
  std::string text;
  while (!body.empty()) {
    const std::string_view chunk = body.substr(0, std::max<std::size_t>(chunk_bytes, 1));
    body.remove_prefix(chunk.size());
    text += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
  }
  return text + "0\r\n\r\n";
}

bool has_length(const header_fields& fields) noexcept {
  return fields.contains("Content-Length") || is_chunked(fields);
}

// What a parser does not look at.
// Source: RFC 9112, 3.2 and 6.1.
void check_request(const message_parser& come) {
  const auto hosts = std::count_if(come.headers().begin(), come.headers().end(),
                                   [](const auto& each) { return same_name(each.name, "Host"); });
  if (hosts > 1 || (hosts == 0 && come.version() >= 11)) {
    throw protocol_error(protocol_fault::malformed,
                         fmt::format("a request has one header field Host, and this one has {}",
                                     hosts == 0 ? "none" : std::to_string(hosts)));
  }
  for (const header_field& each : come.headers()) {
    if (!same_name(each.name, "Transfer-Encoding") || same_name(each.value, "chunked")) continue;
    throw protocol_error(protocol_fault::unknown_coding,
                         fmt::format("the transfer coding \"{}\" is not known, as \"chunked\" is", each.value));
  }
}

}  // namespace

message_text text_of(const request& what, std::string_view authority) {
  message_text text;
  text.header = fmt::format("{} {} HTTP/1.1\r\n", what.method, what.target);
  if (!what.headers.contains("Host")) text.header += fmt::format("Host: {}\r\n", authority);
  add_fields(text.header, what.headers);
  const bool usually_has_body = what.method == "POST" || what.method == "PUT" || what.method == "PATCH";
  if (!has_length(what.headers) && (usually_has_body || !what.body.empty())) {
    text.header += fmt::format("Content-Length: {}\r\n", what.body.size());
  }
  text.header += line_end;
  text.body = is_chunked(what.headers) ? in_chunks(what.body, answer_terms().chunk_bytes) : what.body;
  return text;
}

message_text text_of(const response& what, const answer_terms& terms) {
  message_text text;
  const std::string_view reason = what.reason.empty() ? reason_of(what.status) : std::string_view(what.reason);
  text.header = fmt::format("HTTP/1.1 {} {}\r\n", what.status, reason);
  header_fields fields = what.headers;
  const bool never_has_body = what.status < 200 || what.status == 204 || what.status == 304;
  bool chunked = is_chunked(fields);
  if (chunked && terms.version < 11) {  // which knows no chunks
    fields.erase("Transfer-Encoding");
    chunked = false;
  }
  if (!has_length(fields) && !never_has_body) fields.add("Content-Length", std::to_string(what.body.size()));
  if (!fields.contains("Connection")) {
    if (!terms.keeps_alive) fields.add("Connection", "close");
    if (terms.keeps_alive && terms.version < 11) fields.add("Connection", "keep-alive");
  }
  add_fields(text.header, fields);
  text.header += line_end;
  if (terms.to_head || never_has_body) return text;
  text.body = chunked ? in_chunks(what.body, terms.chunk_bytes) : what.body;
  return text;
}

// -- message_reader ---------------------------------------------------------------------------------------------------

std::span<char> message_reader::room() {
  constexpr std::size_t piece_bytes = 8'192;
  if (begin_ == end_) begin_ = end_ = 0;
  if (buffer_.size() - end_ < piece_bytes && begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < piece_bytes) buffer_.resize(std::max(end_ + piece_bytes, buffer_.size() * 2));
  return std::span(buffer_).subspan(end_);
}

void message_reader::add(std::size_t count) noexcept {
  end_ += count;
  if (count == 0) at_end_ = true;
}

void message_reader::parse() {
  if (begin_ == end_) return;
  const std::size_t taken = parser_->take({buffer_.data() + begin_, end_ - begin_});
  begin_ += taken;
  if (taken != 0) parser_took_ = true;
}

task<bool> message_reader::read_header(bool of_request, std::string method) {
  if (parser_ == nullptr) {
    parser_ = of_request ? message_parser::of_request(limits_) : message_parser::of_response(limits_, method);
    parser_took_ = false;
  }
  for (;;) {
    parse();
    if (parser_->header_is_done()) {
      if (of_request) check_request(*parser_);
      co_return true;
    }
    if (at_end_) {
      if (!has_begun()) co_return false;
      parser_->end({buffer_.data() + begin_, end_ - begin_});
    }
    add(co_await from_.read_some(room()));
  }
}

task<void> message_reader::read_body() {
  for (;;) {
    parse();
    if (parser_->is_done()) co_return;
    if (at_end_) {
      parser_->end({buffer_.data() + begin_, end_ - begin_});
      co_return;
    }
    add(co_await from_.read_some(room()));
  }
}

request message_reader::take_request() {
  request taken = parser_->take_request();
  parser_.reset();
  return taken;
}

response message_reader::take_response() {
  response taken = parser_->take_response();
  parser_.reset();
  return taken;
}

}  // namespace lockstep::http::detail
