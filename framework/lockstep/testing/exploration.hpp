// Explores a test: searches its orders for one that fails, and reports that one, shrunk and explained, or what was
// covered.
#pragma once

#include <lockstep/testing/options.hpp>
#include <lockstep/testing/test_runs.hpp>
#include <lockstep/testing/worker_process.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace lockstep::detail {

// How the plain run of the test ends its process, which is one of its own; nothing if it does not, or if there are to
// be no other processes.
std::optional<worker_end> death_of_plain_run(test_runner& runner, const options& knobs);

// Why a test is skipped: said of that whose search was interrupted, and of those behind it.
inline constexpr std::string_view interrupted_search = "the search was interrupted";

enum class search_end {
  passed,   // all that was tried, but for what was skipped
  skipped,  // all of it; that is not reported yet
  told,     // of a failure, or that it was interrupted
};

// Reports to the test that GoogleTest runs now. `plain_death` is how its plain run has died, if it has; `plain_trace`
// is the hash of its trace, if it has passed.
search_end explore_test(test_runner& runner, const options& knobs, const std::optional<worker_end>& plain_death,
                        std::optional<std::uint64_t> plain_trace);

}  // namespace lockstep::detail
