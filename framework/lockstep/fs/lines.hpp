// A file piece by piece: its lines, or chunks of one size.
//
//   file log = co_await open("app.log");
//   auto all = lines(log);
//   while (const std::string* line = co_await all.next()) …
//
// Both read from the position on, to the end of the file, and move it as they read: lines() is ahead of what it has
// yielded. Requires that the file lives, where it is, as long as the generator.
// Errors: those of file::read_some().
#pragma once

#include <lockstep/fs/file.hpp>
#include <lockstep/runtime/async_generator.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace lockstep {

// Each with its "\n", but for a last one that has none. A line of more than `limit_bytes` before the "\n" ends it with
// limit_overrun.
async_generator<std::string> lines(file& from, std::size_t limit_bytes = 65'536, source where = source::current());

// Pieces of `size_bytes`, and a last one that is shorter; none of an empty file. A piece is good until the next is
// asked for. Requires at least 1; std::invalid_argument otherwise.
async_generator<std::span<const std::byte>> chunks(file& from, std::size_t size_bytes,
                                                   source where = source::current());

}  // namespace lockstep
