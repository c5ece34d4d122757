// Explores a test: searches its orders for one that fails, and reports that one, shrunk and explained, or what was
// covered.
#pragma once

#include <lockstep/testing/options.hpp>
#include <lockstep/testing/test_runs.hpp>

#include <string>

namespace lockstep::detail {

// For the end of the report of a plain run that has failed: the run in columns, and that nothing else was tried. Empty
// if it passes when it is made again.
std::string columns_of_plain_run(test_runner& runner, const token& plain);

// Reports to the test that GoogleTest runs now. Returns whether all that was tried has passed.
bool explore_test(test_runner& runner, const options& knobs);

}  // namespace lockstep::detail
