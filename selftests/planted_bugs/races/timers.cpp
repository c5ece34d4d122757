// Races of what is due at one instant: timeouts, sleeps, callbacks.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- charged_twice: an answer and the timeout for it are due at one instant, and the charge is tried again ------------

struct payment {
  event done{"done"};
  mutex ledger{"ledger"};
  bool abandoned = false;
  int charges = 0;
};

task<void> charge_slowly(payment& of) {
  co_await sleep_for(1s);
  if (of.abandoned) co_return;
  ++of.charges;
  of.done.set();
}

task<void> until_charged(payment& of) { co_await of.done.wait(); }

template <bool Fixed>
task<void> pay(payment& of) {
  bool late = false;
  try {
    co_await with_timeout(1s, until_charged(of));
  } catch (const timed_out&) {
    late = true;
  }
  of.abandoned = true;
  if (!late || (Fixed && of.charges > 0)) co_return;
  co_await visit(of.ledger);
  ++of.charges;
}

template <bool Fixed>
task<void> charged_twice() {
  payment order;
  co_await when_all(pay<Fixed>(order), charge_slowly(order));
  require(order.charges == 1, "charged twice");
}

// -- stale_leader: a leader begins to write within its lease, and ends when the next one has taken over ---------------

struct elected_store {
  time_point lease_ends{1s};
  int term = 1;
  int written_in = 0;
};

template <bool Fixed>
task<void> write_as_leader(elected_store& to) {
  if (now() >= to.lease_ends) co_return;
  co_await sleep_for(1s);  // so long the write takes
  if (Fixed && to.term > 1) co_return;
  to.written_in = 1;
}

task<void> take_over(elected_store& from) {
  co_await sleep_until(from.lease_ends);
  from.term = 2;
  from.written_in = 2;
}

template <bool Fixed>
task<void> stale_leader() {
  elected_store store;
  co_await when_all(write_as_leader<Fixed>(store), take_over(store));
  require(store.written_in == 2, "an old leader wrote last");
}

// -- save_counted_off: a key is pressed just when the save for the last one is due, which counts as taken back --------

struct editor {
  callback_handle save;
  mutex log{"log"};
  int saves_to_come = 0;
};

template <bool Fixed>
task<void> press_key(editor& in, duration after) {
  if (after > 0s) co_await sleep_for(after);
  if (in.saves_to_come > 0) {
    co_await visit(in.log);
    const bool taken_back = in.save.cancel();
    if (!Fixed || taken_back) --in.saves_to_come;
  }
  in.save = call_later(1s, [&in] { --in.saves_to_come; });
  ++in.saves_to_come;
}

template <bool Fixed>
task<void> save_counted_off() {
  editor text;
  co_await when_all(press_key<Fixed>(text, 1s), press_key<Fixed>(text, 0s));
  co_await sleep_for(2s);
  require(text.saves_to_come == 0, "a save was counted off twice");
}

// -- beat_at_the_deadline: a heart beats at the instant at which its watchdog gives it up -----------------------------

struct heart {
  time_point last_beat{};
  bool stopped = false;
};

task<void> beat(heart& of) {
  for (int i = 0; i < 2; ++i) {
    co_await sleep_for(1s);
    of.last_beat = now();
  }
  of.stopped = true;
}

task<void> watch(const heart& over, bool& given_up, duration patience) {
  while (!over.stopped && !given_up) {
    co_await sleep_until(over.last_beat + patience);
    given_up = !over.stopped && now() - over.last_beat >= patience;
  }
}

template <bool Fixed>
task<void> beat_at_the_deadline() {
  heart one;
  bool given_up = false;
  co_await when_all(beat(one), watch(one, given_up, Fixed ? 1500ms : 1s));
  require(!given_up, "given up while it beat");
}

}  // namespace

std::span<const planted_race> timer_races() {
  static constexpr planted_race races[] = {
      {"charged_twice", "an answer and the timeout for it are due at one instant, and the charge is tried again",
       "charged twice", false, 1, charged_twice<false>, charged_twice<true>},
      {"stale_leader", "a leader begins to write within its lease, and ends when the next one has taken over",
       "an old leader wrote last", false, 1, stale_leader<false>, stale_leader<true>},
      {"save_counted_off", "a key is pressed just when the save for the last one is due, which counts as taken back",
       "a save was counted off twice", false, 1, save_counted_off<false>, save_counted_off<true>},
      {"beat_at_the_deadline", "a heart beats at the instant at which its watchdog gives it up",
       "given up while it beat", false, 1, beat_at_the_deadline<false>, beat_at_the_deadline<true>},
  };
  return races;
}

}  // namespace lockstep::planted
