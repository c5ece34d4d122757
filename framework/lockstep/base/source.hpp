// Where in the user's source something happened, and how to print it.
#pragma once

#include <bit>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace lockstep {

using source = std::source_location;

// The pointer that a source location is: as a defaulted parameter of an await it takes no place in the frame.
using source_pointer = decltype(__builtin_source_location());
static_assert(sizeof(source) == sizeof(source_pointer), "a source location is one pointer");
inline source source_at(source_pointer where) noexcept { return std::bit_cast<source>(where); }

// Where a coroutine stands: at a line, or only in a function as long as it has not awaited anything, since compilers
// differ in which line of a coroutine they call its own. A second mark says that the coroutine is a generator's body.
// As large as a source location: the marks are its lowest bits.
class place {
 public:
  place() noexcept = default;
  place(const source& line) noexcept : bits_(std::bit_cast<std::uintptr_t>(line)) {}
  static place in_function(const source& anywhere) noexcept {
    place made(anywhere);
    made.bits_ += only_function;  // as a linker can
    return made;
  }

  void mark_generator() noexcept { bits_ |= generator; }
  bool of_generator() const noexcept { return (bits_ & generator) != 0; }

  bool operator==(const place&) const noexcept = default;
  // 0 if only the function is known.
  std::uint_least32_t line() const noexcept { return (bits_ & only_function) == 0 ? source(*this).line() : 0; }
  // With some line of the function, if only that is known.
  operator source() const noexcept { return std::bit_cast<source>(bits_ & ~(only_function | generator)); }

 private:
  static constexpr std::uintptr_t only_function = 1;
  static constexpr std::uintptr_t generator = 2;

  std::uintptr_t bits_ = 0;
};

// The file's name without its folders.
std::string_view file_of(const source& where) noexcept;

// Whether it lies in the library itself, which reports leave out.
bool is_internal(const source& where) noexcept;

// "cache.cpp:41".
std::string file_and_line(const source& where);
// The same, or "cache.cpp in fetch()"; empty if nothing is known.
std::string file_and_line(const place& where);

// The plain name of the function, the same from every compiler: "fetch" for
// "lockstep::task<int> crawler::fetch(std::string)", "lambda" for a lambda's call operator.
std::string_view function_of(const source& where) noexcept;

}  // namespace lockstep
