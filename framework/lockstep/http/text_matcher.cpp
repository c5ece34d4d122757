#include <lockstep/http/text_matcher.hpp>

#include <fmt/format.h>

#include <cstddef>

namespace lockstep::http {

namespace {

bool is_like(std::string_view text, std::string_view pattern) noexcept {
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t star = std::string_view::npos;  // the last one, and where the text behind it is tried next
  std::size_t behind = 0;
  while (at < text.size()) {
    const bool more = in_pattern < pattern.size();
    if (more && pattern[in_pattern] == '*') {
      star = in_pattern++;
      behind = at;
    } else if (more && (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
      ++in_pattern;
      ++at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++behind;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

}  // namespace

text_matcher::text_matcher(std::string exactly)
    : described_(fmt::format("\"{}\"", exactly)), plain_(exactly),
      accepts_([exactly](std::string_view text) { return text == exactly; }) {}

text_matcher glob(std::string pattern) {
  return {fmt::format("like \"{}\"", pattern), pattern,
          [pattern](std::string_view text) { return is_like(text, pattern); }};
}

text_matcher contains(std::string part) {
  return {fmt::format("one with \"{}\" in it", part),
          [part](std::string_view text) { return text.find(part) != text.npos; }};
}

text_matcher starts_with(std::string beginning) {
  return {fmt::format("one that begins with \"{}\"", beginning),
          [beginning](std::string_view text) { return text.starts_with(beginning); }};
}

text_matcher anything() {
  return {"anything", [](std::string_view) { return true; }};
}

}  // namespace lockstep::http
