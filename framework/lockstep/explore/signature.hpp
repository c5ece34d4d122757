// What tells one defect from another: see run_result::signature.
#pragma once

#include <lockstep/runtime/verdict.hpp>

#include <string>
#include <string_view>

namespace lockstep {

// The kind of verdict, its place, and the set of tasks that wait, each with the line at which it does. Neither the
// order of these tasks nor numbers within the message make a difference.
std::string signature_of(const verdict& found);
// Of an assertion at that place. Its message shows values, and is left out.
std::string signature_of_assertion(std::string_view file, int line);
// The same text with every number replaced by #.
std::string without_numbers(std::string_view text);

}  // namespace lockstep
