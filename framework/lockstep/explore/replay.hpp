// The oracle behind every run that is not plain: a strategy, the overrides of a token, and a log of the choices made.
#pragma once

#include <lockstep/choice/oracle.hpp>
#include <lockstep/explore/token.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

// Answers as the base of `of` does, but for its overrides, and takes the run's fingerprint on the way. For one run. An
// override that cannot be followed is left out, and departure() tells of it.
class guided_oracle final : public oracle {
 public:
  explicit guided_oracle(const token& of);

  std::size_t pick_task(const candidates& from) override;
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override;

  // The fingerprint of the run that was made. `trace_hash` is the run's.
  fingerprint print(std::uint64_t trace_hash) const;

  // Which override of the token could not be made, and why, as a sentence; nothing if all were. One of a token with a
  // fingerprint could neither if the tasks concerned were about to do something else then. Where the run was to be
  // disturbed, those of what came after that are not missed.
  std::optional<std::string> misfit() const;

  // How this run departs from the one that the token was taken of, as a sentence; nothing if it does not, or if the
  // token has no fingerprint.
  std::optional<std::string> departure(std::uint64_t trace_hash) const;

 private:
  void log(std::uint64_t options, std::uint64_t answer);
  std::string first_unused() const;
  std::optional<std::string> other_deviation() const;

  token token_;
  std::unique_ptr<oracle> base_;
  // Overrides that have not been used, by what they apply to; those of one place in their order. Of tasks, their places
  // in the token.
  std::multimap<std::pair<identity, std::uint32_t>, std::size_t> tasks_;
  std::map<std::pair<identity, std::uint64_t>, std::uint64_t> values_;
  std::vector<std::string> unusable_;
  std::vector<std::string> deviations_;  // of each override of a task, see fingerprint; empty until it is applied
  std::uint64_t choices_ = 0;
  std::uint64_t hash_ = 0;
  std::uint64_t next_checkpoint_ = 1;
  std::string digits_;
};

}  // namespace lockstep
