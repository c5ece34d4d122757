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
    : kind_(kind::exact), described_(fmt::format("\"{}\"", exactly)), plain_(exactly),
      accepts_([exactly](std::string_view text) { return text == exactly; }) {}

bool text_matcher::covers(const text_matcher& other) const {
  if (kind_ == kind::anything) return true;
  if (kind_ == kind::of_user) return false;
  return other.kind_ == kind::exact ? matches(other.plain_) : other.kind_ == kind_ && other.described_ == described_;
}

text_matcher glob(std::string pattern) {
  return {text_matcher::kind::pattern, fmt::format("like \"{}\"", pattern), pattern,
          [pattern](std::string_view text) { return is_like(text, pattern); }};
}

text_matcher contains(std::string part) {
  const std::string described = fmt::format("one with \"{}\" in it", part);
  return {text_matcher::kind::pattern, described, "(" + described + ")",
          [part](std::string_view text) { return text.find(part) != text.npos; }};
}

text_matcher starts_with(std::string beginning) {
  const std::string described = fmt::format("one that begins with \"{}\"", beginning);
  return {text_matcher::kind::pattern, described, "(" + described + ")",
          [beginning](std::string_view text) { return text.starts_with(beginning); }};
}

text_matcher anything() {
  return {text_matcher::kind::anything, "anything", "(anything)", [](std::string_view) { return true; }};
}

}  // namespace lockstep::http
