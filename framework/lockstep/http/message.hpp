// Messages of HTTP/1.1 as plain values: request, response, and the fields of their headers.
//
//   const http::request order{"POST", "/orders", "two apples"};
//   const http::response answer{404, "no such order"};
//
// They hold what a program says and hears. What frames a message, its length and its chunks, is added and taken off by
// the connection; a field for it that is there already is sent as it is.
// Source: RFC 9110, HTTP Semantics, and RFC 9112, HTTP/1.1.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::http {

// Whether they differ at most in the case of letters of ASCII, as names of fields do.
bool same_name(std::string_view one, std::string_view other) noexcept;

struct header_field {
  std::string name;
  std::string value;

  friend bool operator==(const header_field&, const header_field&) = default;
};

// The fields of a header in the order in which they were added. Names are looked up in any case. Few are expected:
// every look-up goes through all.
class header_fields {
 public:
  using value_type = header_field;
  using const_iterator = std::vector<header_field>::const_iterator;

  header_fields() = default;
  // As add(), of each.
  header_fields(std::initializer_list<header_field> fields);

  // Throws std::invalid_argument for a name that is no token, and for a value with a line break or a null in it.
  void add(std::string name, std::string value);
  // The same in place of all of that name.
  void set(std::string name, std::string value);
  // Returns how many of that name there were.
  std::size_t erase(std::string_view name);

  // The value of the first of that name; nothing if there is none.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  // Whether one of that name has `token` among its values, which commas separate: "keep-alive, Upgrade".
  bool lists(std::string_view name, std::string_view token) const noexcept;

  std::size_t size() const noexcept { return fields_.size(); }
  bool empty() const noexcept { return fields_.empty(); }
  const_iterator begin() const noexcept { return fields_.begin(); }
  const_iterator end() const noexcept { return fields_.end(); }

  friend bool operator==(const header_fields&, const header_fields&) = default;

 private:
  std::vector<header_field> fields_;
};

// Not an aggregate, of which GCC 12 frees a temporary twice within co_await.
struct request {
  request(std::string verb = "GET", std::string to = "/", std::string content = {}, header_fields fields = {})
      : method(std::move(verb)), target(std::move(to)), body(std::move(content)), headers(std::move(fields)) {}

  std::string method;
  std::string target;  // what stands behind it in the first line: "/find?name=x"
  std::string body;
  header_fields headers;

  // What is before the "?" of the target, as it was sent.
  std::string_view path() const noexcept { return std::string_view(target).substr(0, target.find('?')); }
  // The value of the first parameter of that name behind the "?", with %xx and "+" decoded; nothing if there is none.
  std::optional<std::string> query(std::string_view name) const;

  friend bool operator==(const request&, const request&) = default;
};

struct response {
  response(unsigned code = 200, std::string content = {}, header_fields fields = {}, std::string why = {})
      : status(code), body(std::move(content)), headers(std::move(fields)), reason(std::move(why)) {}

  unsigned status;  // 100 … 599
  std::string body;
  header_fields headers;
  std::string reason;  // behind the status in the first line; if it is empty, the usual one is sent

  friend bool operator==(const response&, const response&) = default;
};

// "Not Found" of 404; empty for one that is not known.
std::string_view reason_of(unsigned status) noexcept;

enum class protocol_fault { malformed, header_too_long, body_too_long, ended_early, unknown_coding };

// Thrown where what has come is not what the protocol allows, or more than the limits do. The connection is of no use
// any more.
class protocol_error : public std::runtime_error {
 public:
  protocol_error(protocol_fault fault, const std::string& text) : std::runtime_error(text), fault_(fault) {}
  protocol_fault fault() const noexcept { return fault_; }

 private:
  protocol_fault fault_;
};

}  // namespace lockstep::http
