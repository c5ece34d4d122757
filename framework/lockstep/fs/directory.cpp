#include <lockstep/fs/directory.hpp>

#include <lockstep/runtime/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace lockstep {

namespace {

constexpr std::size_t entries_bytes = 16'384;

// As getdents64(2) says; glibc has another that looks the same.
struct record {
  std::uint64_t inode;
  std::int64_t next;
  unsigned short size_bytes;
  unsigned char type;
  char name[1];
};
constexpr std::size_t name_offset = offsetof(record, name);

}  // namespace

// -- detail -----------------------------------------------------------------------------------------------------------

std::vector<directory_entry> detail::reading_entries::result() {
  std::vector<directory_entry> found;
  std::span<const std::byte> left = into_.first(static_cast<std::size_t>(outcome()));
  while (left.size() > name_offset) {
    record head{};
    std::memcpy(&head, left.data(), name_offset);
    const std::size_t size = std::clamp<std::size_t>(head.size_bytes, name_offset, left.size());
    const auto* const name = reinterpret_cast<const char*>(left.data()) + name_offset;
    found.push_back({std::string(name, strnlen(name, size - name_offset)), kind_of_entry(head.type), head.inode});
    left = left.subspan(size);
  }
  return found;
}

// -- directory --------------------------------------------------------------------------------------------------------

async_generator<directory_entry> directory::entries(source where) {
  detail::held_file& held = awaited("was listed", where);
  co_await detail::seeking_in_file(held, 0, SEEK_SET);
  const auto buffer = std::make_unique<std::byte[]>(entries_bytes);
  const std::span<std::byte> into(buffer.get(), entries_bytes);
  for (;;) {
    std::vector<directory_entry> piece = co_await detail::reading_entries(held, into);
    if (piece.empty()) co_return;
    for (directory_entry& each : piece) {
      if (each.name == "." || each.name == "..") continue;
      if (each.kind == file_kind::unknown) {  // as file systems may leave it
        const auto asked = co_await as_result(symlink_status(each.name, where));
        if (asked) each.kind = asked.value().kind;
      }
      co_yield std::move(each);
    }
  }
}

task<std::vector<directory_entry>> directory::list(source where) {
  std::vector<directory_entry> all;
  auto each = entries(where);
  while (directory_entry* const found = co_await each.next()) all.push_back(std::move(*found));
  co_return all;
}

detail::opening_directory directory::open_directory(std::string name, source where) {
  return {&awaited("was opened in", where), std::move(name), where};
}

detail::changing_path directory::create_directory(std::string name, file_permissions permissions, source where) {
  return {&awaited("was changed", where),
          std::move(name),
          "create directory",
          [](system_calls& system, int at, const char* path, std::int64_t mode) {
            return system.mkdirat(at, path, static_cast<mode_t>(mode));
          },
          permissions,
          where};
}

detail::changing_path directory::remove_directory(std::string name, source where) {
  return {
      &awaited("was changed", where), std::move(name), "remove directory", detail::remove_name, AT_REMOVEDIR, where};
}

detail::changing_path directory::remove_file(std::string name, source where) {
  return {&awaited("was changed", where), std::move(name), "remove", detail::remove_name, 0, where};
}

detail::changing_two_paths directory::rename_file(std::string from, std::string to, bool replace, source where) {
  return {&awaited("was changed", where),
          std::move(from),
          "rename",
          std::move(to),
          detail::rename_name,
          detail::rename_flags(replace),
          where};
}

detail::changing_file directory::sync(source where) {
  return {operation_kind::sync_file, awaited("was synced", where), "sync",
          [](system_calls& system, int fd, std::int64_t, std::int64_t) -> std::int64_t { return system.fsync(fd); }};
}

detail::opening_directory open_directory(std::string path, source where) { return {nullptr, std::move(path), where}; }

task<std::vector<directory_entry>> list_directory(std::string path, source where) {
  directory at = co_await open_directory(std::move(path), where);
  std::vector<directory_entry> all = co_await at.list(where);
  std::sort(all.begin(), all.end(),
            [](const directory_entry& one, const directory_entry& other) { return one.name < other.name; });
  co_return all;
}

}  // namespace lockstep
