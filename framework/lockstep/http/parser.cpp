#include <lockstep/http/parser.hpp>

#include <fmt/format.h>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace lockstep::http::detail {

namespace {

namespace beast = boost::beast;
using beast::http::error;
using bytes_of_beast = beast::string_view;
using error_of_beast = beast::error_code;

std::string_view as_view(bytes_of_beast bytes) noexcept { return {bytes.data(), bytes.size()}; }

// The first line of what is wrong, with a mark for what cannot be shown.
std::string excerpt_of(std::string_view bytes) {
  constexpr std::size_t shown_max = 40;
  const std::string_view line = bytes.substr(0, std::min(bytes.find_first_of("\r\n"), shown_max));
  std::string shown(line);
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < ' ' || c >= 0x7f; }, '?');
  return line.size() < bytes.size() && line.size() == shown_max ? shown + "…" : shown;
}

template <bool IsRequest>
class parser_of_beast final : public message_parser, private beast::http::basic_parser<IsRequest> {
  using base = beast::http::basic_parser<IsRequest>;

 public:
  explicit parser_of_beast(const message_limits& limits) : limits_(limits) {
    this->eager(true);
    this->header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(limits.header_bytes_max, UINT32_MAX)));
    this->body_limit(limits.body_bytes_max);
  }
  void has_no_body() { this->skip(true); }

  std::size_t take(std::string_view bytes) override {
    std::size_t taken = 0;
    while (!this->base::is_done() && taken < bytes.size()) {
      error_of_beast failed;
      const std::size_t count =
          this->put(boost::asio::const_buffer(bytes.data() + taken, bytes.size() - taken), failed);
      taken += count;
      if (failed == error::need_more || (!failed && count == 0)) break;
      if (failed) refuse(failed, bytes.substr(taken));
    }
    return taken;
  }

  void end(std::string_view left) override {
    error_of_beast failed;
    this->put_eof(failed);
    if (!failed) return;
    if (!header_is_done()) {
      throw protocol_error(protocol_fault::ended_early,
                           fmt::format("the connection ended within a header, behind \"{}\"", excerpt_of(left)));
    }
    const auto length = this->content_length();
    throw protocol_error(
        protocol_fault::ended_early,
        length ? fmt::format("the connection ended after {} of {} bytes of the body", body_.size(), *length)
               : fmt::format("the connection ended within a body in chunks, after {} bytes of it", body_.size()));
  }

  bool header_is_done() const override { return this->is_header_done(); }
  bool is_done() const override { return this->base::is_done(); }
  bool keeps_alive() const override { return this->keep_alive(); }

 private:
  [[noreturn]] void refuse(const error_of_beast& why, std::string_view at) const {
    if (why == error::header_limit) {
      throw protocol_error(protocol_fault::header_too_long,
                           fmt::format("the header is longer than {} bytes", limits_.header_bytes_max));
    }
    if (why == error::body_limit) {
      throw protocol_error(protocol_fault::body_too_long,
                           fmt::format("the body is longer than {} bytes", limits_.body_bytes_max));
    }
    throw protocol_error(protocol_fault::malformed,
                         fmt::format("what came is no HTTP: {}, in \"{}\"", why.message(), excerpt_of(at)));
  }

  void on_request_impl(beast::http::verb, bytes_of_beast method, bytes_of_beast target, int version,
                       error_of_beast&) override {
    method_ = as_view(method);
    target_ = as_view(target);
    version_ = static_cast<unsigned>(version);
  }
  void on_response_impl(int status, bytes_of_beast reason, int version, error_of_beast&) override {
    status_ = static_cast<unsigned>(status);
    reason_ = as_view(reason);
    version_ = static_cast<unsigned>(version);
  }
  // Those behind the last chunk are not wanted.
  void on_field_impl(beast::http::field, bytes_of_beast name, bytes_of_beast value, error_of_beast&) override {
    if (!in_body_) headers_.add(std::string(as_view(name)), std::string(as_view(value)));
  }
  void on_header_impl(error_of_beast&) override { in_body_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_of_beast&) override {
    if (length) body_.reserve(std::min<std::size_t>(*length, 1 << 16));
  }
  std::size_t on_body_impl(bytes_of_beast bytes, error_of_beast&) override {
    body_ += as_view(bytes);
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, bytes_of_beast, error_of_beast&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, bytes_of_beast bytes, error_of_beast&) override {
    body_ += as_view(bytes);
    return bytes.size();
  }
  void on_finish_impl(error_of_beast&) override {}

  message_limits limits_;
  bool in_body_ = false;
};

}  // namespace

std::unique_ptr<message_parser> message_parser::of_request(const message_limits& limits) {
  return std::make_unique<parser_of_beast<true>>(limits);
}

std::unique_ptr<message_parser> message_parser::of_response(const message_limits& limits, std::string_view method) {
  auto made = std::make_unique<parser_of_beast<false>>(limits);
  if (method == "HEAD") made->has_no_body();
  return made;
}

request message_parser::take_request() {
  return {std::move(method_), std::move(target_), std::move(body_), std::move(headers_)};
}

response message_parser::take_response() {
  return {status_, std::move(body_), std::move(headers_), std::move(reason_)};
}

}  // namespace lockstep::http::detail
