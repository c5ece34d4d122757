// Bugs that only brute force finds, each of which only one kind of it does, and their correct twins.
#include <lockstep/testing/failing_new.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

// Whether the victim has come to its end.
task<bool> survives(join_handle<void>& victim) {
  try {
    co_await victim.join();
  } catch (const cancelled&) {
    co_return false;
  }
  co_return true;
}

// -- cancel_every -----------------------------------------------------------------------------------------------------

// The permit is lost if the connection is cancelled.
task<void> send_and_release(semaphore& slots) {
  co_await slots.acquire();
  co_await sleep_for(1s);
  slots.release();
}
task<void> send(semaphore& slots) {
  co_await slots.acquire();
  const permit slot(slots);
  co_await sleep_for(1s);
}
task<void> cancel_one_of_two(task<void> (*use)(semaphore&)) {
  semaphore slots(1, "slots");
  auto rival = spawn(use(slots), "rival");
  auto victim = spawn(use(slots), "victim");
  put_under_test(victim);
  co_await survives(victim);
  co_await rival.join();
  EXPECT_EQ(slots.available(), 1u);
}

CO_TEST(BruteForce, FindsAPermitThatACancellationLoses, .cancel_every = true) {
  co_await cancel_one_of_two(send_and_release);
}
CO_TEST(BruteForce, LeavesAPermitAloneThatItsOwnerReleases, .cancel_every = true) { co_await cancel_one_of_two(send); }

// Each run is made as it is, once more to count its moments, and with each of three cancellations.
CO_TEST(Swept, FailsInTheThirdOfSeveralRuns, .runs = 3, .cancel_every = true) {
  static int bodies = 0;
  EXPECT_NE(++bodies, 5 + 5 + 2 + 2);
  co_await sleep_for(1s);
}

CO_TEST(BruteForce, FindsSwallowedCancellations, .cancel_every = true) {
  try {
    co_await sleep_for(1s);
  } catch (const cancelled&) {
  }
  co_await sleep_for(1s);
}

CO_TEST(BruteForce, FindsAnErrorThatIsNoCancellation, .cancel_every = true) {
  try {
    co_await sleep_for(1s);
  } catch (const cancelled&) {
    throw std::runtime_error("connection lost");
  }
}

CO_TEST(BruteForce, LeavesAConversionAloneThatTellsOfItsCause, .cancel_every = true) {
  try {
    co_await sleep_for(1s);
  } catch (const cancelled&) {
    std::throw_with_nested(std::runtime_error("connection lost"));
  }
}

class journal {
 public:
  MOCK_METHOD(void, write, (int line));
};
CO_TEST(BruteForce, ExpectsNoCallsOfWhatWasCutShort, .cancel_every = true, .destroy_every = true) {
  journal of;
  EXPECT_CALL(of, write(1));
  co_await sleep_for(1s);
  of.write(1);
}

// -- fail_alloc_every -------------------------------------------------------------------------------------------------

struct stock {
  std::vector<std::string> store{std::string(100, 'a')};
  std::vector<std::string> window;

  void show_first() {
    std::string item = std::move(store.back());
    store.pop_back();
    window.push_back(std::move(item));
  }
  void show_first_if_there_is_room() {
    window.reserve(window.size() + 1);
    window.push_back(std::move(store.back()));
    store.pop_back();
  }
};
task<void> show(stock& of, void (stock::*move)()) {
  co_await yield();
  try {
    (of.*move)();
  } catch (const std::bad_alloc&) {
  }
  EXPECT_EQ(of.store.size() + of.window.size(), 1u);
}

CO_TEST(BruteForce, FindsAnItemThatAFailingAllocationLoses, .cancel_every = true, .fail_alloc_every = true) {
  stock of;
  co_await show(of, &stock::show_first);
}
CO_TEST(BruteForce, LeavesAnItemAloneThatIsMovedIntoItsPlace, .cancel_every = true, .fail_alloc_every = true) {
  stock of;
  co_await show(of, &stock::show_first_if_there_is_room);
}

// -- destroy_every ----------------------------------------------------------------------------------------------------

