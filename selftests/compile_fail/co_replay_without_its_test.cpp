// expect: CO_REPLAY stands behind the CO_TEST or CO_TEST_F of that name, in the same file and namespace
#include <lockstep/testing/testing.hpp>

CO_TEST(Cache, Coalesces) { co_await lockstep::yield(); }

CO_REPLAY(Cache, Coalesced, "ls1:7c41:plain:1@1>2:;");  // wrong
CO_REPLAY(Cache, Coalesces, "ls1:7c41:plain:1@1>2:;");
