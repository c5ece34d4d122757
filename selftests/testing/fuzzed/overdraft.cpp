// What libFuzzer is to find: an overdraft that needs one order of many, and an amount of a narrow range.
#include "../overdraft.hpp"

#include <lockstep/testing/fuzz.hpp>
#include <lockstep/testing/testing.hpp>

namespace lockstep {
namespace {

CO_TEST(Fuzzed, Overdraft) { co_await withdraw_twice(any_int("amount", 0, 255)); }
LOCKSTEP_FUZZ(Fuzzed, Overdraft);

}  // namespace
}  // namespace lockstep
