// Races around mutex, shared_mutex and condition_variable, and of steps that should have been under one lock.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

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
  condition_variable emptied{guard, "emptied"};
  condition_variable filled{guard, "filled"};
  bool full = false;
};

// Into it, or out of it.
template <bool Fixed>
task<void> move_one(place_for_one& of, bool in) {
  condition_variable& before = Fixed && in ? of.emptied : of.filled;
  condition_variable& after = Fixed && !in ? of.emptied : of.filled;
  const auto held = co_await of.guard.lock();
  while (of.full == in) co_await before.wait();
  of.full = in;
  after.notify_one();
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
  };
  return races;
}

}  // namespace lockstep::planted
