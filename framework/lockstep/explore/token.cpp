#include <lockstep/explore/token.hpp>

#include <lockstep/base/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

namespace lockstep {

namespace {

constexpr std::string_view token_version = "ls1";
constexpr std::uint32_t repeated_max = 1'000'000;  // of one override

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
  if (text.ends_with('.')) return false;
  do {
    const auto ordinal = number<std::uint32_t>(cut(text, '.'));
    if (!ordinal || *ordinal == 0) return false;
  } while (!text.empty());
  return true;
}

bool is_hex(std::string_view text) noexcept {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
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

// Nothing if a percent sign is not followed by two hex digits.
std::optional<std::string> unescaped(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      name += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    const auto code = number<unsigned>(digits, 16);
    if (!code || digits.size() != 2) return std::nullopt;
    name += static_cast<char>(*code);
    i += 2;
  }
  return name;
}

// Reads `cancel@7` into `into`; false if it is nothing of that kind.
bool read_disturbance(std::string_view text, token& into) {
  const std::string_view name = cut(text, '@');
  const auto moment = number<std::uint64_t>(text);
  for (const disturbance_kind kind : all_disturbances) {
    if (name != name_of(kind) || !moment || *moment == 0 || into.disturbed) continue;
    into.disturbed = {kind, *moment};
    return true;
  }
  return false;
}

// Reads one override into `into`; false if it is none.
bool read_override(std::string_view text, token& into) {
  if (text.find('@') != std::string_view::npos && text.find('>') == std::string_view::npos) {
    return read_disturbance(text, into);
  }
  if (text.find('@') != std::string_view::npos) {
    task_override read;
    read.task = cut(text, '@');
    const auto step = number<std::uint32_t>(cut(text, '>'));
    const bool repeated = text.find('*') != std::string_view::npos;
    read.instead = cut(text, '*');
    const auto times = repeated ? number<std::uint32_t>(text) : 1;
    if (!step || *step == 0 || !is_path(read.task) || !is_path(read.instead)) return false;
    if (!times || *times == 0 || *times > repeated_max) return false;
    read.step = *step;
    into.task_overrides.insert(into.task_overrides.end(), *times, read);
    return true;
  }
  value_override read;
  const auto domain = unescaped(cut(text, '#'));
  const auto nth = number<std::uint64_t>(cut(text, '='));
  const auto value = number<std::uint64_t>(text);
  if (!domain || domain->empty() || !nth || *nth == 0 || !value) return false;
  read.domain = *domain;
  read.nth = *nth;
  read.value = *value;
  into.value_overrides.push_back(std::move(read));
  return true;
}

}  // namespace

bool is_repeated(const std::vector<task_override>& overrides, std::size_t nth) noexcept {
  return nth != 0 && overrides[nth] == overrides[nth - 1];
}

std::uint16_t test_hash(std::string_view full_name) noexcept { return static_cast<std::uint16_t>(hash_of(full_name)); }

identity task_at(std::string_view path) noexcept {
  identity found = main_identity;
  if (path == "main") return found;
  while (!path.empty()) found = task_identity(found, number<std::uint32_t>(cut(path, '.')).value_or(0));
  return found;
}

std::string to_text(const token& of) {
  std::string text = fmt::format("{}:{:04x}:{}", token_version, of.test, name_of(of.base));
  if (of.base == schedule::random) text += fmt::format("-{}", of.seed);
  if (of.order == ordering::fifo) text += "/fifo";
  text += ':';
  std::string_view comma;
  const auto end = of.task_overrides.end();
  for (auto at = of.task_overrides.begin(); at != end;) {
    const auto next = std::find_if(at, end, [&](const task_override& other) { return other != *at; });
    text += fmt::format("{}{}@{}>{}", std::exchange(comma, ","), at->task, at->step, at->instead);
    if (const auto times = next - at; times > 3) {
      text += fmt::format("*{}", times);
      at = next;
    } else {
      ++at;
    }
  }
  for (const value_override& each : of.value_overrides) {
    text += fmt::format("{}{}#{}={}", std::exchange(comma, ","), escaped(each.domain), each.nth, each.value);
  }
  if (of.disturbed) text += fmt::format("{}{}@{}", comma, name_of(of.disturbed->kind), of.disturbed->moment);
  text += ':';
  if (!of.print.trace_end.empty() || !of.print.deviations.empty()) {
    text += fmt::format("{}.{}.{}", of.print.choices, of.print.digits, of.print.trace_end);
    if (!of.print.deviations.empty()) text += fmt::format(".{}", of.print.deviations);
  }
  return text + ';';
}

