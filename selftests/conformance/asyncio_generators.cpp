// What Python's asynchronous generators and asyncio's hooks for them guarantee, and where we differ on purpose.
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

task<void> append_after(duration length, std::string& log, std::string text) {
  co_await sleep_for(length);
  log += text;
}

// As `try: … finally: await asyncio.sleep(1); log += "closed "`.
async_generator<int> numbers(std::string& log, int last, duration pause = {}) {
  on_close([&log] { return append_after(1s, log, "closed "); });
  for (int i = 1; i <= last; ++i) {
    if (pause != duration{}) co_await sleep_for(pause);
    log += std::to_string(i) + " ";
    co_yield i;
  }
}

CO_TEST(AsyncioGenerators, NothingRunsBeforeTheFirstNext) {
  std::string log;
  auto items = numbers(log, 2);
  co_await sleep_for(1s);
  EXPECT_EQ(log, "");
  EXPECT_EQ(*co_await items.next(), 1);
  EXPECT_EQ(log, "1 ");
  co_await items.close();
}

CO_TEST(AsyncioGenerators, TheBodyStopsAtEachYieldUntilTheNextIsAskedFor) {
  std::string log;
  auto items = numbers(log, 3);
  while (const int* item = co_await items.next()) log += "got " + std::to_string(*item) + " ";
  EXPECT_EQ(log, "1 got 1 2 got 2 3 got 3 closed ");
}

CO_TEST(AsyncioGenerators, OnceExhaustedItStaysSo) {
  std::string log;
  auto items = numbers(log, 0);
  EXPECT_EQ(co_await items.next(), nullptr);
  EXPECT_EQ(co_await items.next(), nullptr);
  EXPECT_EQ(log, "closed ");
}

CO_TEST(AsyncioGenerators, AnExceptionInTheBodyLeavesThroughNextAndExhaustsIt) {
  std::string log;
  const auto failing = [&log]() -> async_generator<int> {
    on_close([&log] { return append_after(1s, log, "closed "); });
    co_yield 1;
    throw std::runtime_error("disk full");
  };
  auto items = failing();
  co_await items.next();
  EXPECT_THROW(co_await items.next(), std::runtime_error);
  EXPECT_EQ(log, "closed ") << "finally has been awaited before";
  EXPECT_EQ(co_await items.next(), nullptr);
}

CO_TEST(AsyncioGenerators, CancellingTheConsumerIsDeliveredAtTheAwaitInTheBody) {
  std::string log;
  const auto consume = [&]() -> task<void> {
    auto items = numbers(log, 3, 10s);
    co_await items.next();
    co_await items.next();
  };
  auto consumer = spawn(consume());
  co_await sleep_for(15s);
  consumer.cancel();
  EXPECT_THROW(co_await consumer.join(), cancelled);
  EXPECT_EQ(log, "1 closed ");
  EXPECT_EQ(now(), time_point{16s});
}

CO_TEST(AsyncioGenerators, AcloseRunsWhatIsInFinallyAndDoesNothingTheSecondTime) {
  std::string log;
  auto items = numbers(log, 3);
  co_await items.next();
  co_await items.close();
  co_await items.close();
  EXPECT_EQ(log, "1 closed ");
  EXPECT_EQ(co_await items.next(), nullptr);
}

CO_TEST(AsyncioGenerators, AcloseOfOneThatHasNotBegunRunsNothing) {
  std::string log;
  auto items = numbers(log, 3);
  co_await items.close();
  EXPECT_EQ(log, "");
  EXPECT_EQ(co_await items.next(), nullptr);
}

// RuntimeError: anext(): asynchronous generator is already running.
TEST(AsyncioGenerators, ASecondNextWhileOneIsUnderWayIsAnError) {
  const auto main = []() -> task<void> {
    std::string log;
    auto items = numbers(log, 3, 1s);
    const auto ask = [&]() -> task<void> { co_await items.next(); };
    auto other = spawn(ask());
    co_await settle();
    EXPECT_THROW(co_await items.next(), misuse);
    EXPECT_THROW(co_await items.close(), misuse);
    co_await other.join();
    EXPECT_EQ(*co_await items.next(), 2) << "the one under way was not disturbed";
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::misuse));
}

// The loop's hook makes a task of aclose() when the garbage collector finds one.
CO_TEST(AsyncioGenerators, OneThatIsAbandonedIsClosedByTheLoopSoonAfter) {
  std::string log;
  const auto first_of = [&]() -> task<int> {
    auto items = numbers(log, 3);
    co_return *co_await items.next();
  };
  EXPECT_EQ(co_await first_of(), 1);
  EXPECT_EQ(log, "1 ") << "nobody waits for it";
  co_await sleep_for(2s);
  EXPECT_EQ(log, "1 closed ");
}

