#include <lockstep/fs/paths.hpp>

#include <lockstep/fs/directory.hpp>
#include <lockstep/fs/file.hpp>
#include <lockstep/runtime/result.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

// -- looking ----------------------------------------------------------------------------------------------------------

detail::status_of_path status(std::string path, source where) { return {nullptr, std::move(path), 0, where}; }

detail::status_of_path symlink_status(std::string path, source where) {
  return {nullptr, std::move(path), AT_SYMLINK_NOFOLLOW, where};
}

detail::existence_of_path exists(std::string path, source where) { return {nullptr, std::move(path), where}; }

detail::target_of_path read_symlink(std::string path, source where) { return {nullptr, std::move(path), where}; }

// -- directories ------------------------------------------------------------------------------------------------------

detail::changing_path create_directory(std::string path, file_permissions permissions, source where) {
  return {nullptr,
          std::move(path),
          "create directory",
          [](system_calls& system, int at, const char* name, std::int64_t mode) {
            return system.mkdirat(at, name, static_cast<mode_t>(mode));
          },
          permissions,
          where};
}

// What is there already may be a directory, or a link to one.
task<bool> create_directories(std::string path, file_permissions permissions, source where) {
  bool made = false;
  for (std::size_t end = 0; end != std::string::npos && end < path.size();) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (part == "/" || part.back() == '/') continue;
    const auto got = co_await as_result(create_directory(part, permissions, where));
    made = made || got.has_value();
    if (got) continue;
    if (detail::error_number(got.error()) != EEXIST) std::rethrow_exception(got.error());
    const file_status found = co_await status(part, where);
    if (!found.is_directory()) std::rethrow_exception(got.error());
  }
  co_return made;
}

detail::changing_path remove_directory(std::string path, source where) {
  return {nullptr, std::move(path), "remove directory", detail::remove_name, AT_REMOVEDIR, where};
}

namespace {

// Whether the name was removed; false if it was gone already. `flags` are those of unlinkat().
task<bool> remove_if_there(std::string path, int flags, source where) {
  const auto got =
      co_await as_result(detail::changing_path(nullptr, std::move(path), "remove", detail::remove_name, flags, where));
  if (!got && detail::error_number(got.error()) != ENOENT) std::rethrow_exception(got.error());
  co_return got.has_value();
}

task<std::uint64_t> remove_contents(std::string path, source where);

task<std::uint64_t> remove_tree(std::string path, file_kind kind, source where) {
  std::uint64_t removed = 0;
  const bool is_directory = kind == file_kind::directory;
  if (is_directory) removed = co_await remove_contents(path, where);
  const bool last = co_await remove_if_there(std::move(path), is_directory ? AT_REMOVEDIR : 0, where);
  co_return removed + (last ? 1 : 0);
}

task<std::uint64_t> remove_contents(std::string path, source where) {
  std::uint64_t removed = 0;
  const auto listed = co_await as_result(list_directory(path, where));
  if (!listed && detail::error_number(listed.error()) == ENOENT) co_return removed;
  for (const directory_entry& each : listed.value()) {
    removed += co_await remove_tree(joined(path, each.name), each.kind, where);
  }
  co_return removed;
}

}  // namespace

task<std::uint64_t> remove_all(std::string path, source where) {
  const auto found = co_await as_result(symlink_status(path, where));
  if (!found && detail::error_number(found.error()) == ENOENT) co_return 0;
  co_return co_await remove_tree(std::move(path), found.value().kind, where);
}

// -- files ------------------------------------------------------------------------------------------------------------

detail::changing_path remove_file(std::string path, source where) {
  return {nullptr, std::move(path), "remove", detail::remove_name, 0, where};
}

detail::changing_two_paths rename_file(std::string from, std::string to, bool replace, source where) {
  return {nullptr, std::move(from), "rename", std::move(to), detail::rename_name, detail::rename_flags(replace), where};
}

detail::changing_two_paths exchange_files(std::string one, std::string other, source where) {
  return {nullptr, std::move(one), "exchange", std::move(other), detail::rename_name, RENAME_EXCHANGE, where};
}

detail::changing_two_paths create_hard_link(std::string existing, std::string name, source where) {
  return {nullptr,
          std::move(existing),
          "link",
          std::move(name),
          [](system_calls& system, int at, const char* from, const char* to, unsigned) {
            return system.linkat(at, from, at, to, 0);
          },
          0,
          where};
}

detail::changing_two_paths create_symlink(std::string target, std::string name, source where) {
  return {nullptr,
          std::move(target),
          "symlink",
          std::move(name),
          [](system_calls& system, int at, const char* says, const char* path, unsigned) {
            return system.symlinkat(says, at, path);
          },
          0,
          where};
}

detail::changing_path permissions(std::string path, file_permissions permissions, source where) {
  return {nullptr,
          std::move(path),
          "permissions of",
          [](system_calls& system, int at, const char* name, std::int64_t mode) {
            return system.fchmodat(at, name, static_cast<mode_t>(mode));
          },
          permissions,
          where};
}

detail::changing_path resize_file(std::string path, std::uint64_t size_bytes, source where) {
  return {nullptr,
          std::move(path),
          "truncate",
          [](system_calls& system, int, const char* name, std::int64_t size) { return system.truncate(name, size); },
          detail::offset_of(size_bytes),
          where};
}

// -- names ------------------------------------------------------------------------------------------------------------

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

std::string_view name_in(std::string_view path) noexcept { return path.substr(path.rfind('/') + 1); }

std::string joined(std::string_view directory, std::string_view name) {
  if (directory.empty() || name.starts_with('/')) return std::string(name);
  std::string path(directory);
  if (path.back() != '/') path += '/';
  return path += name;
}

}  // namespace lockstep
