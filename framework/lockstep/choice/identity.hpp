// Identities that do not depend on the schedule or on addresses.
//
// A task is (its parent, the n-th that the parent spawned); an object is (the task that made it, the n-th that this
// task made). Both are kept as one 64-bit hash of that path: comparable between runs, compilers and machines.
#pragma once

#include <lockstep/base/hash.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

using identity = std::uint64_t;

// The main task of every run.
inline constexpr identity main_identity = 0x6C6F636B73746570ull;

constexpr identity task_identity(identity parent, std::uint32_t nth) noexcept { return roll(parent, 2ull * nth); }

constexpr identity object_identity(identity creator, std::uint32_t nth) noexcept {
  return roll(creator, 2ull * nth + 1);
}

// One question for a value: the n-th in its domain. A domain is one source of questions (a user's label, later a
// network link or a fault), so that questions elsewhere do not shift its answers.
struct choice_point {
  identity domain;
  std::uint64_t nth;
  std::string_view name{};  // of the domain; valid while the question is asked
};

constexpr identity domain_identity(std::string_view name) noexcept { return hash_of(name); }

// One that is picked from often.
struct choice_domain {
  explicit choice_domain(std::string of) : name(std::move(of)), id(domain_identity(name)) {}

  std::string name;
  identity id;
};

}  // namespace lockstep
