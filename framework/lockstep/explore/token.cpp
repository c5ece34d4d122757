#include <lockstep/explore/token.hpp>

#include <lockstep/base/hash.hpp>

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

namespace lockstep {

namespace {

constexpr std::string_view version = "ls1";

// Splits off what stands before the first `separator`; `text` keeps the rest.
std::string_view cut(std::string_view& text, char separator) noexcept {
  const std::size_t at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return head;
}

template <class T>
std::optional<T> number(std::string_view text, int base = 10) noexcept {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool is_path(std::string_view text) noexcept {
  if (text == "main") return true;
  do {
    const auto ordinal = number<std::uint32_t>(cut(text, '.'));
    if (!ordinal || *ordinal == 0) return false;
  } while (!text.empty());
  return true;
}

// A domain's name within a token: what could be taken for punctuation is written as %XX.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    text += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (const auto code = number<unsigned char>(text.substr(i + 1, 2), 16)) {
        name += static_cast<char>(*code);
        i += 2;
        continue;
      }
    }
    name += text[i];
  }
  return name;
}

// Reads one override into `into`; false if it is none.
bool read_override(std::string_view text, token& into) {
  if (text.find('@') != std::string_view::npos) {
    task_override read;
    read.task = cut(text, '@');
    const auto step = number<std::uint32_t>(cut(text, '>'));
    read.instead = text;
    if (!step || !is_path(read.task) || !is_path(read.instead)) return false;
    read.step = *step;
    into.task_overrides.push_back(std::move(read));
    return true;
  }
  value_override read;
  read.domain = unescaped(cut(text, '#'));
  const auto nth = number<std::uint64_t>(cut(text, '='));
  const auto value = number<std::uint64_t>(text);
  if (!nth || !value || read.domain.empty()) return false;
  read.nth = *nth;
  read.value = *value;
  into.value_overrides.push_back(std::move(read));
  return true;
}

}  // namespace

std::uint16_t test_hash(std::string_view full_name) noexcept { return static_cast<std::uint16_t>(hash_of(full_name)); }

identity task_at(std::string_view path) noexcept {
  identity found = main_identity;
  if (path == "main") return found;
  while (!path.empty()) found = task_identity(found, number<std::uint32_t>(cut(path, '.')).value_or(0));
  return found;
}

std::string to_text(const token& of) {
  std::string text = fmt::format("{}:{:04x}:{}", version, of.test, name_of(of.base));
  if (of.base == schedule::random) text += fmt::format("-{}", of.seed);
  if (of.order == ordering::fifo) text += "/fifo";
  text += ':';
  std::string_view comma;
  for (const task_override& each : of.task_overrides) {
    text += fmt::format("{}{}@{}>{}", std::exchange(comma, ","), each.task, each.step, each.instead);
  }
  for (const value_override& each : of.value_overrides) {
    text += fmt::format("{}{}#{}={}", std::exchange(comma, ","), escaped(each.domain), each.nth, each.value);
  }
  text += ':';
  if (!of.print.trace_end.empty()) {
    text += fmt::format("{}.{}.{}", of.print.choices, of.print.digits, of.print.trace_end);
  }
  return text + ';';
}

std::variant<token, std::string> parse_token(std::string_view text) {
  const std::string whole(text);
  if (text.substr(0, 2) != "ls") {
    return fmt::format("\"{}\" is no lockstep token; one begins with \"{}:\"", whole, version);
  }
  if (const std::string_view found = text.substr(0, text.find(':')); found != version) {
    return fmt::format(
        "the token is of version \"{}\"; this build reads \"{}\", so replay it with the build that made it", found,
        version);
  }
  if (text.back() != ';') {
    return fmt::format("the token \"{}\" was cut short: it does not end with \";\"; copy the whole line", whole);
  }
  text.remove_suffix(1);
  cut(text, ':');
  token read;
  const std::string_view test = cut(text, ':');
  std::string_view base = cut(text, ':');
  std::string_view overrides = cut(text, ':');
  std::string_view print = text;

  const auto hash = number<std::uint16_t>(test, 16);
  if (!hash || test.size() != 4)
    return fmt::format("the token names its test by \"{}\"; four hex digits are needed", test);
  read.test = *hash;

  const std::string_view name_and_seed = cut(base, '/');
  if (base == "fifo") {
    read.order = ordering::fifo;
  } else if (!base.empty()) {
    return fmt::format("the token's ordering \"{}\" is unknown; only \"fifo\" may follow the slash", base);
  }
  std::string_view seed = name_and_seed;
  const std::string_view name = cut(seed, '-');
  const auto strategy = schedule_named(name);
  if (!strategy)
    return fmt::format("the token's base \"{}\" is unknown; known are plain, round_robin and random-SEED", name);
  read.base = *strategy;
  if (read.base == schedule::random) {
    const auto value = number<std::uint64_t>(seed);
    if (!value)
      return fmt::format("the token's base \"{}\" needs a seed: random-SEED, a decimal number", name_and_seed);
    read.seed = *value;
  }

  while (!overrides.empty()) {
    const std::string_view each = cut(overrides, ',');
    if (!read_override(each, read)) {
      return fmt::format("the token's override \"{}\" is neither TASK@STEP>TASK nor NAME#NTH=VALUE", each);
    }
  }
  if (!print.empty()) {
    const std::string_view all = print;
    const auto choices = number<std::uint64_t>(cut(print, '.'));
    read.print.digits = cut(print, '.');
    read.print.trace_end = print;
    if (!choices || read.print.trace_end.size() != 4) {
      return fmt::format("the token's fingerprint \"{}\" is damaged; leave it out to replay without it", all);
    }
    read.print.choices = *choices;
  }
  return read;
}

}  // namespace lockstep
