#include <lockstep/explore/trace_set.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace lockstep {

trace_set::trace_set(std::vector<std::uint64_t> words) : words_(std::move(words)) {
  for (const std::uint64_t each : words_) set_ += static_cast<std::uint64_t>(std::popcount(each));
}

void trace_set::add_all(const trace_set& others) {
  std::vector<std::uint64_t> words = std::move(words_);
  words.resize(std::max(words.size(), others.words_.size()));
  for (std::size_t i = 0; i < others.words_.size(); ++i) words[i] |= others.words_[i];
  *this = trace_set(std::move(words));
}

std::uint64_t trace_set::size(std::uint64_t most) const noexcept {
  const double all = static_cast<double>(bits);
  const double free = (all - static_cast<double>(set_)) / all;
  const double about = free > 0 ? -all * std::log(free) : static_cast<double>(most);
  return std::min(most, static_cast<std::uint64_t>(std::llround(about)));
}

}  // namespace lockstep
