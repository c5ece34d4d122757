// What a text is to be: "/orders" itself, one like "/orders/*", one with "json" in it.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep::http {

// A matcher of GoogleMock for std::string is one as well: testing::Matcher<std::string>(testing::HasSubstr("json")).
class text_matcher {
 public:
  // That very text.
  text_matcher(std::string exactly);
  text_matcher(const char* exactly) : text_matcher(std::string(exactly)) {}
  // One for which `accepts` is true. `described` follows "not": "a number".
  text_matcher(std::string described, std::function<bool(std::string_view)> accepts)
      : described_(std::move(described)), plain_("(" + described_ + ")"), accepts_(std::move(accepts)) {}
  template <class Matcher>
    requires(!std::convertible_to<Matcher, std::string> &&
             requires(const Matcher& from, const std::string& text, std::ostream* out) {
               { from.Matches(text) } -> std::convertible_to<bool>;
               from.DescribeTo(out);
             })
  text_matcher(Matcher from)
      : text_matcher(description_of(from), [from](std::string_view text) { return from.Matches(std::string(text)); }) {}

  bool matches(std::string_view text) const { return accepts_(text); }
  // Whether it is known that all that `other` matches, this one matches; asks no callable of a user. False where that
  // cannot be known.
  bool covers(const text_matcher& other) const;
  // "\"/orders\"", "like \"/orders/*\"", "one with \"json\" in it".
  const std::string& described() const noexcept { return described_; }
  // The same without words where there is a text that says it: "/orders", "/orders/*".
  const std::string& plain() const noexcept { return plain_; }

 private:
  friend text_matcher glob(std::string pattern);
  friend text_matcher contains(std::string part);
  friend text_matcher starts_with(std::string beginning);
  friend text_matcher anything();

  enum class kind : std::uint8_t { exact, pattern, anything, of_user };

  text_matcher(kind of, std::string described, std::string plain, std::function<bool(std::string_view)> accepts)
      : kind_(of), described_(std::move(described)), plain_(std::move(plain)), accepts_(std::move(accepts)) {}
  template <class Matcher>
  static std::string description_of(const Matcher& from) {
    std::ostringstream out;
    from.DescribeTo(&out);
    return "one that " + out.str();
  }

  kind kind_ = kind::of_user;
  std::string described_;
  std::string plain_;
  std::function<bool(std::string_view)> accepts_;
};

// One like the pattern, in which "*" stands for any text and "?" for any character.
text_matcher glob(std::string pattern);
text_matcher contains(std::string part);
text_matcher starts_with(std::string beginning);
text_matcher anything();

}  // namespace lockstep::http
