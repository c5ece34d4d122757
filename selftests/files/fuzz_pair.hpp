// Two machines side by side, Linux and another: each operation of a sequence is made on both, and what they say is
// compared: the result and what it gave, then the status and the offset of every open file; at the end the whole tree.
// The other is the simulated kernel, or, as long as that has no files, Linux again.
#pragma once

#include "fuzz_sequence.hpp"
#include "machine.hpp"

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace lockstep::files {

// One operation, and what came of it on either.
struct fuzz_step {
  // operation_kind::count for the tree at the end.
  operation_kind kind = operation_kind::count;
  // As a row has it; empty if there was nothing to do it to.
  std::string code;
  std::array<std::string, 2> said;
  std::array<std::string, 2> open_files;
  bool succeeded = false;

  bool differs() const { return said[0] != said[1] || open_files[0] != open_files[1]; }
};

class fuzz_pair {
 public:
  static constexpr std::size_t other = 0;
  static constexpr std::size_t real = 1;

  // As root or as somebody; the machines must be new.
  fuzz_pair(machine& on_other, machine& on_real, user as);

  fuzz_step run(const operation& what);
  fuzz_step compare_trees();

 private:
  enum class what_is_open { file, directory, place, inotify };
  struct handle {
    std::array<descriptor, 2> on;
    std::string name;
    what_is_open kind = what_is_open::file;
    std::array<std::vector<int>, 2> watches{};  // of an inotify
  };
  using call = std::function<void(machine& on, std::size_t arm)>;

  // Makes the call on both and notes the lines that it writes. Both have the working directory and the umask of this
  // pair then, as two machines on Linux share them.
  void do_both(const std::string& code, const call& on_one);
  void enter(machine& on);
  using preference = bool (*)(const handle&);

  static preference preferred_by(operation_kind kind);
  handle* pick(std::uint32_t number, preference preferred);
  // A name that was made in this sequence, mostly of that kind, or 0 for any; and one for what is to be made.
  std::string old_name(std::uint32_t number, mode_t kind = 0) const;
  std::string new_name(std::uint32_t number) const;
  void note_name(const std::string& path, mode_t kind);
  mode_t kind_of_name(const std::string& path) const;
  std::string fresh_name() { return "h" + std::to_string(made_++); }
  void add(const std::array<descriptor, 2>& made, what_is_open kind);
  std::string open_files_of(std::size_t arm);
  std::string letters(std::size_t size) { return std::string(size, static_cast<char>('a' + written_++ % 26)); }

  void run_open(const operation& what);
  void run_names(const operation& what);
  void run_old_names(const operation& what);
  void run_attributes(const operation& what);
  void run_data(const operation& what, handle& on);
  void run_size(const operation& what, handle& on);
  void run_locks(const operation& what, handle& on);
  void run_other(const operation& what, handle& on);
  void run_inotify(const operation& what);

  std::array<machine*, 2> on_;
  fuzz_step step_;
  std::vector<handle> handles_;
  struct made_name {
    std::string path;
    mode_t kind;
  };
  std::vector<made_name> names_;
  int made_ = 0;
  unsigned written_ = 0;
  mode_t mask_ = 022;
  bool has_allocated_ = false;
};

}  // namespace lockstep::files
