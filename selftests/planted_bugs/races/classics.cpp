// Races that every collection has: they can be compared with what is measured elsewhere.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

#include <set>
#include <string>
#include <utility>

namespace lockstep::planted {
namespace {

// -- bank_check_then_act: the balance is checked before an await and debited after it ---------------------------------

struct account {
  int balance = 100;
  mutex audit{"audit"};
};

template <bool Fixed>
task<void> withdraw(account& of, int amount) {
  if (of.balance < amount) co_return;
  if (Fixed) of.balance -= amount;
  { const auto entry = co_await of.audit.lock(); }
  if (!Fixed) of.balance -= amount;
}

template <bool Fixed>
task<void> bank() {
  account a;
  co_await when_all(withdraw<Fixed>(a, 80), withdraw<Fixed>(a, 80));
  require(a.balance >= 0, "overdrawn");
}

// -- counter_lost_update: a counter is read, and written back after an await ------------------------------------------

template <bool Fixed>
task<void> count_twice(int& counter, mutex& log) {
  for (int i = 0; i < 2; ++i) {
    const int seen = counter;
    if (Fixed) counter = seen + 1;
    { const auto entry = co_await log.lock(); }
    if (!Fixed) counter = seen + 1;
  }
}

template <bool Fixed>
task<void> counter() {
  int count = 0;
  mutex log("log");
  co_await when_all(count_twice<Fixed>(count, log), count_twice<Fixed>(count, log));
  require(count == 4, "lost an update");
}

// -- twostage_bad: a reader comes between the first stage of an update and the second ---------------------------------

struct two_stages {
  mutex first{"first"};
  mutex second{"second"};
  int one = 0;
  int two = 0;
};

template <bool Fixed>
task<void> set_both(two_stages& of) {
  auto outer = co_await of.first.lock();
  of.one = 1;
  if (!Fixed) outer.unlock();
  const auto inner = co_await of.second.lock();
  of.two = of.one + 1;
}

template <bool Fixed>
task<void> read_both(two_stages& of) {
  auto outer = co_await of.first.lock();
  if (of.one == 0) co_return;
  const int one = of.one;
  if (!Fixed) outer.unlock();
  const auto inner = co_await of.second.lock();
  require(of.two == one + 1, "stage one without stage two");
}

template <bool Fixed>
task<void> twostage() {
  two_stages stages;
  co_await when_all(set_both<Fixed>(stages), read_both<Fixed>(stages));
}

// -- deadlock01_bad: two locks are taken in opposite orders -----------------------------------------------------------

task<void> take_both(mutex& first, mutex& second) {
  const auto outer = co_await first.lock();
  const auto inner = co_await second.lock();
}

template <bool Fixed>
task<void> crossed_locks() {
  mutex a("a");
  mutex b("b");
  auto second = Fixed ? take_both(a, b) : take_both(b, a);
  co_await when_all(take_both(a, b), std::move(second));
}

// -- dining_3: three philosophers each have their left fork and wait for the right one --------------------------------

template <bool Fixed>
task<void> dining() {
  mutex one("fork 1");
  mutex two("fork 2");
  mutex three("fork 3");
  auto last = Fixed ? take_both(one, three) : take_both(three, one);
  co_await when_all(take_both(one, two), take_both(two, three), std::move(last));
}

// -- lost_wakeup: the notification comes between the look at the mailbox and the wait for it --------------------------

struct mailbox {
  mutex guard{"guard"};
  condition_variable changed{guard, "changed"};
  bool full = false;
};

template <bool Fixed>
task<void> receive_letter(mailbox& of) {
  if (Fixed) {
    const auto held = co_await of.guard.lock();
    while (!of.full) co_await of.changed.wait();
  } else if (!of.full) {
    const auto held = co_await of.guard.lock();
    co_await of.changed.wait();
  }
}

task<void> send_letter(mailbox& to) {
  const auto held = co_await to.guard.lock();
  to.full = true;
  to.changed.notify_all();
}

template <bool Fixed>
task<void> lost_wakeup() {
  mailbox box;
  co_await when_all(receive_letter<Fixed>(box), send_letter(box));
}

// -- mkdirp_race: two find that a folder is missing, and the second to make it takes its being there for fatal --------

struct disk {
  std::set<std::string> folders;
  semaphore io{1, "io"};

  task<bool> has(std::string folder) {
    const permit turn = co_await io.acquire_permit();
    co_return folders.contains(folder);
  }
  task<bool> make(std::string folder) {
    const permit turn = co_await io.acquire_permit();
    co_return folders.insert(folder).second;
  }
};

template <bool Fixed>
task<void> make_path(disk& on) {
  for (const char* folder : {"a", "a/b"}) {
    if (co_await on.has(folder)) continue;
    const bool made = co_await on.make(folder);
    require(made || Fixed, "file exists");
  }
}

template <bool Fixed>
task<void> mkdirp() {
  disk d;
  co_await when_all(make_path<Fixed>(d), make_path<Fixed>(d));
}

// -- pool_stale_socket: an idle connection is closed between its test at checkout and its use -------------------------

struct idle_connection {
  bool open = true;
  mutex wire{"wire"};
};

template <bool Fixed>
task<void> use_idle(idle_connection& of) {
  for (int request = 0; request < 2; ++request) {
    if (!of.open) co_return;
    const auto held = co_await of.wire.lock();
    if (Fixed && !of.open) co_return;
    require(of.open, "stale connection");
  }
}

task<void> close_idle(idle_connection& of) {
  const auto held = co_await of.wire.lock();
  of.open = false;
}

template <bool Fixed>
task<void> stale_socket() {
  idle_connection connection;
  co_await when_all(use_idle<Fixed>(connection), close_idle(connection));
}

}  // namespace

std::span<const planted_race> classic_races() {
  static constexpr planted_race races[] = {
      {"bank_check_then_act", "the balance is checked before an await and debited after it", "overdrawn", false, 1,
       bank<false>, bank<true>},
      {"counter_lost_update", "a counter is read, and written back after an await", "lost an update", false, 1,
       counter<false>, counter<true>},
      {"twostage_bad", "a reader comes between the first stage of an update and the second",
       "stage one without stage two", false, 1, twostage<false>, twostage<true>},
      {"deadlock01_bad", "two locks are taken in opposite orders", deadlock_text, true, 1, crossed_locks<false>,
       crossed_locks<true>},
      {"dining_3", "three philosophers each have their left fork and wait for the right one", deadlock_text, true, 1,
       dining<false>, dining<true>},
      {"lost_wakeup", "the notification comes between the look at the mailbox and the wait for it", deadlock_text, true,
       1, lost_wakeup<false>, lost_wakeup<true>},
      {"mkdirp_race", "two find that a folder is missing, and the second to make it takes its being there for fatal",
       "file exists", false, 1, mkdirp<false>, mkdirp<true>},
      {"pool_stale_socket", "an idle connection is closed between its test at checkout and its use", "stale connection",
       false, 1, stale_socket<false>, stale_socket<true>},
  };
  return races;
}

}  // namespace lockstep::planted
