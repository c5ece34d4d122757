#include <lockstep/http/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace lockstep::http {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || others.find(c) != others.npos;
  });
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned char value = 0;
    if (text[at] == '+') {
      plain += ' ';
    } else if (text[at] == '%' && at + 2 < text.size() &&
               std::from_chars(&text[at + 1], &text[at + 1] + 2, value, 16).ptr == &text[at + 1] + 2) {
      plain += static_cast<char>(value);
      at += 2;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

}  // namespace

bool same_name(std::string_view one, std::string_view other) noexcept {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

// -- header_fields ----------------------------------------------------------------------------------------------------

header_fields::header_fields(std::initializer_list<header_field> fields) {
  for (const header_field& each : fields) add(each.name, each.value);
}

void header_fields::add(std::string name, std::string value) {
  if (!is_token(name)) throw std::invalid_argument(fmt::format("\"{}\" is no name of a header field", name));
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos) {
    throw std::invalid_argument(fmt::format("the value of the header field {} has a line break or a null in it", name));
  }
  fields_.push_back({std::move(name), std::move(value)});
}

void header_fields::set(std::string name, std::string value) {
  header_fields checked;
  checked.add(std::move(name), std::move(value));
  erase(checked.fields_.front().name);
  fields_.push_back(std::move(checked.fields_.front()));
}

std::size_t header_fields::erase(std::string_view name) {
  return std::erase_if(fields_, [name](const header_field& each) { return same_name(each.name, name); });
}

std::optional<std::string_view> header_fields::find(std::string_view name) const noexcept {
  for (const header_field& each : fields_) {
    if (same_name(each.name, name)) return each.value;
  }
  return std::nullopt;
}

bool header_fields::lists(std::string_view name, std::string_view token) const noexcept {
  for (const header_field& each : fields_) {
    if (!same_name(each.name, name)) continue;
    std::string_view rest = each.value;
    while (!rest.empty()) {
      const std::string_view one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(one.size() + 1, rest.size()));
      if (same_name(trimmed(one), token)) return true;
    }
  }
  return false;
}

// -- request and response ---------------------------------------------------------------------------------------------

std::optional<std::string> request::query(std::string_view name) const {
  const std::size_t mark = target.find('?');
  if (mark == target.npos) return std::nullopt;
  std::string_view rest = std::string_view(target).substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    if (decoded(one.substr(0, equals)) == name) return decoded(one.substr(std::min(equals + 1, one.size())));
  }
  return std::nullopt;
}

std::string_view reason_of(unsigned status) noexcept {
  static constexpr std::array<std::pair<unsigned, std::string_view>, 42> known{{
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {203, "Non-Authoritative Information"},
      {204, "No Content"},
      {205, "Reset Content"},
      {206, "Partial Content"},
      {300, "Multiple Choices"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  }};
  const auto found = std::lower_bound(known.begin(), known.end(), status,
                                      [](const auto& each, unsigned to) { return each.first < to; });
  return found != known.end() && found->first == status ? found->second : std::string_view();
}

}  // namespace lockstep::http
