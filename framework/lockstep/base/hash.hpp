// Portable random numbers: the same on every compiler and standard library.
//
// A draw is a pure function of (seed, domain, index), so that one more draw in one place shifts no
// draw anywhere else. Nothing here holds state.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace lockstep {

// The finaliser of SplitMix64: every input bit reaches every output bit.
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

// One step of a rolling hash; order matters.
constexpr std::uint64_t roll(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
  return hash ^ (hash >> 32);
}

// The same in the fewest instructions, for chains of many words that are mixed at their end.
constexpr std::uint64_t roll_fast(std::uint64_t hash, std::uint64_t word) noexcept {
  return std::rotl((hash ^ word) * 0x9E3779B97F4A7C15ull, 32);
}

constexpr std::uint64_t hash_of(std::uint64_t a, std::uint64_t b) noexcept {
  return mix(roll(mix(a + 0x9E3779B97F4A7C15ull), b));
}

constexpr std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325ull;  // FNV-1a, then finalised
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return mix(hash);
}

// The draw that belongs to (seed, domain, index).
constexpr std::uint64_t draw(std::uint64_t seed, std::uint64_t domain, std::uint64_t index) noexcept {
  return hash_of(hash_of(seed, domain), index);
}

// Those that belong to one seed, and to one domain of it, for who needs many.
class draws {
 public:
  constexpr draws() noexcept = default;
  constexpr draws(std::uint64_t seed, std::uint64_t domain) noexcept : draws(hash_of(seed, domain)) {}
  // Requires that `hash` is hash_of(seed, domain).
  constexpr explicit draws(std::uint64_t hash) noexcept : begin_(mix(hash + 0x9E3779B97F4A7C15ull)) {}

  // The same as draw(seed, domain, index).
  constexpr std::uint64_t operator[](std::uint64_t index) const noexcept { return mix(roll(begin_, index)); }

 private:
  std::uint64_t begin_ = 0;
};

class draws_of_seed {
 public:
  constexpr explicit draws_of_seed(std::uint64_t seed) noexcept : seed_(mix(seed + 0x9E3779B97F4A7C15ull)) {}

  constexpr draws operator()(std::uint64_t domain) const noexcept { return draws(mix(roll(seed_, domain))); }

 private:
  std::uint64_t seed_;
};

// Maps a draw to 0 … `options` - 1, `options` at least 1, by the high half of the product. The bias is under
// `options` / 2^64.
constexpr std::uint64_t bounded(std::uint64_t random, std::uint64_t options) noexcept {
  __extension__ using wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<wide>(random) * options) >> 64);
}

}  // namespace lockstep
