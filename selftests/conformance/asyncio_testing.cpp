// What asyncio offers for tests, IsolatedAsyncioTestCase and AsyncMock, and what stands for it here.
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

class AsyncioTestCase : public testing::Test {
 protected:
  // NOLINTNEXTLINE(readability-identifier-naming): as GoogleTest names it
  task<void> CoSetUp() {
    co_await sleep_for(1s);
    log_ += "set-up ";
    background_ = spawn(sleep_through(), "background");
  }
  // NOLINTNEXTLINE(readability-identifier-naming)
  task<void> CoTearDown() {
    EXPECT_EQ(log_, "set-up body ");
    background_.cancel();
    try {
      co_await background_.join();
    } catch (const cancelled&) {
      log_ += "tear-down";
    }
    EXPECT_EQ(log_, "set-up body tear-down");
  }
  static task<void> sleep_through() { co_await sleep_for(1h); }

  std::string log_;
  join_handle<void> background_;
};

CO_TEST_F(AsyncioTestCase, AwaitsBeforeAndAfterTheBody) {
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_FALSE(background_.done()) << "what the set-up has spawned goes on";
  co_await sleep_for(1s);
  log_ += "body ";
}

CO_TEST_F(AsyncioTestCase, RunsEachTestInALoopOfItsOwn) {
  EXPECT_EQ(now(), time_point{1s}) << "the clock has begun again";
  EXPECT_EQ(log_, "set-up ") << "and so has the fixture";
  log_ += "body ";
  co_return;
}

CO_TEST(AsyncioTesting, WaitsForNoRealTime) {
  co_await sleep_for(24h * 30);
  EXPECT_EQ(now(), time_point{24h * 30});
}

CO_TEST(AsyncioTesting, MovesAPausedClockByHand, .clock = clock_mode::paused) {
  bool due = false;
  const auto alarm = [&]() -> task<void> {
    co_await sleep_for(1min);
    due = true;
  };
  auto set = spawn(alarm(), "alarm");
  co_await advance(59s);
  EXPECT_FALSE(due);
  co_await advance(1s);
  EXPECT_TRUE(due);
  co_await set.join();
}

class server {
 public:
  MOCK_METHOD(task<std::string>, fetch, (std::string path));
};

CO_TEST(AsyncioTesting, MocksAFunctionThatIsAwaited) {
  server of;
  EXPECT_CALL(of, fetch("/a")).Times(2).WillRepeatedly(CoReturn("hello"));
  EXPECT_CALL(of, fetch("/slow")).WillOnce(CoDelay(3s, CoReturn("at last")));
  EXPECT_EQ(co_await of.fetch("/a"), "hello");
  EXPECT_EQ(co_await of.fetch("/a"), "hello");
  EXPECT_EQ(co_await of.fetch("/slow"), "at last");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(AsyncioTesting, MocksAnErrorAndASequence) {
  server of;
  const auto echo = [](const std::string& path) -> task<std::string> {
    co_await yield();
    co_return "you asked for " + path;
  };
  EXPECT_CALL(of, fetch("/a"))
      .WillOnce(CoThrow(std::runtime_error("refused")))
      .WillOnce(CoReturn("hello"))
      .WillOnce(CoInvoke(echo));
  EXPECT_THROW(co_await of.fetch("/a"), std::runtime_error);
  EXPECT_EQ(co_await of.fetch("/a"), "hello");
  EXPECT_EQ(co_await of.fetch("/a"), "you asked for /a");
}

TEST(AsyncioTesting, NoticesACallThatIsNotAwaited) {
  server of;
  EXPECT_CALL(of, fetch("/a")).WillOnce(CoReturn("hello"));
  const auto main = [&]() -> task<void> {
    { const task<std::string> forgotten = of.fetch("/a"); }
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), testing::ElementsAre(verdict_kind::unawaited_task));
}

}  // namespace
}  // namespace lockstep
