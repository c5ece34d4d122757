#include <lockstep/testing/failures_file.hpp>

#include <lockstep/explore/token.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <set>
#include <utility>
#include <variant>

namespace lockstep::detail {

namespace {

class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const noexcept { return number_; }
  bool is_open() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

// Calls again what a signal has interrupted.
template <class F>
auto uninterrupted(F call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// Opens the file, and locks it. Whoever had it locked may have put another in its place: then that one is meant.
// Returns none if errno says why not; ENOENT if it does not exist and is not to be made.
descriptor open_locked(const std::string& path, int flags) {
  while (true) {
    descriptor file(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); }));
    if (!file.is_open()) return file;
    if (uninterrupted([&] { return ::flock(file.number(), LOCK_EX); }) != 0) return descriptor(-1);
    struct stat opened {};
    struct stat present {};
    if (::fstat(file.number(), &opened) != 0) return descriptor(-1);
    const bool is_there = ::stat(path.c_str(), &present) == 0;
    if (is_there && opened.st_dev == present.st_dev && opened.st_ino == present.st_ino) return file;
  }
}

// The whole text; nothing if errno says why not.
std::optional<std::string> read_all(int file) {
  std::string text;
  std::array<char, 65536> block;
  while (true) {
    const ssize_t got = uninterrupted([&] { return ::read(file, block.data(), block.size()); });
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = uninterrupted([&] { return ::write(file, text.data(), text.size()); });
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

// Without their ends; the last need not have one.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

constexpr std::pair<char, char> escapes[] = {{'\\', '\\'}, {'\t', 't'}, {'\n', 'n'}, {'\r', 'r'}};

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const auto* const found =
        std::find_if(std::begin(escapes), std::end(escapes), [c](const auto& each) { return each.first == c; });
    safe += found == std::end(escapes) ? std::string(1, c) : std::string{'\\', found->second};
  }
  return safe;
}

std::string unescaped(std::string_view safe) {
  std::string text;
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const char next = i + 1 < safe.size() ? safe[i + 1] : '\0';
    const auto* const found =
        std::find_if(std::begin(escapes), std::end(escapes), [next](const auto& each) { return each.second == next; });
    const bool is_escape = safe[i] == '\\' && found != std::end(escapes);
    text += is_escape ? found->first : safe[i];
    if (is_escape) ++i;
  }
  return text;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

// The failure, or what is wrong with the line.
std::variant<known_failure, std::string> parse_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t first = line.find('\t');
  const std::size_t second = first == std::string_view::npos ? first : line.find('\t', first + 1);
  if (second == std::string_view::npos)
    return "it has not the three parts token, test and signature, with tabs between";
  known_failure read;
  read.token = line.substr(0, first);
  read.test = line.substr(first + 1, second - first - 1);
  read.signature = unescaped(line.substr(second + 1));
  const auto parsed = parse_token(read.token);
  if (const auto* const problem = std::get_if<std::string>(&parsed)) return *problem;
  if (std::get<token>(parsed).test != test_hash(read.test)) {
    return fmt::format("its token is not of the test {}", read.test);
  }
  return read;
}

// Whether the line is that failure, whatever its fingerprint.
bool is_same(const std::string& line, const known_failure& other) {
  const auto parsed = parse_line(line);
  const auto* const read = std::get_if<known_failure>(&parsed);
  if (read == nullptr || read->test != other.test) return false;
  auto one = parse_token(read->token);
  auto two = parse_token(other.token);
  if (!std::holds_alternative<token>(two)) return false;
  std::get<token>(one).print = std::get<token>(two).print = {};
  return one == two;
}

// Each test reads the file.
void warn_once(const std::string& what) {
  static std::set<std::string> said;
  if (said.insert(what).second) fmt::print(stderr, "lockstep: warning: {}\n", what);
}

}  // namespace

failures_file::failures_file(std::string path, std::function<void(const std::string&)> warn)
    : path_(std::move(path)), warn_(std::move(warn)) {
  if (warn_ == nullptr) warn_ = &warn_once;
}