class Connections : public testing::Test {
 protected:
  // It is closed when something is thrown; but frames may be destroyed without that.
  task<void> talk() {
    ++open_;
    try {
      co_await sleep_for(1s);
    } catch (...) {
      --open_;
      throw;
    }
    --open_;
  }
  task<void> talk_within_a_scope() {
    struct scope {
      int& open;
      explicit scope(int& of) : open(of) { ++open; }
      ~scope() { --open; }
    };
    const scope connected(open_);
    co_await sleep_for(1s);
  }

  int open_ = 0;
  const quiesce_check few_are_open_{[this] { EXPECT_LE(open_, 1); }};
  void TearDown() override { EXPECT_EQ(open_, 0); }
};

CO_TEST_F(Connections, OneOutlivesItsWorld, .cancel_every = true, .destroy_every = true) { co_await talk(); }
CO_TEST_F(Connections, EndWithTheirScope, .cancel_every = true, .destroy_every = true) {
  co_await talk_within_a_scope();
}

// -- limits -----------------------------------------------------------------------------------------------------------

CO_TEST(BruteForce, IsSpreadOverWhatItMayNotCover, .cancel_every = true, .destroy_every = true, .sweep_max = 10) {
  for (int i = 0; i < 50; ++i) co_await yield();
}

// -- checks of what holds when all is quiet ---------------------------------------------------------------------------

CO_TEST(Quiesce, FindsBooksThatDoNotBalance) {
  int sent = 0;
  int received = 0;
  const quiesce_check balanced([&] { EXPECT_EQ(sent, received); });
  for (int i = 0; i < 3; ++i) {
    ++sent;
    if (i != 1) ++received;
    co_await sleep_for(1s);
  }
}

CO_TEST(Quiesce, LooksNotWhileSomethingIsReady) {
  int sent = 0;
  int received = 0;
  const quiesce_check balanced([&] { EXPECT_EQ(sent, received); });
  ++sent;
  for (int i = 0; i < 10; ++i) co_await yield();
  ++received;
  co_await sleep_for(1s);
}

CO_TEST(Quiesce, EndsTheRunByACoAssert) {
  const quiesce_check never([] { CO_ASSERT_TRUE(false) << "not in time"; });
  co_await sleep_for(1s);
  ADD_FAILURE() << "it went on";
}

CO_TEST(Quiesce, MayThrow) {
  const quiesce_check sound([] { throw std::runtime_error("no such book"); });
  co_await sleep_for(1s);
}

class Ledger : public testing::Test {
 protected:
  int open_ = 0;
  const quiesce_check closed_{[this] { EXPECT_EQ(open_, 0); }};
};
CO_TEST_F(Ledger, IsLookedAtWhenAllHasEnded) {
  ++open_;
  co_return;
}

// -- what outlives a tear-down
// ------------------------------------------------------------------------------------------

class Slots : public testing::Test {
 protected:
  // No cancellation loses it, but a frame may be destroyed without that.
  task<void> use_and_release() {
    co_await slots_.acquire();
    const visit here{used_};
    try {
      co_await sleep_for(1s);
    } catch (const cancelled&) {
      slots_.release();
      throw;
    }
    slots_.release();
  }
  task<void> use_with_a_permit() {
    const permit slot = co_await slots_.acquire_permit();
    const visit here{used_};
    co_await sleep_for(1s);
  }

 private:
  struct visit {
    std::uint64_t& used;
    explicit visit(std::uint64_t& of) : used(of) { ++used; }
    ~visit() { --used; }
  };

  semaphore slots_{2, "slots"};
  std::uint64_t used_ = 0;
  const quiesce_check none_is_lost_{[this] { EXPECT_EQ(slots_.available() + used_, 2u); }};
};

CO_TEST_F(Slots, AreLostWithTheirTask, .cancel_every = true, .destroy_every = true) {
  co_await when_all(use_and_release(), use_and_release());
}
CO_TEST_F(Slots, GoBackWithTheirPermit, .cancel_every = true, .destroy_every = true) {
  co_await when_all(use_with_a_permit(), use_with_a_permit());
}

}  // namespace
}  // namespace lockstep