namespace {

// The parts of a token, each read into `into`. They return what is wrong, or an empty string.

std::string read_base(std::string_view text, token& into) {
  const std::size_t slash = text.find('/');
  const std::string_view base = text.substr(0, slash);
  if (slash != std::string_view::npos) {
    const std::string_view order = text.substr(slash + 1);
    if (order != "fifo") {
      return fmt::format("the token's ordering \"{}\" is unknown; only \"fifo\" may follow the slash", order);
    }
    into.order = ordering::fifo;
  }
  std::string_view seed = base;
  const std::string_view name = cut(seed, '-');
  const auto strategy = schedule_named(name);
  if (!strategy) {
    return fmt::format("the token's base \"{}\" is unknown; known are plain, round_robin and random-SEED", name);
  }
  into.base = *strategy;
  if (into.base != schedule::random) {
    return base == name ? "" : fmt::format("the token's base \"{}\" has a seed; only random takes one", base);
  }
  const auto value = number<std::uint64_t>(seed);
  if (!value) return fmt::format("the token's base \"{}\" needs a seed: random-SEED, a decimal number", base);
  into.seed = *value;
  return {};
}

std::string read_overrides(std::string_view text, token& into) {
  if (text.empty()) return {};
  for (bool more = true; more;) {
    more = text.find(',') != std::string_view::npos;
    const std::string_view each = cut(text, ',');
    if (!read_override(each, into)) {
      return fmt::format(
          "the token's override \"{}\" is neither TASK@STEP>TASK nor NAME#NTH=VALUE, nor one cancel@NTH, "
          "fail_alloc@NTH or destroy@NTH; tasks are main, 1, 1.2, and all count from 1",
          each);
    }
  }
  std::set<std::pair<std::string_view, std::uint64_t>> known;
  for (const value_override& each : into.value_overrides) {
    if (!known.emplace(each.domain, each.nth).second) {
      return fmt::format("the token overrides the value {}#{} twice; keep one of the two", escaped(each.domain),
                         each.nth);
    }
  }
  return {};
}

std::size_t marks_of(const std::vector<task_override>& overrides) {
  std::size_t marks = 0;
  for (std::size_t i = 0; i < overrides.size(); ++i) marks += is_repeated(overrides, i) ? 0 : 1;
  return marks;
}

std::string read_print(std::string_view text, token& into) {
  if (text.empty()) return {};
  std::string_view rest = text;
  const auto choices = number<std::uint64_t>(cut(rest, '.'));
  const std::string_view digits = cut(rest, '.');
  std::size_t digits_due = 0;
  while (choices && digits_due <= digits.size() && checkpoint(digits_due) <= *choices) ++digits_due;
  const std::string_view trace_end = cut(rest, '.');
  const bool has_ends = trace_end.size() == 4 || (trace_end.empty() && !rest.empty());
  const bool whole = choices && is_hex(digits) && digits.size() == digits_due && has_ends && is_hex(trace_end) &&
                     is_hex(rest) && !text.ends_with('.') &&
                     (rest.empty() || rest.size() == 8 * marks_of(into.task_overrides));
  if (!whole) {
    return fmt::format("the token's fingerprint \"{}\" is damaged; leave it out to replay without it", text);
  }
  into.print = {*choices, std::string(digits), std::string(trace_end), std::string(rest)};
  return {};
}

}  // namespace

std::uint64_t checkpoint(std::size_t nth) noexcept {
  if (nth < 3) return nth + 1;
  if (nth > 126) return ~std::uint64_t{0};  // no run comes that far
  const std::uint64_t power = std::uint64_t{1} << (nth / 2);
  return nth % 2 == 1 ? power * 2 : power + power / 2;
}

std::variant<token, std::string> parse_token(std::string_view text) {
  const std::string whole(text);
  const std::string_view version = text.substr(0, text.find(':'));
  if (!version.starts_with("ls") || !number<unsigned>(version.substr(2))) {
    return fmt::format("\"{}\" is no lockstep token; one begins with \"{}:\"", whole, token_version);
  }
  if (version != token_version) {
    return fmt::format(
        "the token is of version \"{}\"; this build reads \"{}\", so replay it with the build that made it", version,
        token_version);
  }
  if (text.back() != ';') {
    return fmt::format("the token \"{}\" was cut short: it does not end with \";\"; copy the whole line", whole);
  }
  text.remove_suffix(1);
  cut(text, ':');
  token read;
  const std::string_view test = cut(text, ':');
  const auto hash = number<std::uint16_t>(test, 16);
  if (!hash || test.size() != 4) {
    return fmt::format("the token names its test by \"{}\"; four hex digits are needed", test);
  }
  read.test = *hash;
  if (std::string problem = read_base(cut(text, ':'), read); !problem.empty()) return problem;
  if (std::string problem = read_overrides(cut(text, ':'), read); !problem.empty()) return problem;
  if (std::string problem = read_print(text, read); !problem.empty()) return problem;
  return read;
}

}  // namespace lockstep