// Of the error in errno.
void failures_file::warn_of_error(std::string_view what) const {
  warn_(fmt::format("{} {}: {}; --lockstep_failures=FILE says where failures are kept, and none that they are not",
                    what, path_, std::strerror(errno)));
}

std::vector<known_failure> failures_file::of_test(std::string_view test) const {
  std::vector<known_failure> found;
  if (path_.empty()) return found;
  const descriptor file = open_locked(path_, O_RDONLY);
  if (!file.is_open()) {
    if (errno != ENOENT) warn_of_error("cannot read");
    return found;
  }
  const std::optional<std::string> text = read_all(file.number());
  if (!text) {
    warn_of_error("cannot read");
    return found;
  }
  std::size_t number = 0;
  for (const std::string& line : lines_of(*text)) {
    ++number;
    if (is_blank(line)) continue;
    auto parsed = parse_line(line);
    if (const auto* const problem = std::get_if<std::string>(&parsed)) {
      warn_(fmt::format("line {} of {} is no failure and is left alone: {}", number, path_, *problem));
    } else if (std::get<known_failure>(parsed).test == test) {
      found.push_back(std::get<known_failure>(std::move(parsed)));
    }
  }
  return found;
}

void failures_file::add(const known_failure& found) const {
  if (path_.empty()) return;
  const descriptor file = open_locked(path_, O_RDWR | O_APPEND | O_CREAT);
  const std::optional<std::string> text = file.is_open() ? read_all(file.number()) : std::nullopt;
  if (!text) return warn_of_error("a failure is not kept: cannot write");
  std::vector<std::string> lines = lines_of(*text);
  if (std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return is_same(line, found); })) return;
  const std::string line = fmt::format("{}\t{}\t{}", found.token, found.test, escaped(found.signature));
  if (lines.size() >= lines_max) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(lines_max - 1));
    lines.push_back(line);
    struct stat before {};
    if (::fstat(file.number(), &before) != 0 || !replace(lines, before.st_mode)) {
      warn_of_error("a failure is not kept: cannot write");
    }
    return;
  }
  const bool is_torn = !text->empty() && text->back() != '\n';
  if (!write_all(file.number(), (is_torn ? "\n" : "") + line + '\n')) {
    warn_of_error("a failure is not kept: cannot write");
  }
}

void failures_file::drop(const std::vector<known_failure>& gone) const {
  if (path_.empty() || gone.empty()) return;
  const descriptor file = open_locked(path_, O_RDWR);
  if (!file.is_open() && errno == ENOENT) return;
  const std::optional<std::string> text = file.is_open() ? read_all(file.number()) : std::nullopt;
  if (!text) return warn_of_error("failures that are mended are kept: cannot write");
  std::vector<std::string> lines = lines_of(*text);
  const std::size_t dropped = std::erase_if(lines, [&](const std::string& line) {
    return std::any_of(gone.begin(), gone.end(), [&](const known_failure& each) { return is_same(line, each); });
  });
  if (dropped == 0) return;
  struct stat before {};
  const bool all_gone = std::all_of(lines.begin(), lines.end(), is_blank);
  const bool done =
      all_gone ? ::unlink(path_.c_str()) == 0 : ::fstat(file.number(), &before) == 0 && replace(lines, before.st_mode);
  if (!done) warn_of_error("failures that are mended are kept: cannot write");
}

// Puts a file with these lines in the place of the one that is locked. False if errno says why not.
bool failures_file::replace(const std::vector<std::string>& lines, unsigned mode) const {
  const std::string beside = path_ + ".new";
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  {
    const descriptor file(
        uninterrupted([&] { return ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); }));
    if (!file.is_open()) return false;
    if (::fchmod(file.number(), mode & 07777u) != 0 || !write_all(file.number(), text)) {
      const int error = errno;
      ::unlink(beside.c_str());
      errno = error;
      return false;
    }
  }
  return ::rename(beside.c_str(), path_.c_str()) == 0;
}

}  // namespace lockstep::detail
