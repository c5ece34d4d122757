// Small numbers for identities, in the order in which they are first seen: what tables are indexed by.
#pragma once

#include <lockstep/choice/identity.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::detail {

class numbering {
 public:
  static constexpr std::uint32_t unknown = ~std::uint32_t{0};

  std::size_t size() const noexcept { return known_.size(); }
  // Requires a number that was given.
  identity operator[](std::uint32_t number) const noexcept { return known_[number]; }

  std::uint32_t find(identity wanted) const noexcept {
    if (slots_.empty()) return unknown;
    for (std::size_t at = slot_of(wanted);; at = (at + 1) & (slots_.size() - 1)) {
      const slot& here = slots_[at];
      if (here.known == wanted || here.number == unknown) return here.number;
    }
  }
  // Gives the next number to one that is new.
  std::uint32_t of(identity wanted) {
    const std::uint32_t number = find(wanted);
    return number != unknown ? number : add(wanted);
  }

 private:
  struct slot {
    identity known = 0;
    std::uint32_t number = unknown;
  };

  // Identities are hashes already.
  std::size_t slot_of(identity wanted) const noexcept {
    return static_cast<std::size_t>(wanted ^ (wanted >> 32)) & (slots_.size() - 1);
  }
  [[gnu::noinline]] std::uint32_t add(identity made) {
    if (2 * (known_.size() + 1) > slots_.size()) grow();
    const auto number = static_cast<std::uint32_t>(known_.size());
    known_.push_back(made);
    place(made, number);
    return number;
  }
  void place(identity made, std::uint32_t number) noexcept {
    std::size_t at = slot_of(made);
    while (slots_[at].number != unknown) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {made, number};
  }
  void grow() {
    slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), {});
    for (std::uint32_t i = 0; i < known_.size(); ++i) place(known_[i], i);
  }

  std::vector<identity> known_;
  std::vector<slot> slots_;  // a power of two of them, half of them free
};

}  // namespace lockstep::detail
