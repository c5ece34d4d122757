// Tests that are explored: what is found is told, and what is proven. Run by exploration_test.cpp.
#include <lockstep/testing/testing.hpp>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

struct tally {
  shared<int> votes{0, "votes"};
  mutex log{"log"};

  task<void> vote() {
    const int seen = votes;
    { const mutex_guard entry = co_await log.lock(); }
    votes = seen + 1;
  }
};

CO_TEST(Explored, LosesAVote, explore()) {
  tally all;
  co_await when_all(all.vote(), all.vote());
  EXPECT_EQ(all.votes, 2);
}

// Without options of its own.
CO_TEST(Explored, LosesAVoteWhenItIsAskedFor) {
  tally all;
  co_await when_all(all.vote(), all.vote());
  EXPECT_EQ(all.votes, 2);
}

CO_TEST(Explored, CountsUnderItsLock, explore()) {
  tally all;
  const auto vote = [](tally& of) -> task<void> {
    const mutex_guard entry = co_await of.log.lock();
    of.votes += 1;
  };
  co_await when_all(vote(all), vote(all), vote(all));
  EXPECT_EQ(all.votes, 3);
}

CO_TEST(Explored, CountsWhatIsDeclared, explore({}, {.all_shared_declared = true})) {
  tally all;
  tally others;
  const auto vote = [](tally& of) -> task<void> {
    const mutex_guard entry = co_await of.log.lock();
    of.votes += 1;
  };
  co_await when_all(vote(all), vote(all), vote(others), vote(others));
  EXPECT_EQ(all.votes, 2);
}

CO_TEST(Explored, FailsInThePlainRun, explore()) {
  tally all;
  co_await all.vote();
  EXPECT_EQ(all.votes, 2);
}

CO_TEST(Explored, TimersOfOneInstant, explore(1'000, {.order = ordering::fifo})) {
  shared<int> last{0, "last"};
  const auto note = [](shared<int>& into, int who) -> task<void> {
    co_await sleep_for(1s);
    into = who;
  };
  co_await when_all(note(last, 1), note(last, 2));
  EXPECT_EQ(last, 2);
}

// Fails before the step is made that it should have waited for.
CO_TEST(Explored, AsksTooEarly, explore()) {
  shared<bool> ready{false, "ready"};
  const auto prepare = [](shared<bool>& done) -> task<void> {
    for (int i = 0; i < 2; ++i) co_await yield();
    done = true;
  };
  auto preparing = spawn(prepare(ready), "preparing");
  for (int i = 0; i < 3; ++i) co_await yield();
  CO_ASSERT_TRUE(ready);
  co_await preparing.join();
}

// Fails for a value alone.
CO_TEST(Explored, DrawsTheWrongValue, explore()) {
  const int value = any_int("value", 0, 3);
  co_await yield();
  EXPECT_NE(value, 2);
}

// Whether it fails depends on both, an amount and an order.
CO_TEST(Explored, SpendsWhatWasDrawn, explore()) {
  shared<int> balance{10, "balance"};
  const auto spend = [](shared<int>& from) -> task<void> {
    const int amount = any_int("amount", 0, 9);
    if (from < amount) co_return;
    co_await yield();
    from -= amount;
  };
  co_await when_all(spend(balance), spend(balance));
  EXPECT_GE(balance, 0);
}

// What is tested needs the second to come first.
task<std::string> order_of_two() {
  std::string order;
  const auto note = [](std::string& into, char who) -> task<void> {
    into += who;
    co_return;
  };
  co_await when_all(note(order, 'a'), note(order, 'b'));
  co_return order;
}
CO_TEST(Explored, SkipsThePlainOrder, explore()) {
  const std::string order = co_await order_of_two();
  if (order == "ab") CO_SKIP() << "not in this order";
}
CO_TEST(Explored, SkipsThePlainOrderAndFails, explore()) {
  const std::string order = co_await order_of_two();
  if (order == "ab") CO_SKIP() << "not in this order";
  CO_FAIL() << "in the other";
}
CO_TEST(Explored, SkipsEveryOrder, explore()) {
  co_await order_of_two();
  CO_SKIP() << "not on this machine";
}

// Where both have come, which is taken is a choice of its own.
CO_TEST(Explored, LeavesALetterBehind, explore()) {
  queue<int> letters(2, "letters");
  event stop("stop");
  const auto post = [](queue<int>& into, event& last) -> task<void> {
    co_await into.put(1);
    last.set();
  };
  auto posting = spawn(post(letters, stop), "posting");
  int read = 0;
  while ((co_await select(letters.get(), stop.wait())).index == 0) ++read;
  co_await posting.join();
  EXPECT_EQ(read, 1);
}

CO_TEST(Explored, FailsByAFaultPoint, explore()) {
  const bool fails = buggify("cache: full", 20);
  co_await yield();
  EXPECT_FALSE(fails);
}

// So late that not each step of it is looked at.
CO_TEST(Explored, FailsLate, explore(200)) {
  bool first = false;
  const auto come_first = [&]() -> task<void> {
    first = true;
    co_return;
  };
  const auto come_second = [&]() -> task<void> {
    if (first) co_return;
    for (int i = 0; i < 21'000; ++i) co_await yield();
    CO_FAIL() << "late";
  };
  co_await when_all(come_first(), come_second());
}

}  // namespace
}  // namespace lockstep
