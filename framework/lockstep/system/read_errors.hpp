// What those throw who are asked for so many bytes, or for whole lines, of what others have written: of sockets and of
// files.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lockstep {

// Thrown where the stream, or the file, ends before as much has come as is asked for.
// Source: asyncio.IncompleteReadError.
class incomplete_read : public std::runtime_error {
 public:
  // What has come is in the buffer of whoever asked.
  incomplete_read(std::size_t bytes_read, std::size_t bytes_wanted);
  // For a reader, which had asked for so many bytes, or for all up to the delimiter.
  incomplete_read(std::string partial, std::size_t bytes_wanted);
  incomplete_read(std::string partial, std::string_view delimiter);

  std::size_t bytes_read() const noexcept { return bytes_read_; }
  // What a reader had, which is not in its buffer any more.
  const std::string& partial() const noexcept { return partial_; }

 private:
  std::size_t bytes_read_;
  std::string partial_;
};

// Thrown where more comes than may be taken at once.
// Source: asyncio.LimitOverrunError.
class limit_overrun : public std::runtime_error {
 public:
  limit_overrun(std::size_t consumed, std::size_t limit);
  // How many bytes could be taken to go on behind them: what is before the delimiter, or cannot hold any of it.
  std::size_t consumed() const noexcept { return consumed_; }

 private:
  std::size_t consumed_;
};

}  // namespace lockstep
