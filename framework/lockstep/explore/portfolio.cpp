#include <lockstep/explore/portfolio.hpp>

#include <lockstep/base/hash.hpp>

#include <algorithm>
#include <utility>

namespace lockstep {

namespace {

constexpr std::uint64_t of_portfolio = hash_of("lockstep: portfolio");

}  // namespace

portfolio::drawn portfolio::draw(std::uint64_t seed, std::uint64_t nth) {
  const std::pair<sampler, std::uint32_t> shares[] = {{sampler::urw, weights_.urw},
                                                      {sampler::pos, weights_.pos},
                                                      {sampler::uniform, weights_.uniform},
                                                      {sampler::pct, weights_.pct}};
  std::uint64_t all = weights_.coverage;
  for (const auto& each : shares) all += each.second;
  std::uint64_t at = bounded(lockstep::draw(seed, of_portfolio, nth), std::max<std::uint64_t>(all, 1));
  for (const auto& [kind, share] : shares) {
    if (at >= share) {
      at -= share;
      continue;
    }
    std::unique_ptr<sampling_oracle>& made = made_[static_cast<std::size_t>(kind)];
    if (made == nullptr) made = make_sampler(kind, known_);
    return {made.get(), name_of(kind)};
  }
  return {nullptr, "coverage"};
}

}  // namespace lockstep
