// LOCKSTEP_FUZZ: a CO_TEST as the target of libFuzzer, or of any fuzzer that calls LLVMFuzzerTestOneInput.
//
//   CO_TEST(Cache, Coalesces) { … }
//   LOCKSTEP_FUZZ(Cache, Coalesces);
//
// It stands behind the CO_TEST or CO_TEST_F of that name, in one source of a program of its own, which is linked with
// -fsanitize=fuzzer and not with GoogleTest's main(). Each input is one run; its bytes are the answers to all choices.
// A run that fails prints its failure and the line that repeats it in the test program, and aborts, so that the fuzzer
// keeps the input. Which pairs of tasks touch an object one after the other is coverage to libFuzzer, beside that of
// the code.
// SetUpTestSuite() and environments of GoogleTest are not called. Variables such as LOCKSTEP_STEPS_MAX apply, flags do
// not.
#pragma once

#include <lockstep/testing/co_replay.hpp>
#include <lockstep/testing/runner.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

namespace lockstep::detail {

// Makes the runs of one test, outside of GoogleTest's own.
class fuzz_target {
 public:
  // `of` is the test's full name.
  fuzz_target(test_plan plan, std::string of);
  fuzz_target(const fuzz_target&) = delete;
  fuzz_target& operator=(const fuzz_target&) = delete;
  ~fuzz_target();

  // Makes the run of these bytes; ends the process if it fails.
  void run(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> counters);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

template <class TestClass>
test_plan plan_to_fuzz() {
  static_assert(complete<TestClass>,
                "LOCKSTEP_FUZZ stands behind the CO_TEST or CO_TEST_F of that name, in the same file and namespace");
  if constexpr (complete<TestClass>) {
    static_assert(std::is_base_of_v<test_instance, TestClass>, "LOCKSTEP_FUZZ is for a CO_TEST or CO_TEST_F");
    static_assert(!parameterized<typename TestClass::co_fixture_base>,
                  "LOCKSTEP_FUZZ has no parameter for a CO_TEST_P");
    return plan_of<TestClass>();
  }
}

}  // namespace lockstep::detail

// The section is where libFuzzer looks for counters beside its own.
#define LOCKSTEP_FUZZ(suite, name)                                                                  \
  class GTEST_TEST_CLASS_NAME_(suite, name);                                                        \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {              \
    [[gnu::section("__libfuzzer_extra_counters"), gnu::used]] static std::uint8_t counters[4096];   \
    static ::lockstep::detail::fuzz_target target(                                                  \
        ::lockstep::detail::plan_to_fuzz<GTEST_TEST_CLASS_NAME_(suite, name)>(), #suite "." #name); \
    target.run({bytes, size}, counters);                                                            \
    return 0;                                                                                       \
  }                                                                                                 \
  static_assert(true)
