#include "fuzz_sequence.hpp"

#include <algorithm>
#include <iterator>

namespace lockstep::files {
namespace {

using enum operation_kind;

constexpr against_linux::fuzz_weight<operation_kind> weights[] = {
    {open, 16},    {mkdir, 6},   {unlink, 6},   {rmdir, 4},     {rename, 12},  {link, 6},    {symlink, 5},
    {readlink, 2}, {status, 3},  {access, 2},   {chmod, 4},     {truncate, 4}, {list, 3},    {set_times, 2},
    {mask, 1},     {open_at, 4}, {read, 6},     {write, 12},    {pread, 6},    {pwrite, 8},  {readv, 2},
    {writev, 3},   {seek, 6},    {set_size, 6}, {allocate, 5},  {set_mode, 2}, {sync, 1},    {close, 8},
    {dup, 3},      {flags, 3},   {lock, 8},     {find_lock, 4}, {flock, 5},    {entries, 2}, {inotify, 4},
    {watch, 7},    {unwatch, 2}, {events, 8},
};

constexpr const char* names[] = {"a",     "a/f", "f",     "b",   "a/g", "b/f",   "a/d", "g",
                                 "a/d/f", "l",   "b/a/f", "a/l", "l/f", "a/l/g", "b/l"};
constexpr const char* odd_names[] = {"",   ".",  "a/.",       "a/..", "b/../f", "../f", "a/",
                                     "f/", "l/", "missing/f", "f/x",  "a//f",   "..",   "./a/./d"};
constexpr const char* inner_names[] = {"f", "g", "d", "d/f", ".", "l", "a/f"};
constexpr const char* targets[] = {"f", "a", "a/f", "d", "l", "missing", ".", "b/", "a/d"};

}  // namespace

bool is_drawn(operation_kind kind) {
  return std::any_of(std::begin(weights), std::end(weights), [kind](const auto& each) { return each.kind == kind; });
}

std::string name_of(std::uint32_t number) {
  constexpr std::uint32_t one_in = 12;
  constexpr std::uint32_t one_in_long = 16;
  const std::uint32_t which = number / one_in;
  if (number % one_in != one_in - 1) return names[which % std::size(names)];
  constexpr std::size_t longer_than_a_name = 256;
  if (which % one_in_long == one_in_long - 1) return std::string(longer_than_a_name, 'n');
  return odd_names[which % std::size(odd_names)];
}

std::string inner_name_of(std::uint32_t number) { return inner_names[number % std::size(inner_names)]; }

std::string target_of(std::uint32_t number) { return targets[number % std::size(targets)]; }

sequence sequence_of(std::uint64_t seed) {
  constexpr std::uint32_t shortest = 5;
  constexpr std::uint32_t longest = 60;
  against_linux::fuzz_drawer from(seed, "sequence of file calls");
  sequence made;
  const std::uint32_t size = shortest + from.below(longest - shortest + 1);
  // Two in three begin with what most calls need: directories, and a file that is open.
  constexpr std::uint32_t one_in = 3;
  constexpr std::uint32_t next_name = 48;
  if (!from.in(one_in)) {
    made.push_back({mkdir, 0, 0, 0});
    if (from.in(2)) made.push_back({mkdir, 3 * next_name, 0, 0});
    made.push_back({open, next_name * (1 + from.below(2)), 0, 0});
    made.push_back({write, 0, 0, from.of(write).detail});
  }
  while (made.size() < size) made.push_back(from.any(weights));
  return made;
}

}  // namespace lockstep::files
