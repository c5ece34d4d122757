#include <lockstep/fs/lines.hpp>

#include <lockstep/system/read_errors.hpp>

#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

namespace {

constexpr std::size_t lines_bytes = 16'384;

}  // namespace

async_generator<std::string> lines(file& from, std::size_t limit_bytes, source where) {
  std::vector<char> buffer(lines_bytes);
  std::string line;
  while (const std::size_t count = co_await from.read_some(std::span(buffer), where)) {
    std::string_view left(buffer.data(), count);
    while (!left.empty()) {
      const std::size_t end = left.find('\n');
      const std::size_t taken = end == std::string_view::npos ? left.size() : end;
      if (line.size() + taken > limit_bytes) throw limit_overrun(line.size() + taken, limit_bytes);
      line += left.substr(0, taken);
      left.remove_prefix(taken);
      if (end == std::string_view::npos) break;
      line += '\n';
      left.remove_prefix(1);
      co_yield std::exchange(line, std::string());
    }
  }
  if (!line.empty()) co_yield std::move(line);
}

async_generator<std::span<const std::byte>> chunks(file& from, std::size_t size_bytes, source where) {
  if (size_bytes == 0) throw std::invalid_argument("chunks of 0 bytes");
  std::vector<std::byte> buffer(size_bytes);
  for (;;) {
    std::size_t filled = 0;
    while (filled < size_bytes) {
      const std::size_t count = co_await from.read_some(std::span(buffer).subspan(filled), where);
      if (count == 0) break;
      filled += count;
    }
    if (filled != 0) co_yield std::span<const std::byte>(buffer).first(filled);
    if (filled < size_bytes) co_return;
  }
}

}  // namespace lockstep
