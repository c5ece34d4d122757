// expect: CO_REPLAY has no parameter for a CO_TEST_P; write a CO_TEST_F that sets what the parameter says
#include <lockstep/testing/testing.hpp>

class Sizes : public testing::TestWithParam<int> {};

CO_TEST_P(Sizes, Fit) { co_await lockstep::yield(); }

CO_REPLAY(Sizes, Fit, "ls1:7c41:plain:1@1>2:;");  // wrong
