#include <lockstep/fs/whole_files.hpp>

#include <lockstep/fs/directory.hpp>
#include <lockstep/fs/paths.hpp>
#include <lockstep/fs/temporary_file.hpp>
#include <lockstep/runtime/result.hpp>
#include <lockstep/runtime/shield.hpp>
#include <lockstep/system/read_errors.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <exception>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

namespace lockstep {

namespace {

constexpr std::size_t whole_bytes_max = 131'072;
constexpr std::size_t whole_bytes_min = 4'096;

std::span<std::byte> bytes_of(std::string& text) { return std::as_writable_bytes(std::span(text)); }
std::span<std::byte> bytes_of(std::vector<std::byte>& bytes) { return bytes; }

// What its size says need not be there, or be all: of files in /proc it is 0.
template <class Bytes>
task<Bytes> read_all(std::string path, std::size_t limit_bytes, source where) {
  file from = co_await open(std::move(path), {}, where);
  const std::uint64_t size = co_await from.size(where);
  Bytes all;
  std::size_t filled = 0;
  all.resize(std::min<std::uint64_t>(size, limit_bytes) + 1);  // one more, to see the end
  for (;;) {
    const std::size_t count = co_await from.read_some(bytes_of(all).subspan(filled), where);
    filled += count;
    if (filled > limit_bytes) throw limit_overrun(filled, limit_bytes);
    if (count == 0) break;
    if (filled == all.size()) all.resize(filled + std::max(whole_bytes_min, filled / 2));
  }
  all.resize(filled);
  co_return all;
}

task<void> write_all(std::string path, std::span<const std::byte> bytes, open_options how, source where) {
  file to = co_await open(std::move(path), how, where);
  co_await to.write(bytes, where);
  co_await to.close(where);
}

// -- atomically -------------------------------------------------------------------------------------------------------

struct replacement {
  directory in;
  std::string name;
  std::string temporary;
  bool exists = false;  // under its temporary name
};

// Of what is there; nothing if there is nothing.
task<std::optional<file_permissions>> permissions_of(directory& in, std::string name, source where) {
  const result<file_status> found = co_await as_result(in.symlink_status(std::move(name), where));
  if (found) co_return found.value().is_regular() ? std::optional(found.value().permissions) : std::nullopt;
  if (detail::error_number(found.error()) != ENOENT) std::rethrow_exception(found.error());
  co_return std::nullopt;
}

task<file> open_temporary(replacement& made, file_permissions permissions, source where) {
  const std::uint32_t drawn = detail::draw_temporary_name(where);
  const open_options how{.write = true, .create = true, .exclusive = true, .permissions = permissions};
  for (unsigned attempt = 0;; ++attempt) {
    constexpr std::size_t name_max = NAME_MAX - 8;  // beside two points and what is drawn
    const std::string prefix = fmt::format(".{}.", made.name.substr(0, name_max));
    made.temporary = detail::temporary_name(prefix, drawn, attempt);
    result<file> opened = co_await shield(as_result(made.in.open(made.temporary, how, where)));
    made.exists = opened.has_value();  // and otherwise it is somebody else's
    if (opened) co_return std::move(opened).value();
    const bool taken = detail::error_number(opened.error()) == EEXIST;
    if (!taken || attempt + 1 == detail::temporary_names_max) std::rethrow_exception(opened.error());
  }
}

task<void> replace(replacement& made, std::span<const std::byte> bytes, file_permissions permissions, source where) {
  const std::optional<file_permissions> old = co_await permissions_of(made.in, made.name, where);
  {
    file to = co_await open_temporary(made, old ? *old & 0777 : permissions, where);
    if (old) co_await to.set_permissions(*old, where);  // whatever the umask
    co_await to.write(bytes, where);
    co_await to.sync(where);
    co_await to.close(where);
  }
  co_await made.in.rename_file(made.temporary, made.name, true, where);
  made.exists = false;
  co_await made.in.sync(where);
}

// What it says is of no use: the name may be gone.
task<void> remove_temporary(replacement& made, source where) {
  static_cast<void>(co_await as_result(made.in.remove_file(made.temporary, where)));
}

task<void> replace_or_clean_up(std::string path, std::span<const std::byte> bytes, file_permissions permissions,
                               source where) {
  directory in = co_await open_directory(directory_of(path), where);
  replacement made{std::move(in), std::string(name_in(path)), {}};
  if (made.name.empty()) throw std::system_error(EISDIR, std::system_category(), fmt::format("write {:?}", path));
  std::exception_ptr failure;
  try {
    co_await replace(made, bytes, permissions, where);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure == nullptr) co_return;
  if (made.exists) co_await shield(remove_temporary(made, where));
  std::rethrow_exception(failure);
}

}  // namespace

task<std::string> read_file(std::string path, std::size_t limit_bytes, source where) {
  return read_all<std::string>(std::move(path), limit_bytes, where);
}

task<std::vector<std::byte>> read_bytes(std::string path, std::size_t limit_bytes, source where) {
  return read_all<std::vector<std::byte>>(std::move(path), limit_bytes, where);
}

task<void> write_file(std::string path, std::string text, file_permissions permissions, source where) {
  const open_options how{.write = true, .create = true, .truncate = true, .permissions = permissions};
  co_await write_all(std::move(path), bytes_of(text), how, where);
}

task<void> write_file(std::string path, std::vector<std::byte> bytes, file_permissions permissions, source where) {
  const open_options how{.write = true, .create = true, .truncate = true, .permissions = permissions};
  co_await write_all(std::move(path), bytes, how, where);
}

task<void> append_file(std::string path, std::string text, file_permissions permissions, source where) {
  const open_options how{.append = true, .create = true, .permissions = permissions};
  co_await write_all(std::move(path), bytes_of(text), how, where);
}

task<void> write_file_atomically(std::string path, std::string text, file_permissions permissions, source where) {
  co_await replace_or_clean_up(std::move(path), bytes_of(text), permissions, where);
}

task<void> write_file_atomically(std::string path, std::vector<std::byte> bytes, file_permissions permissions,
                                 source where) {
  co_await replace_or_clean_up(std::move(path), bytes, permissions, where);
}

// Whether both are one file is seen before anything is lost: it is truncated behind that.
task<std::uint64_t> copy_file(std::string from, std::string to, copy_options how, source where) {
  file source_file = co_await open(from, {}, where);
  const file_status known = co_await source_file.status(where);
  if (known.is_directory()) {
    throw std::system_error(EISDIR, std::system_category(), fmt::format("copy {:?} to {:?}", from, to));
  }
  open_options options{.write = true, .create = true, .exclusive = !how.replace};
  options.permissions = known.permissions & 0777;
  file copy = co_await open(to, options, where);
  const file_status there = co_await copy.status(where);
  if (there.is_same_file_as(known)) {
    throw std::system_error(EINVAL, std::system_category(), fmt::format("copy {:?} to {:?}", from, to));
  }
  co_await copy.truncate(0, where);
  std::uint64_t copied = 0;
  std::vector<std::byte> buffer(std::clamp<std::uint64_t>(known.size_bytes + 1, whole_bytes_min, whole_bytes_max));
  while (const std::size_t count = co_await source_file.read_some(buffer, where)) {
    co_await copy.write(std::span(buffer).first(count), where);
    copied += count;
  }
  co_await copy.set_permissions(known.permissions, where);
  if (how.sync) co_await copy.sync(where);
  co_await copy.close(where);
  co_return copied;
}

}  // namespace lockstep
