// The descriptors of one host: small numbers, of which the lowest free one is given out.
//
// A search sees who looks up, closes and replaces each number, and who is given one: it depends on who was given one
// and who closed one before.
#pragma once

#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/sim/open_file.hpp>

#include <cstddef>
#include <vector>

namespace lockstep::sim {

class descriptor_table {
 public:
  struct slot {
    file_reference file;
    bool closes_on_exec = false;
  };

  // Known to an observer of the run by that.
  explicit descriptor_table(identity id) noexcept : id_(id) {}
  identity id() const noexcept { return id_; }

  // The most that there may be, as RLIMIT_NOFILE says: 1024.
  std::size_t limit() const noexcept { return limit_; }
  void set_limit(std::size_t limit) noexcept { limit_ = limit; }
  // The most open files that these may be of, as fs.file-max says: any number, 0, at first. It holds for the superuser
  // too, whom Linux excepts.
  std::size_t files_max() const noexcept { return files_max_; }
  void set_files_max(std::size_t files) noexcept { files_max_ = files; }

  // Null if there is none of that number. Measured: GCC would call it.
  [[gnu::always_inline]] open_file* find(int fd) const noexcept {
    const auto at = static_cast<std::size_t>(fd);
    if (detail::observed()) [[unlikely]]
      touch_number(at);
    return at < slots_.size() ? slots_[at].file.get() : nullptr;
  }
  slot* find_slot(int fd) noexcept { return find(fd) == nullptr ? nullptr : &slots_[static_cast<std::size_t>(fd)]; }
  // The lowest free number that is not below `least`, or -EMFILE.
  int add(file_reference file, bool closes_on_exec, int least = 0);
  // Requires that `fd` is below the limit. What it was before is closed.
  void put(int fd, file_reference file, bool closes_on_exec);
  // Returns what it was; nothing if there was none.
  file_reference remove(int fd) noexcept;
  // Why so many files cannot be opened: -EMFILE if no number is free, -ENFILE if there may be no more files, else 0.
  int lacks_room(std::size_t files = 1) const noexcept;
  std::size_t count() const noexcept { return count_; }
  const std::vector<slot>& slots() const noexcept { return slots_; }

 private:
  [[gnu::cold]] void touch_number(std::size_t at) const noexcept { detail::touch(roll(id_, at), access::read); }
  void touch_free() const noexcept { detail::touch(roll(id_, ~0ull), access::write); }
  std::size_t next_free(std::size_t least) const noexcept;
  std::size_t count_files() const noexcept;

  static constexpr std::size_t first = 3;  // after standard input, output and error, which a host has not

  identity id_;
  std::vector<slot> slots_;
  std::size_t lowest_free_ = first;  // none from the first on that is below
  std::size_t count_ = 0;
  std::size_t limit_ = 1024;
  std::size_t files_max_ = 0;
};

}  // namespace lockstep::sim
