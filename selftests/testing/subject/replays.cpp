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

// As after an edit. The tokens are of runs whose first task was at the first mutex of main, and whose second began.
task<void> go_in(mutex& door) { auto entry = co_await door.lock(); }
task<void> yield_and_go_in(mutex& door) {
  co_await yield();
  co_await go_in(door);
}
CO_TEST(Replayed, YieldsBeforeTheStep) {
  mutex door;
  co_await when_all(yield_and_go_in(door), yield_and_go_in(door));
}
CO_REPLAY(Replayed, YieldsBeforeTheStep, "ls1:0acb:plain:1@2>2:2.12.0000.04c40028;");
// Of a run that ended its process, which has no trace.
CO_TEST(Replayed, YieldsBeforeTheCrash) {
  mutex door;
  co_await when_all(yield_and_go_in(door), yield_and_go_in(door));
}
CO_REPLAY(Replayed, YieldsBeforeTheCrash, "ls1:fbeb:plain:1@2>2:2.12..04c40028;");
CO_TEST(Replayed, HasAnotherDoorBefore) {
  mutex front;
  mutex door;
  co_await when_all(go_in(door), go_in(door));
}
CO_REPLAY(Replayed, HasAnotherDoorBefore, "ls1:97b8:plain:1@2>2:2.12.0000.04c40028;");
// Which is no failure.
CO_TEST(Replayed, SleepsBeforeThat) {
  mutex door;
  co_await sleep_for(std::chrono::seconds(1));
  co_await when_all(go_in(door), yield_and_go_in(door));
}
CO_REPLAY(Replayed, SleepsBeforeThat, "ls1:0ce3:plain:1@2>2:2.12.0000.04c40028;");

CO_TEST(Replayed, HasADamagedToken) { co_await yield(); }
CO_REPLAY(Replayed, HasADamagedToken, "ls1:1234:plain:");

CO_TEST(Replayed, HasATokenOfAnotherTest) { co_await yield(); }
CO_REPLAY(Replayed, HasATokenOfAnotherTest, "ls1:0000:plain::;");

}  // namespace
}  // namespace lockstep
