// Races around results that are kept or to come: promises, caches, replicas, task-local values.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

#include <optional>

namespace lockstep::planted {
namespace {

// -- answered_twice: two answer one request, and both see that nobody has yet -----------------------------------------

template <bool Fixed>
task<void> respond(promise<int>& to, mutex& wire, int answer) {
  if (to.done()) co_return;
  co_await visit(wire);
  if (Fixed) {
    to.try_set_value(answer);
  } else {
    to.set_value(answer);
  }
}

template <bool Fixed>
task<void> answered_twice() {
  promise<int> answer("answer");
  mutex wire("wire");
  co_await when_all(respond<Fixed>(answer, wire, 1), respond<Fixed>(answer, wire, 2));
}

// -- cache_stampede: all who find the cache empty fetch what belongs there --------------------------------------------

struct page_cache {
  mutex wire{"wire"};
  std::optional<int> page;
  std::optional<shared_task<int>> loading;
  int fetches = 0;
};

task<int> fetch(page_cache& of) {
  ++of.fetches;
  co_await visit(of.wire);
  co_return 42;
}

template <bool Fixed>
task<void> look_up(page_cache& in) {
  if (in.page.has_value()) co_return;
  if (Fixed) {
    if (!in.loading.has_value()) in.loading.emplace(fetch(in));
    in.page = co_await in.loading->get();
  } else {
    in.page = co_await fetch(in);
  }
}

template <bool Fixed>
task<void> cache_stampede() {
  page_cache cache;
  co_await when_all(look_up<Fixed>(cache), look_up<Fixed>(cache));
  require(cache.fetches == 1, "fetched twice");
}

// -- filled_with_the_old: what was read before an update is put into the cache after it was cleared for that ----------

struct cached_row {
  mutex wire{"wire"};
  int row = 1;
  int version = 0;
  std::optional<int> cached;
};

template <bool Fixed>
task<void> fill_cache(cached_row& of) {
  const int version = of.version;
  const int read = of.row;
  co_await visit(of.wire);
  if (Fixed && of.version != version) co_return;
  of.cached = read;
}

task<void> update_row(cached_row& of) {
  co_await visit(of.wire);
  of.row = 2;
  ++of.version;
  of.cached.reset();
}

template <bool Fixed>
task<void> filled_with_the_old() {
  cached_row table;
  co_await when_all(fill_cache<Fixed>(table), update_row(table));
  require(!table.cached.has_value() || *table.cached == table.row, "the cache kept what was replaced");
}

// -- own_write_unread: a client reads from a replica that has not got its write yet -----------------------------------

struct replica {
  queue<int> log{1, "log"};
  event applied{"applied"};
  mutex disk{"disk"};
  int value = 0;
};

task<void> replicate(replica& to) {
  const int value = co_await to.log.get();
  co_await visit(to.disk);
  to.value = value;
  to.applied.set();
}

template <bool Fixed>
task<void> write_and_read(replica& of) {
  co_await of.log.put(1);
  if (Fixed) {
    co_await of.applied.wait();
  } else {
    co_await yield();
  }
  require(of.value == 1, "did not read its own write");
}

template <bool Fixed>
task<void> own_write_unread() {
  replica second;
  co_await when_all(replicate(second), write_and_read<Fixed>(second));
}

// -- cleared_before_read: a callback clears a buffer when the answer is there, and a task reads it then ---------------

struct exchange {
  promise<int> answer{"answer"};
  int buffer = 0;
};

template <bool Fixed>
task<void> read_answer(exchange& of) {
  const future<int> coming = of.answer.get_future();
  const int answer = co_await coming.get();
  require((Fixed ? answer : of.buffer) == 42, "cleared before it was read");
}

task<void> give_answer(exchange& of) {
  const callback_handle clearing = of.answer.get_future().on_done([&of] { of.buffer = 0; });
  of.buffer = 42;
  of.answer.set_value(42);
  co_return;
}

template <bool Fixed>
task<void> cleared_before_read() {
  exchange with_server;
  co_await when_all(read_answer<Fixed>(with_server), give_answer(with_server));
}

// -- acts_for_another: who is logged in is kept in one place for all tasks, and not in each ---------------------------

struct session {
  task_local<int> own{0};
  int user = 0;
  mutex log{"log"};
};

template <bool Fixed>
task<void> act_for(session& in, int user) {
  in.own.set(user);
  in.user = user;
  co_await visit(in.log);
  const int acting = Fixed ? in.own.get() : in.user;
  require(acting == user, "acts for another user");
}

template <bool Fixed>
task<void> acts_for_another() {
  session all;
  co_await when_all(act_for<Fixed>(all, 1), act_for<Fixed>(all, 2));
}

}  // namespace

std::span<const planted_race> result_races() {
  static constexpr planted_race races[] = {
      {"answered_twice", "two answer one request, and both see that nobody has yet", "set_value()", false, 1,
       answered_twice<false>, answered_twice<true>},
      {"cache_stampede", "all who find the cache empty fetch what belongs there", "fetched twice", false, 1,
       cache_stampede<false>, cache_stampede<true>},
      {"filled_with_the_old", "what was read before an update is put into the cache after it was cleared for that",
       "the cache kept what was replaced", false, 1, filled_with_the_old<false>, filled_with_the_old<true>},
      {"own_write_unread", "a client reads from a replica that has not got its write yet", "did not read its own write",
       false, 1, own_write_unread<false>, own_write_unread<true>},
      {"cleared_before_read", "a callback clears a buffer when the answer is there, and a task reads it then",
       "cleared before it was read", false, 1, cleared_before_read<false>, cleared_before_read<true>},
      {"acts_for_another", "who is logged in is kept in one place for all tasks, and not in each",
       "acts for another user", false, 1, acts_for_another<false>, acts_for_another<true>},
  };
  return races;
}

}  // namespace lockstep::planted
