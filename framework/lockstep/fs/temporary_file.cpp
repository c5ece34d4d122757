#include <lockstep/fs/temporary_file.hpp>

#include <lockstep/fs/paths.hpp>
#include <lockstep/runtime/random.hpp>
#include <lockstep/runtime/result.hpp>
#include <lockstep/runtime/shield.hpp>

#include <cerrno>
#include <exception>
#include <string_view>
#include <utility>

namespace lockstep {

namespace {

constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr unsigned letters_of_name = 6;
constexpr std::uint32_t names = 36u * 36 * 36 * 36 * 36 * 36;

}  // namespace

std::uint32_t detail::draw_temporary_name(const source& where) {
  return random_int("name of a temporary file", std::uint32_t{0}, names - 1, where);
}

std::string detail::temporary_name(const std::string& prefix, std::uint32_t drawn, unsigned attempt) {
  std::uint32_t left = (drawn + attempt) % names;
  std::string name(letters_of_name, '0');
  for (std::size_t i = letters_of_name; i-- > 0; left /= 36) name[i] = letters[left % 36];
  return prefix + name;
}

task<temporary_file> create_temporary_file(std::string directory, std::string prefix, source where) {
  const std::uint32_t drawn = detail::draw_temporary_name(where);
  const open_options how{.read = true, .write = true, .create = true, .exclusive = true, .permissions = 0600};
  for (unsigned attempt = 0;; ++attempt) {
    std::string path = joined(directory, detail::temporary_name(prefix, drawn, attempt));
    result<file> made = co_await shield(as_result(open(path, how, where)));
    if (made) co_return temporary_file{std::move(made).value(), std::move(path)};
    const bool taken = detail::error_number(made.error()) == EEXIST;
    if (!taken || attempt + 1 == detail::temporary_names_max) std::rethrow_exception(made.error());
  }
}

task<std::string> create_temporary_directory(std::string directory, std::string prefix, source where) {
  const std::uint32_t drawn = detail::draw_temporary_name(where);
  for (unsigned attempt = 0;; ++attempt) {
    std::string path = joined(directory, detail::temporary_name(prefix, drawn, attempt));
    const result<void> made = co_await shield(as_result(create_directory(path, 0700, where)));
    if (made) co_return path;
    const bool taken = detail::error_number(made.error()) == EEXIST;
    if (!taken || attempt + 1 == detail::temporary_names_max) std::rethrow_exception(made.error());
  }
}

detail::opening_file open_unnamed_file(std::string directory, source where) {
  return {nullptr, std::move(directory), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600, where};
}

}  // namespace lockstep
