// Where in the user's source something happened, and how to print it.
#pragma once

#include <bit>
#include <source_location>
#include <string>
#include <string_view>

namespace lockstep {

using source = std::source_location;

// The pointer that a source location is: as a defaulted parameter of an await it takes no place in the frame.
using source_pointer = decltype(__builtin_source_location());
static_assert(sizeof(source) == sizeof(source_pointer), "a source location is one pointer");
inline source source_at(source_pointer where) noexcept { return std::bit_cast<source>(where); }

// The file's name without its folders.
std::string_view file_of(const source& where) noexcept;

// Whether it lies in the library itself, which reports leave out.
bool is_internal(const source& where) noexcept;

// "cache.cpp:41".
std::string file_and_line(const source& where);

// The plain name of the function, the same from every compiler: "fetch" for
// "lockstep::task<int> crawler::fetch(std::string)", "lambda" for a lambda's call operator.
std::string_view function_of(const source& where) noexcept;

}  // namespace lockstep
