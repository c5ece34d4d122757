// Explores a test: searches its orders for one that fails, and reports that one, shrunk and explained, or what was
// covered.
#pragma once

#include <lockstep/testing/options.hpp>
#include <lockstep/testing/test_runs.hpp>

namespace lockstep::detail {

// Reports to the test that GoogleTest runs now. Returns whether all that was tried has passed.
bool explore_test(test_runner& runner, const options& knobs);

}  // namespace lockstep::detail
