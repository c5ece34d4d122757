#include <lockstep/testing/fuzz.hpp>

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/fuzzed_choices.hpp>
#include <lockstep/testing/test_runs.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace lockstep::detail {

struct fuzz_target::parts {
  parts(test_plan of_test, std::string full)
      : plan(std::move(of_test)), name(std::move(full)), knobs(effective_options(plan.of_fixture, plan.of_test)),
        runner(plan, knobs, name) {}

  test_plan plan;
  std::string name;
  options knobs;
  test_runner runner;
};

fuzz_target::fuzz_target(test_plan plan, std::string of)
    : parts_(std::make_unique<parts>(std::move(plan), std::move(of))) {
  if (parts_->knobs.clock != clock_mode::real) return;
  fmt::print(stderr, "LOCKSTEP_FUZZ: {} runs on the real clock, where a fuzzer has no choice to make\n", parts_->name);
  std::abort();
}

fuzz_target::~fuzz_target() = default;

void fuzz_target::run(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> counters) {
  fuzzed_choices fuzzed(bytes, counters);
  described_choices described(fuzzed);
  if (!parts_->runner.make_for_search(described, *parts_->knobs.order).failed) return;
  token failing;
  failing.test = test_hash(parts_->name);
  failing.order = *parts_->knobs.order;
  failing.task_overrides = described.of_tasks();
  failing.value_overrides = described.of_values();
  const outcome again = parts_->runner.make(failing);
  fmt::print(stderr, "{} fails\n", parts_->name);
  for (const failure_part& part : again.parts) {
    fmt::print(stderr, "{}{}\n", part.file.empty() ? "" : fmt::format("{}:{}: ", part.file, part.line), part.message);
  }
  if (!again.failed) {
    fmt::print(stderr,
               "nondeterminism: it passes when the same run is made again; look for what one run leaves to the "
               "next\n");
  }
  fmt::print(stderr, "{}\n(in the program of GoogleTest's main() that holds this test, not in the fuzzer)\n",
             repeat_line(again.replay, command_that_repeats(parts_->name)));
  std::fflush(stdout);
  std::abort();
}

}  // namespace lockstep::detail
