#include "leveldb_files.hpp"

#include <lockstep/fs/paths.hpp>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

namespace stored {

using leveldb::Slice;
using leveldb::Status;

Status status_of(const std::string& name, std::int64_t error) {
  const char* const text = std::strerror(static_cast<int>(-error));
  return error == -ENOENT ? Status::NotFound(name, text) : Status::IOError(name, text);
}

Status status_or_ok(const std::string& name, std::int64_t result) {
  return result < 0 ? status_of(name, result) : Status::OK();
}

Status sync_folder(lockstep::system_calls& system, const std::string& name) {
  const std::string folder = lockstep::directory_of(name);
  const int fd = system.openat(AT_FDCWD, folder.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return status_of(folder, fd);
  const open_descriptor opened(system, fd);
  return status_or_ok(folder, system.fdatasync(fd));
}

// -- open_descriptor --------------------------------------------------------------------------------------------------

int open_descriptor::close() {
  const int fd = std::exchange(fd_, -1);
  return fd < 0 ? 0 : system_.close(fd);
}

std::int64_t open_descriptor::write(std::string_view text) {
  while (!text.empty()) {
    const std::int64_t written = system_.write(fd_, text.data(), text.size());
    if (written == -EINTR) continue;
    if (written < 0) return written;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// -- reading ----------------------------------------------------------------------------------------------------------

Status sequential_file::Read(std::size_t size, Slice* found, char* scratch) {
  std::int64_t read = 0;
  do {
    read = file_.system().read(file_.fd(), scratch, size);
  } while (read == -EINTR);
  *found = Slice(scratch, read < 0 ? 0 : static_cast<std::size_t>(read));
  return status_or_ok(name_, read);
}

Status sequential_file::Skip(std::uint64_t bytes) {
  return status_or_ok(name_, file_.system().lseek(file_.fd(), static_cast<std::int64_t>(bytes), SEEK_CUR));
}

Status random_access_file::Read(std::uint64_t offset, std::size_t size, Slice* found, char* scratch) const {
  const std::int64_t read = file_.system().pread(file_.fd(), scratch, size, static_cast<std::int64_t>(offset));
  *found = Slice(scratch, read < 0 ? 0 : static_cast<std::size_t>(read));
  return status_or_ok(name_, read);
}

// -- writing ----------------------------------------------------------------------------------------------------------

writable_file::~writable_file() {
  if (file_.is_open()) Close();
}

Status writable_file::write(std::string_view text) { return status_or_ok(name_, file_.write(text)); }

Status writable_file::Append(const Slice& data) {
  const std::string_view text(data.data(), data.size());
  const std::size_t fits = std::min(text.size(), buffer_bytes - buffer_.size());
  buffer_ += text.substr(0, fits);
  const std::string_view rest = text.substr(fits);
  if (rest.empty()) return Status::OK();
  if (Status flushed = Flush(); !flushed.ok()) return flushed;
  if (rest.size() >= buffer_bytes) return write(rest);
  buffer_ = rest;
  return Status::OK();
}

Status writable_file::Flush() {
  Status flushed = write(buffer_);
  buffer_.clear();
  return flushed;
}

Status writable_file::Close() {
  Status flushed = Flush();
  const int failed = file_.close();
  return flushed.ok() ? status_or_ok(name_, failed) : flushed;
}

// What a manifest names must be there before it does.
Status writable_file::sync_directory_of_manifest() {
  return lockstep::name_in(name_).starts_with("MANIFEST") ? sync_folder(file_.system(), name_) : Status::OK();
}

Status writable_file::Sync() {
  if (Status synced = sync_directory_of_manifest(); !synced.ok()) return synced;
  if (Status flushed = Flush(); !flushed.ok()) return flushed;
  return status_or_ok(name_, file_.system().fdatasync(file_.fd()));
}

// -- messages ---------------------------------------------------------------------------------------------------------

void line_logger::Logv(const char* format, std::va_list arguments) {
  std::va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, arguments);
  std::vector<char> text(static_cast<std::size_t>(size < 0 ? 0 : size) + 1);
  std::vsnprintf(text.data(), text.size(), format, again);
  va_end(again);
  std::string line = std::to_string(clock_.NowMicros()) + ' ' + text.data();
  if (!line.ends_with('\n')) line += '\n';
  file_.write(line);
}

}  // namespace stored
