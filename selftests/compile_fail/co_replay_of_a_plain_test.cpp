// expect: CO_REPLAY replays a CO_TEST or CO_TEST_F; a TEST makes no choices that a token could hold
#include <lockstep/testing/testing.hpp>

TEST(Cache, IsEmpty) {}

CO_REPLAY(Cache, IsEmpty, "ls1:7c41:plain:1@1>2:;");  // wrong
