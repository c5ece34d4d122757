#include <lockstep/http/url.hpp>

#include <lockstep/http/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace lockstep::http {

namespace {

constexpr std::string_view scheme = "http://";

bool has_scheme(std::string_view text) noexcept {
  return text.size() >= scheme.size() && same_name(text.substr(0, scheme.size()), scheme);
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw std::invalid_argument(fmt::format("\"{}\" {}", text, why));
}

}  // namespace

url url::parse(std::string_view text) {
  if (!has_scheme(text)) refuse(text, "is no URL that begins with http://");
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    refuse(text, "is no URL: it has a space or a control character in it, which %xx stands for");
  }
  std::string_view rest = text.substr(scheme.size());
  rest = rest.substr(0, rest.find('#'));
  std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());

  url parsed;
  if (authority.find('@') != authority.npos) refuse(text, "has a user in it, which is not supported");
  const std::size_t bracket = authority.rfind(']');
  if (const std::size_t colon = authority.rfind(':');
      colon != authority.npos && (bracket == authority.npos || colon > bracket)) {
    const std::string_view port = authority.substr(colon + 1);
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), parsed.port);
    const bool whole = failed == std::errc() && end == port.data() + port.size() && parsed.port != 0;
    if (!whole && !port.empty()) refuse(text, "has no port 1 … 65535 behind its colon");
    authority = authority.substr(0, colon);
  }
  if (authority.size() > 2 && authority.front() == '[' && authority.back() == ']') {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty()) refuse(text, "names no host");
  parsed.host = authority;
  if (!rest.empty()) parsed.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  return parsed;
}

url url::resolve(std::string_view reference) const {
  if (has_scheme(reference)) return parse(reference);
  if (reference.starts_with("//")) return parse("http:" + std::string(reference));
  if (reference.substr(0, reference.find_first_of("/?#")).find(':') != reference.npos) return parse(reference);
  const std::string base = "http://" + authority();
  if (reference.starts_with('/')) return parse(base + std::string(reference));
  const std::string_view path = std::string_view(target).substr(0, target.find('?'));
  if (reference.starts_with('?')) return parse(base + std::string(path) + std::string(reference));
  return parse(base + std::string(path.substr(0, path.rfind('/') + 1)) + std::string(reference));
}

std::string url::authority() const {
  const std::string name = host.find(':') == host.npos ? host : "[" + host + "]";
  return port == 80 ? name : fmt::format("{}:{}", name, port);
}

}  // namespace lockstep::http
