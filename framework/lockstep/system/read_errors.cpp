#include <lockstep/system/read_errors.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep {

incomplete_read::incomplete_read(std::size_t bytes_read, std::size_t bytes_wanted)
    : std::runtime_error(fmt::format("the stream ended after {} of {} bytes", bytes_read, bytes_wanted)),
      bytes_read_(bytes_read) {}

incomplete_read::incomplete_read(std::string partial, std::size_t bytes_wanted)
    : incomplete_read(partial.size(), bytes_wanted) {
  partial_ = std::move(partial);
}

incomplete_read::incomplete_read(std::string partial, std::string_view delimiter)
    : std::runtime_error(fmt::format("the stream ended after {} bytes, without {:?}", partial.size(), delimiter)),
      bytes_read_(partial.size()), partial_(std::move(partial)) {}

limit_overrun::limit_overrun(std::size_t consumed, std::size_t limit)
    : std::runtime_error(fmt::format("{} bytes have come, and at most {} may", consumed, limit)), consumed_(consumed) {}

}  // namespace lockstep
