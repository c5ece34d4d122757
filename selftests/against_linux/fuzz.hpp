// What fuzzes of two systems have in common: operations drawn from a seed, and sequences of them that are made short.
// What an operation is about it names by numbers that have a meaning in every sequence, modulo what there is. So any
// operation may be left out, and any number may become 0, and what is left is a sequence still.
#pragma once

#include <lockstep/base/hash.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace lockstep::against_linux {

template <class Kind>
struct fuzz_operation {
  Kind kind;
  std::uint32_t subject;
  std::uint32_t object;
  std::uint32_t detail;
};

// How often a kind is drawn.
template <class Kind>
struct fuzz_weight {
  Kind kind;
  std::uint32_t times;
};

class fuzz_drawer {
 public:
  fuzz_drawer(std::uint64_t seed, std::string_view domain) : numbers_(seed, hash_of(domain)) {}

  std::uint32_t below(std::uint64_t options) { return static_cast<std::uint32_t>(bounded(numbers_[next_++], options)); }
  bool in(std::uint64_t options) { return below(options) == 0; }
  template <class Kind>
  fuzz_operation<Kind> of(Kind kind) {
    const std::uint32_t subject = number();
    const std::uint32_t object = number();
    return {kind, subject, object, number()};
  }
  template <class Kind, std::size_t Count>
  fuzz_operation<Kind> any(const fuzz_weight<Kind> (&weights)[Count]) {
    std::uint32_t all = 0;
    for (const fuzz_weight<Kind>& each : weights) all += each.times;
    std::uint32_t at = below(all);
    for (const fuzz_weight<Kind>& each : weights) {
      if (at < each.times) return of(each.kind);
      at -= each.times;
    }
    return of(weights[0].kind);
  }

 private:
  std::uint32_t number() { return below(std::uint64_t{1} << 20); }

  draws numbers_;
  std::uint64_t next_ = 0;
};

// A short sequence for which it still holds. Requires that it does for `what`.
template <class Operation, class Predicate>
std::vector<Operation> shrink(std::vector<Operation> what, const Predicate& still_holds) {
  const auto try_instead = [&](std::vector<Operation> tried) {
    if (!still_holds(tried)) return false;
    what = std::move(tried);
    return true;
  };
  const auto leave_out = [&](std::size_t at, std::size_t piece) {
    std::vector<Operation> tried = what;
    const auto begin = tried.begin() + static_cast<std::ptrdiff_t>(at);
    tried.erase(begin, begin + static_cast<std::ptrdiff_t>(piece));
    return try_instead(std::move(tried));
  };
  const auto simplify = [&](std::size_t at, std::uint32_t Operation::*part) {
    for (const std::uint32_t simpler : {0U, 12U, what[at].*part % 24}) {
      if (simpler >= what[at].*part) continue;
      std::vector<Operation> tried = what;
      tried[at].*part = simpler;
      if (try_instead(std::move(tried))) return true;
    }
    return false;
  };
  for (bool is_better = true; is_better;) {
    is_better = false;
    for (std::size_t piece = what.size() / 2; piece > 0; piece /= 2) {
      for (std::size_t at = 0; at + piece <= what.size();) {
        if (leave_out(at, piece)) {
          is_better = true;
        } else {
          at += piece;
        }
      }
    }
    for (std::size_t at = 0; at < what.size(); ++at) {
      for (const auto part : {&Operation::subject, &Operation::object, &Operation::detail}) {
        is_better = simplify(at, part) || is_better;
      }
    }
  }
  return what;
}

struct fuzz_range {
  std::uint64_t count;
  std::uint64_t first = 1;
};

// Of the variable: "20000" sequences, or "1,77", which is that of seed 77.
inline fuzz_range range_from_environment(const char* variable, std::uint64_t count) {
  fuzz_range range{count};
  const char* const text = std::getenv(variable);
  if (text == nullptr) return range;
  char* end = nullptr;
  range.count = std::strtoull(text, &end, 10);
  if (*end == ',') range.first = std::strtoull(end + 1, nullptr, 10);
  return range;
}

}  // namespace lockstep::against_linux
