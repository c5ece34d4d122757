#include <lockstep/fs/path_call.hpp>

#include <lockstep/system/current.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

namespace lockstep::detail {

std::shared_ptr<system_calls> path_call::system_of(const held_file* in, const source& where) {
  return in != nullptr ? in->shared_calls() : current_system(where).shared_from_this();
}

std::string path_call::describe() const {
  if (what() == nullptr) return fmt::format("{} {:?}", deed(), path_);
  const auto& in = subject<held_file>();
  return fmt::format("{} {:?} in {:?}{}", deed(), path_, in.path(), in.fd() >= 0 ? "" : ", which is closed");
}

// -- opening ----------------------------------------------------------------------------------------------------------

std::int64_t opening_path::call() {
  if (flags_ == -1 || path() == nullptr) return -EINVAL;
  return calls().openat(fd(), path(), flags_, permissions_);
}

bool opening_path::undo() noexcept {
  if (came_to() >= 0) calls().close(static_cast<int>(came_to()));
  return true;
}

// Where there is no memory for it, it is not seen, and so is closed.
std::unique_ptr<held_file> opening_path::opened(const char* noun) {
  if (came_to() < 0) outcome();
  auto made = std::make_unique<held_file>(noun, take_path(), take_system());
  made->hold(static_cast<int>(outcome()), where_);
  return made;
}

// -- others -----------------------------------------------------------------------------------------------------------

int remove_name(system_calls& system, int at, const char* path, std::int64_t flags) {
  return system.unlinkat(at, path, static_cast<int>(flags));
}

int rename_name(system_calls& system, int at, const char* from, const char* to, unsigned flags) {
  return system.renameat2(at, from, at, to, flags);
}

int error_number(const std::exception_ptr& failure) noexcept {
  if (failure == nullptr) return 0;
  try {
    std::rethrow_exception(failure);
  } catch (const std::system_error& error) {
    return error.code().category() == std::system_category() ? error.code().value() : 0;
  } catch (...) {
    return 0;
  }
}

std::string changing_two_paths::describe() const { return fmt::format("{} to {:?}", path_call::describe(), other_); }

std::int64_t changing_two_paths::call() {
  if (path() == nullptr || other_.find('\0') != std::string::npos) return -EINVAL;
  return what_(calls(), fd(), path(), other_.c_str(), flags_);
}

std::int64_t asking_status_of_path::call() {
  return path() != nullptr ? calls().fstatat(fd(), path(), &found_, flags_) : -EINVAL;
}

bool existence_of_path::result() {
  const std::int64_t came_to = outcome_or_error();
  if (came_to == -ENOENT || came_to == -ENOTDIR) return false;
  if (came_to < 0) fail();
  return true;
}

target_of_path::target_of_path(held_file* in, std::string path, const source& where)
    : primitive(operation_kind::use_file, in, std::move(path), "target of", where), into_(PATH_MAX, '\0') {}

std::int64_t target_of_path::call() {
  return path() != nullptr ? calls().readlinkat(fd(), path(), into_.data(), into_.size()) : -EINVAL;
}

std::string target_of_path::result() {
  into_.resize(static_cast<std::size_t>(outcome()));
  return std::move(into_);
}

}  // namespace lockstep::detail
