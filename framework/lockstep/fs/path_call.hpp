// The awaits of calls on paths: what open() and the functions of paths.hpp return.
#pragma once

#include <lockstep/fs/file_call.hpp>
#include <lockstep/fs/file_status.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace lockstep::detail {

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// A path, in a directory that is open, or in the working directory of the task's system.
class path_call : public file_call {
 public:
  // "open "x"", and of one in a directory "open "x" in "/etc"".
  std::string describe() const override;

 protected:
  path_call(operation_kind kind, held_file* in, std::string path, const char* deed, const source& where)
      : path_call(kind, in, system_of(in, where), std::move(path), deed) {}
  ~path_call() = default;

  // As calls take it; null if there is a zero in it, or nothing can have such a name.
  const char* path() const noexcept { return path_.find('\0') == std::string::npos ? path_.c_str() : nullptr; }
  // Once it is told of no more.
  std::string take_path() noexcept { return std::move(path_); }
  std::shared_ptr<system_calls> take_system() noexcept { return std::move(system_); }

 private:
  path_call(operation_kind kind, held_file* in, std::shared_ptr<system_calls> system, std::string path,
            const char* deed) noexcept
      : file_call(kind, in, *system, deed), path_(std::move(path)), system_(std::move(system)) {}
  static std::shared_ptr<system_calls> system_of(const held_file* in, const source& where);

  std::string path_;
  std::shared_ptr<system_calls> system_;
};

class opening_path : public path_call {
 protected:
  // `flags` of -1 are none that make sense.
  opening_path(held_file* in, std::string path, int flags, mode_t permissions, const source& where)
      : path_call(operation_kind::open_file, in, std::move(path), "open", where), flags_(flags),
        permissions_(permissions), where_(where) {}
  ~opening_path() { undo_unseen(); }

  std::int64_t call() override;
  bool undo() noexcept override;
  // As what reports call `noun`. Throws the error of the call.
  std::unique_ptr<held_file> opened(const char* noun);

 private:
  int flags_;
  mode_t permissions_;
  source where_;
};

// A call that takes a path and a number.
using path_function = int (*)(system_calls& system, int at, const char* path, std::int64_t number);

class path_number : public path_call {
 protected:
  path_number(held_file* in, std::string path, const char* deed, path_function made_by, std::int64_t number,
              const source& where)
      : path_call(operation_kind::use_file, in, std::move(path), deed, where), what_(made_by), number_(number) {}
  ~path_number() = default;

  std::int64_t call() override { return path() != nullptr ? what_(calls(), fd(), path(), number_) : -EINVAL; }

 private:
  path_function what_;
  std::int64_t number_;
};

class changing_path final : public primitive<changing_path, path_number> {
 public:
  changing_path(held_file* in, std::string path, const char* deed, path_function made_by, std::int64_t number,
                const source& where)
      : primitive(in, std::move(path), deed, made_by, number, where) {}
  void result() { outcome(); }
};

// The same with two paths.
using two_paths_function = int (*)(system_calls& system, int at, const char* one, const char* other, unsigned flags);

// unlinkat() with flags, and renameat2() within one directory.
int remove_name(system_calls& system, int at, const char* path, std::int64_t flags);
int rename_name(system_calls& system, int at, const char* from, const char* to, unsigned flags);
constexpr unsigned rename_flags(bool replace) noexcept { return replace ? 0U : unsigned{RENAME_NOREPLACE}; }
// The error number of the system that an exception tells of; 0 if it is another one.
int error_number(const std::exception_ptr& failure) noexcept;

class changing_two_paths final : public primitive<changing_two_paths, path_call> {
 public:
  // Read as "rename "a" to "b"".
  changing_two_paths(held_file* in, std::string one, const char* deed, std::string other, two_paths_function made_by,
                     unsigned flags, const source& where)
      : primitive(operation_kind::use_file, in, std::move(one), deed, where), other_(std::move(other)), what_(made_by),
        flags_(flags) {}
  std::string describe() const override;
  void result() { outcome(); }

 private:
  std::int64_t call() override;

  std::string other_;
  two_paths_function what_;
  unsigned flags_;
};

class asking_status_of_path : public path_call {
 protected:
  // `flags` are those of fstatat().
  asking_status_of_path(held_file* in, std::string path, int flags, const source& where)
      : path_call(operation_kind::use_file, in, std::move(path), "status of", where), flags_(flags) {}
  ~asking_status_of_path() = default;

  std::int64_t call() override;
  struct stat found_ {};

 private:
  int flags_;
};

class status_of_path final : public primitive<status_of_path, asking_status_of_path> {
 public:
  status_of_path(held_file* in, std::string path, int flags, const source& where)
      : primitive(in, std::move(path), flags, where) {}
  file_status result() {
    outcome();
    return file_status::from(found_);
  }
};

class existence_of_path final : public primitive<existence_of_path, asking_status_of_path> {
 public:
  existence_of_path(held_file* in, std::string path, const source& where) : primitive(in, std::move(path), 0, where) {}
  bool result();
};

class target_of_path final : public primitive<target_of_path, path_call> {
 public:
  target_of_path(held_file* in, std::string path, const source& where);
  std::string result();

 private:
  std::int64_t call() override;

  std::string into_;
};

#pragma GCC diagnostic pop

}  // namespace lockstep::detail
