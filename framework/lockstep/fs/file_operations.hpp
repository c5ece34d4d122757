// The awaits of calls on a file that is open: what the members of file return.
#pragma once

#include <lockstep/fs/file_call.hpp>
#include <lockstep/fs/file_status.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lockstep::detail {

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// -- reading ----------------------------------------------------------------------------------------------------------

// What one call gives, or until the buffer is full.
enum class how_much : std::uint8_t { some, all };

class file_read : public file_call {
 protected:
  static constexpr std::int64_t at_position = -1;

  file_read(held_file& from, std::span<std::byte> into, std::int64_t offset, how_much wanted) noexcept
      : file_call(operation_kind::read_file, from, "read", offset == at_position ? order::in_turn : order::any),
        into_(into), offset_(offset), wanted_(wanted) {}
  ~file_read() { undo_unseen(); }

  std::int64_t call() override;
  bool undo() noexcept override;
  // The result of the await: throws incomplete_read if the buffer is not full.
  void all_read();

 private:
  std::int64_t read_once(std::span<std::byte> into, std::size_t filled);

  std::span<std::byte> into_;
  std::int64_t offset_;
  how_much wanted_;
};

class reading_file final : public primitive<reading_file, file_read> {
 public:
  reading_file(held_file& from, std::span<std::byte> into) noexcept
      : primitive(from, into, at_position, how_much::some) {}
  // `offset` is at least 0.
  reading_file(held_file& from, std::span<std::byte> into, std::int64_t offset) noexcept
      : primitive(from, into, offset, how_much::some) {}
  std::size_t result() { return static_cast<std::size_t>(outcome()); }
};

class reading_all_of_file final : public primitive<reading_all_of_file, file_read> {
 public:
  reading_all_of_file(held_file& from, std::span<std::byte> into) noexcept
      : primitive(from, into, at_position, how_much::all) {}
  reading_all_of_file(held_file& from, std::span<std::byte> into, std::int64_t offset) noexcept
      : primitive(from, into, offset, how_much::all) {}
  void result() { all_read(); }
};

// -- writing ----------------------------------------------------------------------------------------------------------

class file_write : public file_call {
 protected:
  static constexpr std::int64_t at_position = -1;
  static constexpr std::int64_t at_end = -2;

  file_write(held_file& to, std::span<const std::byte> from, std::int64_t offset, how_much wanted) noexcept
      : file_call(operation_kind::write_file, to, offset == at_end ? "append to" : "write",
                  offset < 0 ? order::in_turn : order::any),
        from_(from), offset_(offset), wanted_(wanted) {}
  ~file_write() = default;

  std::int64_t call() override;

 private:
  std::int64_t write_once(std::span<const std::byte> from, std::int64_t offset);

  std::span<const std::byte> from_;
  std::int64_t offset_;
  how_much wanted_;
};

class writing_some_of_file final : public primitive<writing_some_of_file, file_write> {
 public:
  writing_some_of_file(held_file& to, std::span<const std::byte> from) noexcept
      : primitive(to, from, at_position, how_much::some) {}
  std::size_t result() { return static_cast<std::size_t>(outcome()); }
};

class writing_file final : public primitive<writing_file, file_write> {
 public:
  writing_file(held_file& to, std::span<const std::byte> from) noexcept
      : primitive(to, from, at_position, how_much::all) {}
  writing_file(held_file& to, std::span<const std::byte> from, std::int64_t offset) noexcept
      : primitive(to, from, offset, how_much::all) {}
  void result() { outcome(); }
};

class appending_to_file final : public primitive<appending_to_file, file_write> {
 public:
  appending_to_file(held_file& to, std::span<const std::byte> from) noexcept
      : primitive(to, from, at_end, how_much::all) {}
  void result() { outcome(); }
};

// -- others -----------------------------------------------------------------------------------------------------------

// A call that takes two numbers.
using number_call = std::int64_t (*)(system_calls& system, int fd, std::int64_t one, std::int64_t other);

class file_numbers : public file_call {
 protected:
  file_numbers(operation_kind kind, held_file& of, const char* deed, order how, number_call made_by, std::int64_t one,
               std::int64_t other) noexcept
      : file_call(kind, of, deed, how), what_(made_by), one_(one), other_(other) {}
  ~file_numbers() = default;

  std::int64_t call() override { return what_(calls(), fd(), one_, other_); }

 private:
  number_call what_;
  std::int64_t one_;
  std::int64_t other_;
};

class changing_file final : public primitive<changing_file, file_numbers> {
 public:
  changing_file(operation_kind kind, held_file& of, const char* deed, number_call made_by, std::int64_t one = 0,
                std::int64_t other = 0) noexcept
      : primitive(kind, of, deed, kind == operation_kind::sync_file ? order::at_end : order::any, made_by, one, other) {
  }
  void result() { outcome(); }
};

class seeking_in_file final : public primitive<seeking_in_file, file_numbers> {
 public:
  seeking_in_file(held_file& in, std::int64_t offset, int whence) noexcept;
  std::uint64_t result() { return static_cast<std::uint64_t>(outcome()); }
};

// False where another has it locked.
class trying_to_lock_file final : public primitive<trying_to_lock_file, file_numbers> {
 public:
  trying_to_lock_file(held_file& of, int flags) noexcept;
  ~trying_to_lock_file() { undo_unseen(); }
  bool result();

 private:
  bool undo() noexcept override;
  void forget_former_lock() noexcept;
};

class asking_status_of_file : public file_call {
 protected:
  explicit asking_status_of_file(held_file& of) noexcept
      : file_call(operation_kind::use_file, of, "status of", order::any) {}
  ~asking_status_of_file() = default;

  std::int64_t call() override { return calls().fstat(fd(), &found_); }
  struct stat found_ {};
};

class status_of_file final : public primitive<status_of_file, asking_status_of_file> {
 public:
  explicit status_of_file(held_file& of) noexcept : primitive(of) {}
  file_status result() {
    outcome();
    return file_status::from(found_);
  }
};

class size_of_file final : public primitive<size_of_file, asking_status_of_file> {
 public:
  explicit size_of_file(held_file& of) noexcept : primitive(of) {}
  std::uint64_t result() {
    outcome();
    return static_cast<std::uint64_t>(found_.st_size);
  }
};

// From its begin the file counts as closed, unless it is cancelled before the call.
class closing_file final : public primitive<closing_file, file_call> {
 public:
  explicit closing_file(held_file& of) noexcept;
  ~closing_file();
  bool try_now();
  void result() { outcome(); }
  void withdraw() noexcept override;

 private:
  std::int64_t call() override;

  std::shared_ptr<system_calls> system_;
};

#pragma GCC diagnostic pop

}  // namespace lockstep::detail
