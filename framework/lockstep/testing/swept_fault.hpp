// One run of a sweep of faults, and the token by which it is made again: without the others.
//
//   ls1:12c1:plain:failed_call-read%20at%20client%20%28ECONNRESET%29#2=1:;
//                              │                                     │ └ that call alone; 2 for each later one as well
//                              │                                     └ the second call
//                              └ of this kind, in this scope, with this error: as the sweep names it
#pragma once

#include <lockstep/explore/token.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace lockstep::detail {

struct swept_fault {
  std::string calls;  // in words
  std::uint64_t number = 0;
  bool each_later = false;

  friend bool operator==(const swept_fault&, const swept_fault&) = default;
};

token token_of(const swept_fault& fault, std::uint16_t test);
// Nothing if it has none; or one sentence about what is wrong with it.
std::variant<std::monostate, swept_fault, std::string> swept_fault_of(const token& replay);
// What else it says, which is for the test in which the sweep is.
token without_swept_fault(token replay);

// The line that makes it again, of the test that runs now; empty if none does.
std::string repeat_line_of(const swept_fault& fault);

}  // namespace lockstep::detail
