// Waits for one of several things: that nothing ends, whose objects die, and that lose what they did not choose.
#include "planted.hpp"

#include <memory>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- deadlocks --------------------------------------------------------------------------------------------------------

// Two peers, each of which listens on both lines. Nobody speaks first.
task<void> talk(channel<int>& from, channel<int>& other, channel<int>& to, bool begins) {
  const local mine;
  if (begins) co_await to.send(1);
  const auto heard = co_await select(from.receive(), other.receive());
  if (!begins) co_await to.send(std::get<0>(heard.value) + 1);
}

task<void> talks(bool somebody_begins) {
  channel<int> up("up");
  channel<int> down("down");
  channel<int> alarm("alarm");
  auto left = spawn(talk(up, alarm, down, somebody_begins), "left");
  auto right = spawn(talk(down, alarm, up, false), "right");
  co_await left.join();
  co_await right.join();
}

TEST(SelectBugs, EverybodyListensOnSeveralChannels) {
  EXPECT_TRUE(caught({verdict_kind::deadlock,
                      "every task waits",
                      {},
                      {"left: select(receive from channel \"up\", receive from channel \"alarm\")",
                       "right: select(receive from channel \"down\", receive from channel \"alarm\")"}},
                     [] { return talks(false); }));
  EXPECT_TRUE(silent([] { return talks(true); }));
}

// Each holds what the other one selects, and nothing else: a cycle, though main goes on.
task<void> take_both(mutex& first, mutex& second, event* give_up) {
  const local mine;
  const mutex_guard one = co_await first.lock();
  co_await sleep_for(1s);
  if (give_up != nullptr) {
    static_cast<void>(co_await select(second.lock(), give_up->wait()));
  } else {
    static_cast<void>(co_await select(second.lock()));
  }
}

task<void> locks_out(bool may_give_up) {
  mutex tx("tx");
  mutex rx("rx");
  event enough("enough");
  auto reader = spawn(take_both(rx, tx, may_give_up ? &enough : nullptr), "reader");
  auto writer = spawn(take_both(tx, rx, may_give_up ? &enough : nullptr), "writer");
  co_await sleep_for(1h);
  enough.set();
  co_await reader.join();
  co_await writer.join();
}

TEST(SelectBugs, ACycleThroughSelects) {
  EXPECT_TRUE(caught({verdict_kind::deadlock,
                      "every task waits",
                      {},
                      {"reader: select(mutex \"tx\") held by writer", "writer: select(mutex \"rx\") held by reader"}},
                     [] { return locks_out(false); }));
  EXPECT_TRUE(silent([] { return locks_out(true); }));
}

// -- objects that die -------------------------------------------------------------------------------------------------

task<void> wait_for_either(event& stop, queue<int>& letters) {
  const local mine;
  co_await select(stop.wait(), letters.get());
}

task<void> loses_an_arm(bool too_early) {
  const local mine;
  event stop("stop");
  auto letters = std::make_unique<queue<int>>(1, label("letters"));
  auto reader = spawn(wait_for_either(stop, *letters), "reader");
  co_await sleep_for(1s);
  if (too_early) letters.reset();
  stop.set();
  co_await reader.join();
}

TEST(SelectBugs, AnArmWhoseObjectDies) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "the queue \"letters\" died while task \"reader\" waits for it"},
                     [] { return loses_an_arm(true); }));
  EXPECT_TRUE(silent([] { return loses_an_arm(false); }));
}

// -- arms that are used twice -----------------------------------------------------------------------------------------

task<void> selects_twice(bool kept) {
  queue<int> letters(1, "letters");
  event stop("stop");
  letters.try_put(1);
  auto got = letters.get();
  static_cast<void>(co_await select(got, stop.wait()));
  letters.try_put(2);
  if (kept) {
    static_cast<void>(co_await select(got, stop.wait()));  // it has happened
  } else {
    static_cast<void>(co_await select(letters.get(), stop.wait()));
  }
}

TEST(SelectBugs, AnArmThatHasHappened) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "select() of an operation that was awaited before, or is given twice"},
                     [] { return selects_twice(true); }));
  EXPECT_TRUE(silent([] { return selects_twice(false); }));
}

// -- written by hand --------------------------------------------------------------------------------------------------

task<int> take_from(queue<int>& from) {
  const local mine;
  co_return co_await from.get();
}

task<void> put_in_each(queue<int>& one, queue<int>& other) {
  const local mine;
  co_await one.put(1);
  co_await other.put(1);
}

// A race of tasks takes from both if both have something before the loser is cancelled, and keeps one.
task<void> counts_letters(bool by_hand) {
  const local mine;
  queue<int> left(1, "left");
  queue<int> right(1, "right");
  auto writer = spawn(put_in_each(left, right), "writer");
  int seen = 0;
  if (by_hand) {
    seen += std::visit([](int letter) { return letter; }, (co_await when_any(take_from(left), take_from(right))).value);
  } else {
    const auto first = co_await select(left.get(), right.get());
    seen += std::visit([](int letter) { return letter; }, first.value);
  }
  co_await writer.join();
  for (queue<int>* each : {&left, &right}) seen += each->try_get().value_or(0);
  require(seen == 2, "a letter is lost");
}

TEST(SelectBugs, ARaceOfTasksThatLosesAnItem) {
  EXPECT_TRUE(caught(race("a letter is lost", finds::in_some_order), [] { return counts_letters(true); }));
  EXPECT_TRUE(silent([] { return counts_letters(false); }));
}

// Whoever must stop at once must not hope that the first arm has precedence.
task<void> work_until_told(event& stop, queue<int>& jobs, bool asks_first) {
  const local mine;
  for (;;) {
    if (asks_first && stop.is_set()) co_return;
    const auto first = co_await select(stop.wait(), jobs.get());
    if (first.index == 0) co_return;
    require(!stop.is_set() || asks_first, "a job was begun after the stop");
  }
}

task<void> stops_a_worker(bool asks_first) {
  const local mine;
  event stop("stop");
  queue<int> jobs(queue<int>::unbounded, "jobs");
  for (int i = 0; i < 3; ++i) jobs.try_put(i);
  stop.set();
  auto worker = spawn(work_until_told(stop, jobs, asks_first), "worker");
  co_await worker.join();
}

TEST(SelectBugs, APrecedenceThatIsOnlyHopedFor) {
  EXPECT_TRUE(caught(race("a job was begun after the stop", finds::random), [] { return stops_a_worker(false); }));
  EXPECT_TRUE(silent([] { return stops_a_worker(true); }));
}

}  // namespace
}  // namespace lockstep::planted
