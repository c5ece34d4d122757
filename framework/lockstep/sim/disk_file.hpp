// An open file of a disk: a regular one, or a directory that is read.
//
// It has the offset, which its duplicates share. Calls never wait.
// Source: open(2), read(2), lseek(2), getdents(2).
#pragma once

#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/inode.hpp>
#include <lockstep/sim/open_file.hpp>
#include <lockstep/sim/pieces.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace lockstep::sim {

class disk_file final : public open_file {
 public:
  // Opened by that name.
  disk_file(host& of, identity id, inode_reference file, int flags, const told_name& by);

  inode& file() const noexcept { return *file_; }
  // What it does is told of by the name by which it was opened.
  told_name told() const noexcept { return name_ ? name_->told() : told_name(); }
  bool readable() const noexcept;
  bool writable() const noexcept;

  std::int64_t read_at(const iovec* into, int count, std::int64_t offset);
  std::int64_t write_at(const iovec* from, int count, std::int64_t offset);
  std::int64_t seek(std::int64_t offset, int whence);
  // Errors of writing to the disk of which it has not heard: of the file, and of all of its disk.
  int take_error() noexcept { return file_->errors.take(heard_of_file_); }
  int take_error_of_disk() noexcept { return file_->on().errors().take(heard_of_disk_); }
  int resize(std::int64_t size);
  int allocate(int mode, std::int64_t offset, std::int64_t size);
  std::int64_t read_entries(void* into, std::size_t size);
  int flock(int operation);
  // F_SETLK and its like, of the process `process` or of the open file.
  int lock(int command, struct flock& range, const file_locks::owner& process);

  std::int64_t read(const iovec* into, int count) override;
  std::int64_t write(const iovec* from, int count) override;
  int ioctl(unsigned long request, void* argument) override;
  bool can_be_polled() const noexcept override { return false; }
  unsigned ready() const noexcept override;
  disk_file* as_disk_file() noexcept override { return this; }
  std::string described() const override;
  std::string text_of_held() const override;
  // The lock that it has by flock() was taken at that line.
  void set_locked_at(const source& where) noexcept;

 private:
  void closed() noexcept override;
  // What is to happen; if that is no error, then perhaps to less.
  fault_effect begin(op what, std::uint64_t offset, std::size_t& size);
  void spoil(const fault_effect& by, std::uint64_t offset, std::size_t size);
  std::int64_t write_elsewhere(pieces from, std::uint64_t offset, std::size_t size, const fault_effect& by);
  std::uint64_t another_place(std::uint64_t sector, std::uint64_t sectors, std::uint64_t& length);
  void note(const std::string& text);
  // By the running task.
  lock_origin origin_here() const noexcept;
  std::int64_t read_now(const iovec* into, int count, std::uint64_t offset);
  std::int64_t write_now(const iovec* from, int count, std::uint64_t offset);
  std::int64_t write_to_memory(const iovec* from, int count, std::uint64_t offset);
  int check_pieces(op what, const iovec* pieces, int count, std::uint64_t offset, std::size_t& size) const noexcept;
  void begin_entries();
  bool give_entry(std::byte*& to, std::size_t& room, std::string_view name, const inode& of, std::int64_t next);

  host& host_;
  inode_reference file_;
  std::optional<opened_name> name_;  // until it is closed
  std::uint64_t offset_ = 0;
  error_sequence::position heard_of_file_;
  error_sequence::position heard_of_disk_;
  // Of a directory that is read: the places of its names when that began, and where in them the first is.
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
  bool backwards_ = false;
  bool reading_ = false;
  bool at_end_ = false;
};

}  // namespace lockstep::sim
