// One power cut of a sweep, and the token by which it is made again: without the others, and with what it has lost.
//
//   ls1:12c1:plain:power_cut-ext3_writeback#4=1,lost-3#1=1:;
//                            │              │ │      │ │ └ answered by that: 0 is that nothing is lost
//                            │              │ │      │ └ the first question about it
//                            │              │ │      └ of the change of that number, in the log of the disk
//                            │              │ └ of the sweep's models of that name, the first
//                            │              └ the fourth time, the first being before any change
//                            └ the model
#pragma once

#include <lockstep/explore/token.hpp>
#include <lockstep/testing/lost_changes.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace lockstep::detail {

struct power_cut {
  std::uint64_t number = 0;
  std::string model;
  std::uint64_t nth_model = 1;
  lost_changes lost;

  friend bool operator==(const power_cut&, const power_cut&) = default;
};

token token_of(const power_cut& cut, std::uint16_t test);
// Nothing if it has none; or one sentence about what is wrong with it.
std::variant<std::monostate, power_cut, std::string> power_cut_of(const token& replay);
// What else it says, which is for the test in which the sweep is.
token without_power_cut(token replay);

// The line that makes it again, of the test that runs now; empty if none does.
std::string repeat_line_of(const power_cut& cut);

}  // namespace lockstep::detail
