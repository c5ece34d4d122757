// The token: a run in one short line that can be pasted, read and edited.
//
//   ls1:7c41:random-17/fifo:1@3>2,jitter#2=40:12.a9f0c41.c41d.04a70013;
//   │   │    │              │                 └ fingerprint: choices made, digits along them, end of the trace hash,
//   │   │    │              │                   and what the tasks of each `1@3>2` were about to do
//   │   │    │              └ overrides: where task 1 would make its 3rd step, run task 2; the 2nd "jitter" is 40
//   │   │    └ base: plain, round_robin, or random with its seed; /fifo for that ordering
//   │   └ the test, as a hash of its full name
//   └ the version of this format
//
// Overrides of a task that are the same many times over are written once, `1@3>2*40`.
// Among the overrides may be what is done to the run, `cancel@7`, `fail_alloc@7` or `destroy@7`: at its 7th moment for
// that, see runtime/disturbance.hpp.
//
// The semicolon ends it, so that a token which was cut short is known as such. The fingerprint may be left out: then
// nothing notices when the code has changed.
#pragma once

#include <lockstep/choice/oracle.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/runtime/disturbance.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lockstep {

// Where the base would have the task at `task` make its `step`-th step, the task at `instead` runs. Tasks are named by
// their path: "main", "1", "1.2". Where several are of one step, the first applies when that step comes up, the next
// when it comes up again.
struct task_override {
  std::string task;
  std::uint32_t step = 0;
  std::string instead;

  friend bool operator==(const task_override&, const task_override&) = default;
};

// The answer to the `nth` question in the domain `domain` is `value`; 0 is the dullest answer, the lowest value.
// A token that has two of one value is refused.
// In fifo order "timers-5000000000" is the domain of those timers that are due together at 5 s: each value is which of
// the ones left fires next. In any_order "select-1.2" is that of the select()s of task 1.2: which of the arms that
// could happen at once is tried first.
struct value_override {
  std::string domain;
  std::uint64_t nth = 0;
  std::uint64_t value = 0;

  friend bool operator==(const value_override&, const value_override&) = default;
};

// At the `moment`-th, from 1, for it, the run is disturbed. A token has one of these at most.
struct planned_disturbance {
  disturbance_kind kind = disturbance_kind::cancel;
  std::uint64_t moment = 0;

  friend bool operator==(const planned_disturbance&, const planned_disturbance&) = default;
};

// What a run was like, shortly: enough to tell at which choice another run departs from it. One digit in sixteen is the
// same by chance; then the departure is seen at the next.
struct fingerprint {
  std::uint64_t choices = 0;
  std::string digits;     // one hex digit at the choices 1, 2, 3, 4, 6, 8, 12, 16, 24, …
  std::string trace_end;  // the last 4 hex digits of the trace hash; empty if the run ended its process
  // Of each task override, 8 hex digits: the kind of operation and the object of the step that was overtaken, the same
  // of the one that was made instead, with its number; of several that are the same, of the first. Empty if there is
  // none, or one was not applied.
  std::string deviations = {};

  friend bool operator==(const fingerprint&, const fingerprint&) = default;
};

struct token {
  std::uint16_t test = 0;
  schedule base = schedule::plain;
  std::uint64_t seed = 0;
  ordering order = ordering::any_order;
  std::vector<task_override> task_overrides;
  std::vector<value_override> value_overrides;
  std::optional<planned_disturbance> disturbed;
  fingerprint print;

  friend bool operator==(const token&, const token&) = default;
};

// Whether it is the same as the one before, with which it shares a mark in the fingerprint.
bool is_repeated(const std::vector<task_override>& overrides, std::size_t nth) noexcept;

// The hash by which a token knows its test.
std::uint16_t test_hash(std::string_view full_name) noexcept;

std::string to_text(const token& of);

// The token, or one sentence about what is wrong with the text and what to do.
std::variant<token, std::string> parse_token(std::string_view text);

// The choice of the n-th digit of a fingerprint, from 0: 1, 2, 3, 4, 6, 8, 12, 16, …
std::uint64_t checkpoint(std::size_t nth) noexcept;

// The identity of the task at `path`; parse_token() accepts only well-formed paths.
identity task_at(std::string_view path) noexcept;

}  // namespace lockstep
