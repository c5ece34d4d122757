#include <lockstep/base/source.hpp>

#include <string>

namespace lockstep {

std::string_view file_of(const source& where) noexcept {
  const std::string_view path = where.file_name();
  return path.substr(path.find_last_of('/') + 1);
}

bool is_internal(const source& where) noexcept {
  const std::string_view path = where.file_name();
  for (const std::string_view folder :
       {"lockstep/runtime/", "lockstep/sync/", "lockstep/net/", "lockstep/fs/", "lockstep/sim/", "lockstep/real/",
        "lockstep/http/", "lockstep/adapters/", "lockstep/testing/"}) {
    if (path.find(folder) != std::string_view::npos) return true;
  }
  return false;
}

std::string file_and_line(const source& where) {
  return std::string(file_of(where)) + ':' + std::to_string(where.line());
}

std::string file_and_line(const place& where) {
  if (where.line() != 0) return file_and_line(source(where));
  if (file_of(where).empty()) return {};
  const std::string_view function = function_of(where);
  return std::string(file_of(where)) + " in " + (function == "lambda" ? "a lambda" : std::string(function) + "()");
}

std::string_view function_of(const source& where) noexcept {
  std::string_view text = where.function_name();
  if (text.find("lambda(") != std::string_view::npos ||
      text.find("(anonymous class)::operator()") != std::string_view::npos ||
      text.find("<lambda") != std::string_view::npos) {
    return "lambda";
  }
  // The name ends where the first parenthesis outside angle brackets begins, but for what GCC writes "{anonymous}".
  constexpr std::string_view anonymous = "(anonymous namespace)";
  int depth = 0;
  std::size_t end = 0;
  std::size_t begin = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    if (c == '<') ++depth;
    if (c == '>') --depth;
    if (depth > 0) continue;
    if (text.substr(end).starts_with(anonymous)) {
      end += anonymous.size() - 1;
      continue;
    }
    if (c == '(') break;
    if (c == ' ' || c == ':' || c == '*' || c == '&' || c == '>') begin = end + 1;
  }
  const std::string_view name = text.substr(begin, end - begin);
  return name.substr(0, name.find('<'));
}

}  // namespace lockstep
