// Races between a check and what was checked.
#include "planted.hpp"

#include <set>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- an account checked before an await and debited after it ----------------------------------------------------------

struct account {
  int balance = 100;
  mutex audit{"audit"};
  mutex entry{"entry"};
};

task<void> withdraw(account& of, int amount) {
  const local mine;
  if (of.balance < amount) co_return;
  { const auto held = co_await of.audit.lock(); }
  of.balance -= amount;
}

task<void> withdraw_in_turn(account& of, int amount) {
  const auto held = co_await of.entry.lock();
  co_await withdraw(of, amount);
}

template <class Withdraw>
task<void> withdraws_twice(Withdraw withdraw_from) {
  account a;
  auto first = withdraw_from(a, 80);
  auto second = withdraw_from(a, 80);
  co_await both(std::move(first), std::move(second));
  require(a.balance >= 0, "overdrawn");
}

TEST(RaceBugs, AnAccountCheckedBeforeAnAwait) {
  EXPECT_TRUE(caught(race("overdrawn", finds::round_robin_and_random), [] { return withdraws_twice(withdraw); }));
  EXPECT_TRUE(silent([] { return withdraws_twice(withdraw_in_turn); }));
}

// -- files and connections --------------------------------------------------------------------------------------------

struct disk {
  std::set<std::string> folders;
  semaphore io{1, "io"};
};

task<void> visit(disk& of) {
  co_await of.io.acquire();
  of.io.release();
}

// "a", then "a/b"; `forgiving` takes a folder that is there by now for what it is, the one that was wanted.
task<void> make_path(disk& of, bool forgiving) {
  const local mine;
  for (const char* folder : {"a", "a/b"}) {
    co_await visit(of);
    if (of.folders.contains(folder)) continue;
    co_await visit(of);
    require(of.folders.insert(folder).second || forgiving, "file exists");
  }
}

task<void> makes_a_path_twice(bool forgiving) {
  disk d;
  auto first = make_path(d, forgiving);
  auto second = make_path(d, forgiving);
  co_await when_all(std::move(first), std::move(second));
}

TEST(RaceBugs, AFolderMadeByTwo) {
  EXPECT_TRUE(caught(race("file exists", finds::round_robin_and_random), [] { return makes_a_path_twice(false); }));
  EXPECT_TRUE(silent([] { return makes_a_path_twice(true); }));
}

struct connection_pool {
  bool open = true;
  mutex wire{"wire"};
};

task<void> use_idle(connection_pool& of, bool checks_again) {
  const local mine;
  if (!of.open) co_return;
  const auto held = co_await of.wire.lock();
  if (checks_again && !of.open) co_return;
  require(of.open, "stale connection");
}

task<void> close_idle(connection_pool& of) {
  const local mine;
  const auto held = co_await of.wire.lock();
  of.open = false;
}

task<void> uses_and_closes(bool checks_again) {
  connection_pool pool;
  auto user = use_idle(pool, checks_again);
  auto closer = close_idle(pool);
  co_await both(std::move(user), std::move(closer));
}

TEST(RaceBugs, AConnectionClosedBetweenCheckAndUse) {
  EXPECT_TRUE(caught(race("stale connection", finds::random), [] { return uses_and_closes(false); }));
  EXPECT_TRUE(silent([] { return uses_and_closes(true); }));
}

}  // namespace
}  // namespace lockstep::planted
