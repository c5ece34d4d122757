// Races for plain data that is looked at before an await and relied on after it.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

#include <cstddef>
#include <set>
#include <vector>

namespace lockstep::planted {
namespace {

// -- index_over_an_await: a list is gone through by index, and shifts while its reader waits --------------------------

template <bool Fixed>
task<void> notify_each(const std::vector<int>& listeners, mutex& wire, std::set<int>& told) {
  const std::vector<int> kept = listeners;
  const std::vector<int>& walked = Fixed ? kept : listeners;
  for (std::size_t i = 0; i < walked.size(); ++i) {
    told.insert(walked[i]);
    co_await visit(wire);
  }
}

task<void> leave(std::vector<int>& listeners, mutex& wire) {
  co_await visit(wire);
  listeners.erase(listeners.begin());
}

template <bool Fixed>
task<void> index_over_an_await() {
  std::vector<int> listeners{1, 2, 3};
  mutex wire("wire");
  std::set<int> told;
  co_await when_all(notify_each<Fixed>(listeners, wire, told), leave(listeners, wire));
  require(told.contains(2) && told.contains(3), "a listener was skipped");
}

// -- free_list_aba: the head of a free list is what it was before, and its successor is not ---------------------------

struct free_list {
  int head = 0;
  int next[4] = {1, 2, 3, -1};
  bool used[4] = {};
  int version = 0;
  mutex bus{"bus"};
};

template <bool Fixed>
task<int> pop(free_list& of) {
  for (;;) {
    const int head = of.head;
    const int version = of.version;
    const int next = of.next[head];
    co_await visit(of.bus);
    if (of.head != head || (Fixed && of.version != version)) continue;
    require(!of.used[head], "a node was given out twice");
    of.used[head] = true;
    of.head = next;
    ++of.version;
    co_return head;
  }
}

void push(free_list& of, int node) {
  of.used[node] = false;
  of.next[node] = of.head;
  of.head = node;
  ++of.version;
}

template <bool Fixed>
task<void> pop_two_push_one(free_list& of) {
  const int first = co_await pop<Fixed>(of);
  co_await pop<Fixed>(of);
  push(of, first);
}

template <bool Fixed>
task<void> free_list_aba() {
  free_list nodes;
  co_await when_all(pop<Fixed>(nodes), pop_two_push_one<Fixed>(nodes));
  co_await pop<Fixed>(nodes);
}

// -- ready_before_it_is: the flag that all look at first is set before what it stands for -----------------------------

struct lazy_value {
  mutex guard{"guard"};
  mutex disk{"disk"};
  bool ready = false;
  int value = 0;
};

template <bool Fixed>
task<void> use_lazy(lazy_value& of) {
  if (!of.ready) {
    const auto held = co_await of.guard.lock();
    if (!of.ready) {
      if (!Fixed) of.ready = true;
      co_await visit(of.disk);
      of.value = 42;
      of.ready = true;
    }
  }
  require(of.value == 42, "used before it was initialised");
}

template <bool Fixed>
task<void> ready_before_it_is() {
  lazy_value lazy;
  co_await when_all(use_lazy<Fixed>(lazy), use_lazy<Fixed>(lazy), use_lazy<Fixed>(lazy));
}

// -- dirty_read: a value is read, and taken back by who has written it ------------------------------------------------

template <bool Fixed>
task<void> write_and_take_back(int& value, mutex& disk) {
  if (!Fixed) value = 1;
  co_await visit(disk);
  value = 0;
}

task<void> read_twice(const int& value, mutex& disk) {
  const int before = value;
  co_await visit(disk);
  require(value >= before, "read what was taken back");
}

template <bool Fixed>
task<void> dirty_read() {
  int value = 0;
  mutex disk("disk");
  co_await when_all(write_and_take_back<Fixed>(value, disk), read_twice(value, disk));
}

// -- gives_up_on_conflict: an optimistic update meets another in each of its attempts, and is dropped -----------------

struct versioned {
  int version = 0;
  mutex store{"store"};
};

template <bool Fixed>
task<void> update_optimistically(versioned& of) {
  for (int attempt = 0; Fixed || attempt < 2; ++attempt) {
    const int seen = of.version;
    co_await visit(of.store);
    if (of.version != seen) continue;
    ++of.version;
    co_return;
  }
  throw std::logic_error("gave up after two conflicts");
}

task<void> update_blindly(versioned& of) {
  for (int i = 0; i < 2; ++i) {
    co_await visit(of.store);
    ++of.version;
  }
}

template <bool Fixed>
task<void> gives_up_on_conflict() {
  versioned text;
  co_await when_all(update_optimistically<Fixed>(text), update_blindly(text));
}

// -- tried_twice: a lock is tried twice and held by another both times, who let it go in between ----------------------

template <bool Fixed>
task<void> enter_or_give_up(mutex& door) {
  if (Fixed) {
    co_await visit(door);
    co_return;
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (door.try_lock()) {
      door.unlock();
      co_return;
    }
    co_await yield();
  }
  throw std::logic_error("gave up after two tries");
}

task<void> pass_twice(mutex& door, mutex& log) {
  for (int i = 0; i < 2; ++i) {
    const auto inside = co_await door.lock();
    co_await visit(log);
  }
}

template <bool Fixed>
task<void> tried_twice() {
  mutex door("door");
  mutex log("log");
  co_await when_all(enter_or_give_up<Fixed>(door), pass_twice(door, log));
}

}  // namespace

std::span<const planted_race> state_races() {
  static constexpr planted_race races[] = {
      {"index_over_an_await", "a list is gone through by index, and shifts while its reader waits",
       "a listener was skipped", false, 1, index_over_an_await<false>, index_over_an_await<true>},
      {"free_list_aba", "the head of a free list is what it was before, and its successor is not",
       "a node was given out twice", false, 1, free_list_aba<false>, free_list_aba<true>},
      {"ready_before_it_is", "the flag that all look at first is set before what it stands for",
       "used before it was initialised", false, 1, ready_before_it_is<false>, ready_before_it_is<true>},
      {"dirty_read", "a value is read, and taken back by who has written it", "read what was taken back", false, 2,
       dirty_read<false>, dirty_read<true>},
      {"gives_up_on_conflict", "an optimistic update meets another in each of its attempts, and is dropped",
       "gave up after two conflicts", false, 3, gives_up_on_conflict<false>, gives_up_on_conflict<true>},
      {"tried_twice", "a lock is tried twice and held by another both times, who let it go in between",
       "gave up after two tries", false, 3, tried_twice<false>, tried_twice<true>},
  };
  return races;
}

}  // namespace lockstep::planted
