// Races around mutex, shared_mutex and condition_variable, and of steps that should have been under one lock.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

#include <cstddef>
#include <set>
#include <vector>

namespace lockstep::planted {
namespace {

// -- upgrade_overwrites: between reading under the shared lock and writing under the exclusive one, another has written

template <bool Fixed>
task<void> append(shared_mutex& lock, int& size) {
  int seen = 0;
  {
    const shared_guard reading = co_await lock.lock_shared();
    seen = size;
  }
  const exclusive_guard writing = co_await lock.lock();
  if (Fixed) seen = size;
  size = seen + 1;
}

template <bool Fixed>
task<void> upgrade() {
  shared_mutex lock("file");
  int size = 0;
  co_await when_all(append<Fixed>(lock, size), append<Fixed>(lock, size));
  require(size == 2, "an append was overwritten");
}

// -- half_of_a_pair: two halves are written under a lock each, and a reader locks between them ------------------------

struct pair_of_halves {
  shared_mutex lock{"pair"};
  int low = 0;
  int high = 0;
};

template <bool Fixed>
task<void> write_pair(pair_of_halves& to) {
  exclusive_guard writing = co_await to.lock.lock();
  to.low = 1;
  if (!Fixed) {
    writing.unlock();
    writing = co_await to.lock.lock();
  }
  to.high = 1;
}

task<void> read_pair(pair_of_halves& from) {
  const shared_guard reading = co_await from.lock.lock_shared();
  require(from.low == from.high, "half of a write was seen");
}

template <bool Fixed>
task<void> half_of_a_pair() {
  pair_of_halves numbers;
  co_await when_all(write_pair<Fixed>(numbers), read_pair(numbers), read_pair(numbers));
}

// -- one_condition_for_two: a consumer's notify_one wakes the other consumer, and not the producer --------------------

struct place_for_one {
  mutex guard{"guard"};
  condition_variable changed{guard, "changed"};
  bool full = false;
};

template <bool Fixed>
task<void> move_one(place_for_one& of, bool in) {
  const auto held = co_await of.guard.lock();
  while (of.full == in) co_await of.changed.wait();
  of.full = in;
  of.changed.notify(Fixed ? 2 : 1);
}

template <bool Fixed>
task<void> produce_two(place_for_one& of) {
  for (int i = 0; i < 2; ++i) co_await move_one<Fixed>(of, true);
}

template <bool Fixed>
task<void> one_condition() {
  place_for_one place;
  co_await when_all(produce_two<Fixed>(place), move_one<Fixed>(place, false), move_one<Fixed>(place, false));
}

// -- woken_without_looking: who is notified takes an item unseen, and another has taken it meanwhile ------------------

struct shelf {
  mutex guard{"guard"};
  condition_variable filled{guard, "filled"};
  int items = 0;
};

template <bool Fixed>
task<void> take_or_wait(shelf& from) {
  const auto held = co_await from.guard.lock();
  if (from.items == 0) co_await from.filled.wait();
  while (Fixed && from.items == 0) co_await from.filled.wait();
  require(from.items > 0, "took what was not there");
  --from.items;
}

task<void> put_two(shelf& on) {
  for (int i = 0; i < 2; ++i) {
    const auto held = co_await on.guard.lock();
    ++on.items;
    on.filled.notify_one();
  }
}

task<void> take_if_any(shelf& from, bool& took) {
  const auto held = co_await from.guard.lock();
  took = from.items > 0;
  if (took) --from.items;
}

template <bool Fixed>
task<void> woken_without_looking() {
  shelf goods;
  bool took = false;
  co_await when_all(take_or_wait<Fixed>(goods), put_two(goods), take_if_any(goods, took));
  require(goods.items == (took ? 0 : 1), "lost an item");
}

// -- interleaved_frames: head and body of a message are written with the wire free between them -----------------------

template <bool Fixed>
task<void> write_message(mutex& wire, std::vector<int>& sent, int number) {
  auto held = co_await wire.lock();
  sent.push_back(number);
  if (!Fixed) {
    held.unlock();
    held = co_await wire.lock();
  }
  sent.push_back(number);
}

template <bool Fixed>
task<void> interleaved_frames() {
  mutex wire("wire");
  std::vector<int> sent;
  co_await when_all(write_message<Fixed>(wire, sent, 1), write_message<Fixed>(wire, sent, 2));
  require(sent[0] == sent[1] && sent[2] == sent[3], "the body follows another's head");
}

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

}  // namespace

std::span<const planted_race> lock_races() {
  static constexpr planted_race races[] = {
      {"upgrade_overwrites",
       "between a read under the shared lock and the write under the exclusive one another writes",
       "an append was overwritten", false, 1, upgrade<false>, upgrade<true>},
      {"half_of_a_pair", "two halves are written under a lock each, and a reader locks between them",
       "half of a write was seen", false, 1, half_of_a_pair<false>, half_of_a_pair<true>},
      {"one_condition_for_two", "a consumer's notify_one wakes the other consumer, and not the producer", deadlock_text,
       true, 1, one_condition<false>, one_condition<true>},
      {"woken_without_looking", "who is notified takes an item unseen, and another has taken it meanwhile",
       "took what was not there", false, 1, woken_without_looking<false>, woken_without_looking<true>},
      {"interleaved_frames", "head and body of a message are written with the wire free between them",
       "the body follows another's head", false, 1, interleaved_frames<false>, interleaved_frames<true>},
      {"index_over_an_await", "a list is gone through by index, and shifts while its reader waits",
       "a listener was skipped", false, 1, index_over_an_await<false>, index_over_an_await<true>},
      {"free_list_aba", "the head of a free list is what it was before, and its successor is not",
       "a node was given out twice", false, 1, free_list_aba<false>, free_list_aba<true>},
      {"ready_before_it_is", "the flag that all look at first is set before what it stands for",
       "used before it was initialised", false, 1, ready_before_it_is<false>, ready_before_it_is<true>},
  };
  return races;
}

}  // namespace lockstep::planted