// loop.shutdown_asyncgens(), which asyncio.run() awaits.
TEST(AsyncioGenerators, TheRunEndsWhenAllThatWereAbandonedAreClosed) {
  std::string log;
  const auto main = [&]() -> task<void> {
    auto items = numbers(log, 3);
    co_await items.next();
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(log, "1 closed ");
}

// "an error occurred during closing of asynchronous generator", given to the exception handler.
TEST(AsyncioGenerators, AnErrorWhileAnAbandonedOneIsClosedIsReported) {
  const auto fail = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("no goodbye");
  };
  const auto failing = [&]() -> async_generator<int> {
    on_close(fail);
    co_yield 1;
  };
  const auto main = [&]() -> task<void> {
    auto items = failing();
    co_await items.next();
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::unhandled_exception));
  EXPECT_THAT(run.messages(), testing::HasSubstr("no goodbye"));
}

CO_TEST(AsyncioGenerators, ANestedOneIsClosedAfterTheOneThatUsedIt) {
  std::string log;
  const auto outer = [](std::string& into) -> async_generator<int> {
    on_close([&into] { return append_after(1s, into, "outer "); });
    auto inner = numbers(into, 3);
    while (const int* item = co_await inner.next()) co_yield int{*item};
  };
  {
    auto items = outer(log);
    co_await items.next();
  }
  co_await sleep_for(3s);
  EXPECT_EQ(log.size(), std::string("1 outer closed ").size());
  EXPECT_THAT(log, testing::AllOf(testing::HasSubstr("outer "), testing::HasSubstr("closed ")));
}

// asyncio: a `finally` that awaits is interrupted by the next cancellation.
CO_TEST(AsyncioGenerators, UnlikeFinallyACleanUpIsNotInterruptedByACancellation) {
  std::string log;
  const auto consume = [&]() -> task<void> {
    auto items = numbers(log, 3, 10s);
    co_await items.next();
  };
  auto consumer = spawn(consume());
  co_await sleep_for(1s);
  consumer.cancel();
  co_await sleep_for(100ms);
  consumer.cancel();
  EXPECT_THROW(co_await consumer.join(), cancelled);
  EXPECT_EQ(log, "closed ");
}

// asyncio: locals live until the generator has been closed. Here they go at once, as the scope that they may point to
// does, and the clean-up owns what it needs.
CO_TEST(AsyncioGenerators, UnlikeFinallyACleanUpRunsWhenTheLocalsAreGone) {
  std::string log;
  struct local {
    std::string& in;
    explicit local(std::string& into) : in(into) {}
    local(const local&) = delete;
    local& operator=(const local&) = delete;
    ~local() { in += "local "; }
  };
  const auto with_local = [](std::string& into) -> async_generator<int> {
    on_close([&into] { return append_after(1s, into, "closed "); });
    const local own(into);
    co_yield 1;
  };
  {
    auto items = with_local(log);
    co_await items.next();
  }
  EXPECT_EQ(log, "local ");
  co_await sleep_for(2s);
  EXPECT_EQ(log, "local closed ");
}

// Whoever is cancelled, and whenever: what is opened is closed, once.
TEST(AsyncioGenerators, EachIsClosedOnceInAnyOrder) {
  for (int distance = 0; distance < 6; ++distance) {
    std::multiset<int> open;
    int closed = 0;
    const auto make = [&open, &closed, distance]() -> task<void> {
      open.clear();
      closed = 0;
      queue<int> items;
      const auto close = [](std::multiset<int>& all, int& count, int who) -> task<void> {
        co_await yield();
        all.erase(all.find(who));
        ++count;
      };
      const auto subscribe = [&](int who) -> async_generator<int> {
        open.insert(who);
        on_close([&open, &closed, close, who] { return close(open, closed, who); });
        for (;;) co_yield co_await items.get();
      };
      const auto consume = [&](int who) -> task<void> {
        auto mine = subscribe(who);
        for (int i = 0; i < 2; ++i) co_await mine.next();
        if (who == 0) co_await mine.close();
      };
      std::vector<join_handle<void>> consumers;
      for (int who = 0; who < 3; ++who) consumers.push_back(spawn(consume(who)));
      for (int i = 0; i < 3; ++i) co_await items.put(i);
      for (int i = 0; i < distance; ++i) co_await yield();
      consumers[0].cancel();
      consumers[1].cancel();
      co_await was_cancelled(consumers[0]);
      co_await was_cancelled(consumers[1]);
      for (int i = 0; i < 6; ++i) items.try_put(i);
      co_await consumers[2].join();
      const std::size_t begun = open.size() + static_cast<std::size_t>(closed);
      co_await sleep_for(1s);
      EXPECT_TRUE(open.empty());
      EXPECT_EQ(static_cast<std::size_t>(closed), begun);
    };
    under_every_schedule(make);
  }
}

}  // namespace
}  // namespace lockstep
