// Pseudo-random numbers, such as the same deadlines for every runtime, and a witness of the order in which their timers
// fired.
#pragma once

#include "require.hpp"

#include <cstdint>

namespace bench {

// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  std::uint32_t next_below(std::uint32_t options) noexcept {
    return static_cast<std::uint32_t>((next() >> 32) * options >> 32);
  }

 private:
  std::uint64_t state_;
};

// Draws how long to sleep, in nanoseconds, uniformly from one second.
class sleep_lengths {
 public:
  explicit sleep_lengths(std::uint64_t seed) noexcept : numbers_(seed) {}

  std::uint64_t next_ns() noexcept { return numbers_.next() % 1'000'000'000u; }

 private:
  random_numbers numbers_;
};

// Told of each timer when it fires.
struct firing_order {
  std::uint64_t last_ns = 0;
  std::uint64_t hash = 0;
  std::uint64_t count = 0;

  void fired(std::uint64_t now_ns) {
    require(now_ns >= last_ns, "a timer fired before an earlier one");
    last_ns = now_ns;
    hash = (hash ^ now_ns) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    ++count;
  }
};

}  // namespace bench
