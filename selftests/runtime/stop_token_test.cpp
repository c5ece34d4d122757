#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <string>

#ifdef __cpp_lib_jthread

namespace lockstep {
namespace {

using namespace std::chrono_literals;

task<std::string> reason_of(task<int> work) {
  try {
    co_await std::move(work);
    co_return "none";
  } catch (const cancelled& why) {
    co_return std::string(why.reason());
  }
}

// -- from a token to a cancellation -----------------------------------------------------------------------------------

CO_TEST(StopTokenTest, ItsTaskIsSpawnedAtTheLineOfTheCaller) {
  source seen;
  const auto look = [&]() -> task<void> {
    seen = current_task().spawned_at();
    co_return;
  };
  const auto line = source::current().line() + 1;
  co_await with_stop_token(std::stop_token(), look());
  EXPECT_EQ(seen.line(), line);
  EXPECT_EQ(file_of(seen), "stop_token_test.cpp");
}

CO_TEST(StopTokenTest, StoppingATokenCancelsTheWork) {
  std::stop_source source;
  auto handle = spawn(reason_of(with_stop_token(source.get_token(), value_after(1h, 1))));
  co_await sleep_for(1s);
  source.request_stop();
  EXPECT_EQ(co_await handle.join(), "stop requested");
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ(handle.get().cancelling(), 0u) << "only the work was cancelled";
}

CO_TEST(StopTokenTest, WorkThatIsDoneBeforeReturnsItsResult) {
  std::stop_source source;
  EXPECT_EQ(co_await with_stop_token(source.get_token(), value_after(1s, 7)), 7);
  source.request_stop();  // nobody listens any more
  co_await sleep_for(1s);
}

CO_TEST(StopTokenTest, ATokenThatIsStoppedAlreadyKeepsTheWorkFromStarting) {
  std::stop_source source;
  source.request_stop();
  bool started = false;
  const auto work = [&]() -> task<int> {
    started = true;
    co_return 1;
  };
  EXPECT_EQ(co_await reason_of(with_stop_token(source.get_token(), work())), "stop requested");
  EXPECT_FALSE(started);
}

CO_TEST(StopTokenTest, ATokenWithoutASourceNeverStops) {
  EXPECT_EQ(co_await with_stop_token(std::stop_token(), value_after(1s, 7)), 7);
}

CO_TEST(StopTokenTest, TheWorkCleansUpBeforeTheCallerGoesOn) {
  std::stop_source source;
  bool clean = false;
  const auto work = [&]() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_await shield(value_after(2s, 0));
    clean = true;
    throw cancelled("done");
  };
  auto handle = spawn(with_stop_token(source.get_token(), work()));
  co_await settle();
  source.request_stop();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_TRUE(clean);
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(StopTokenTest, CancellingTheCallerCancelsTheWork) {
  std::stop_source source;
  bool cancelled_inside = false;
  const auto work = [&]() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      cancelled_inside = true;
      throw;
    }
    co_return 0;
  };
  auto handle = spawn(with_stop_token(source.get_token(), work()));
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_TRUE(cancelled_inside);
  EXPECT_FALSE(source.stop_requested());
}

// -- from a cancellation to a token -----------------------------------------------------------------------------------

CO_TEST(StopTokenTest, CancellingATaskStopsItsToken) {
  std::stop_token token;
  bool told = false;
  const auto work = [&]() -> task<void> {
    token = current_stop_token();
    const std::stop_callback listener(token, [&told] { told = true; });
    co_await wait_for_ever();
  };
  auto handle = spawn(work());
  co_await settle();
  EXPECT_TRUE(token.stop_possible());
  EXPECT_FALSE(token.stop_requested());
  handle.cancel();
  EXPECT_TRUE(told) << "at once, not when the task runs again";
  EXPECT_TRUE(token.stop_requested());
  EXPECT_THROW(co_await handle.join(), cancelled);
}

CO_TEST(StopTokenTest, ATokenTakenAfterTheRequestIsStoppedAlready) {
  bool stopped = false;
  const auto work = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      stopped = current_stop_token().stop_requested();
      throw;
    }
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_TRUE(stopped);
}

CO_TEST(StopTokenTest, ATokenTakenAfterTheRequestWasTakenBackIsNotStopped) {
  const std::stop_token before = current_stop_token();
  EXPECT_THROW(co_await with_timeout(1s, wait_for_ever()), timed_out);
  EXPECT_TRUE(before.stop_requested());
  EXPECT_FALSE(current_stop_token().stop_requested());
}

CO_TEST(StopTokenTest, AShieldKeepsTheRequestFromTheTokensWithinIt) {
  std::stop_token outside;
  std::stop_token inside;
  const auto shielded = [&]() -> task<void> {
    inside = current_stop_token();
    co_await sleep_for(2s);
    EXPECT_FALSE(inside.stop_requested());
    EXPECT_FALSE(outside.stop_requested());
  };
  const auto work = [&]() -> task<void> {
    outside = current_stop_token();
    co_await shield(shielded());
    EXPECT_TRUE(outside.stop_requested());
    EXPECT_FALSE(inside.stop_requested());
    EXPECT_TRUE(current_stop_token().stop_requested());
  };
  auto handle = spawn(work());
  co_await sleep_for(1s);
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled) << "the request was still there when it returned";
}

CO_TEST(StopTokenTest, WhatItCallsMayTakeTheRequestBack) {
  const auto goes_on = []() -> task<int> {
    const std::stop_callback refuse(current_stop_token(), [&me = current_task()] { me.uncancel(); });
    co_await sleep_for(1s);
    co_return 7;
  };
  auto stubborn = spawn(goes_on());
  co_await settle();
  EXPECT_TRUE(stubborn.cancel());
  EXPECT_EQ(co_await stubborn.join(), 7);
}

TEST(StopTokenTest, WhatItCallsMayDestroyTheTask) {
  const auto main = []() -> task<void> {
    join_handle<void> doomed;
    const auto work = [&]() -> task<void> {
      const std::stop_callback destroy(current_stop_token(), [&] { doomed = {}; });
      co_await wait_for_ever();
    };
    doomed = spawn(work());
    co_await settle();
    EXPECT_TRUE(doomed.get().cancel());
    EXPECT_FALSE(doomed.valid());
  };
  EXPECT_THAT(judge(main).kinds(), testing::ElementsAre(verdict_kind::dropped_handle));
}

CO_TEST(StopTokenTest, TokensOfTwoTasksAreTwo) {
  const std::stop_token mine = current_stop_token();
  const auto work = [&]() -> task<void> {
    EXPECT_NE(current_stop_token(), mine);
    EXPECT_EQ(current_stop_token(), current_stop_token());
    co_return;
  };
  auto handle = spawn(work());
  co_await handle.join();
  auto another = spawn(wait_for_ever());
  another.cancel();
  EXPECT_THROW(co_await another.join(), cancelled);
  EXPECT_FALSE(mine.stop_requested());
}

CO_TEST(StopTokenTest, BothWaysTogether) {
  std::string outcome;
  const auto inner = [&]() -> task<int> {
    auto handle = spawn(reason_of(with_stop_token(current_stop_token(), value_after(1h, 1))));
    outcome = co_await handle.join_shielded();
    co_return 0;
  };
  std::stop_source source;
  auto handle = spawn(with_stop_token(source.get_token(), inner()));
  co_await settle();
  source.request_stop();
  EXPECT_THROW(co_await handle.join(), cancelled);
}

TEST(StopTokenTest, NeedsATask) { EXPECT_THROW(current_stop_token(), misuse); }

}  // namespace
}  // namespace lockstep

#endif
