// Tests of which a run is replayed that fails, or cannot be made any more.
#include "../overdraft.hpp"

#include <lockstep/testing/testing.hpp>

namespace lockstep {
namespace {

CO_TEST(Replayed, Overdraws) { co_await withdraw_twice(80); }
CO_REPLAY(Replayed, Overdraws, "ls1:e671:plain:1@2>2:;");

CO_TEST(Replayed, HasNoSuchStep) { co_await withdraw_twice(10); }
CO_REPLAY(Replayed, HasNoSuchStep, "ls1:9895:plain:1@7>2:;");

CO_TEST(Replayed, HasNoSuchTask) { co_await withdraw_twice(10); }
CO_REPLAY(Replayed, HasNoSuchTask, "ls1:a226:plain:main@2>5:;");

CO_TEST(Replayed, HasNoSuchValue) { co_await withdraw_twice(any_int("amount", 1, 9)); }
CO_REPLAY(Replayed, HasNoSuchValue, "ls1:d589:plain:amount#1=3,amount#2=4:;");

CO_TEST(Replayed, HasNoSuchMoment) {
  co_await yield();
  co_await yield();
}
CO_REPLAY(Replayed, HasNoSuchMoment, "ls1:1269:plain:cancel@99:;");

CO_TEST(Replayed, FailsBeforeTheStep) {
  auto other = spawn(withdraw_twice(10));
  co_await other.join();
  CO_ASSERT_EQ(1, 2);
}
CO_REPLAY(Replayed, FailsBeforeTheStep, "ls1:f1ed:plain:1@70>1.2:;");

CO_TEST(Replayed, HasADamagedToken) { co_await yield(); }
CO_REPLAY(Replayed, HasADamagedToken, "ls1:1234:plain:");

CO_TEST(Replayed, HasATokenOfAnotherTest) { co_await yield(); }
CO_REPLAY(Replayed, HasATokenOfAnotherTest, "ls1:0000:plain::;");

}  // namespace
}  // namespace lockstep
