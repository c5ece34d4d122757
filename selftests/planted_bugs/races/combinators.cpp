// Races of tasks that are started together: groups, when_any, select, generators, blocking jobs.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace lockstep::planted {
namespace {

// -- stored_unchecked: an order is checked and stored in one group, whose failure is thought to undo both -------------

struct order_book {
  mutex disk{"disk"};
  bool stored = false;
};

task<void> check_order(order_book& in) {
  co_await visit(in.disk);
  throw std::invalid_argument("a bad order");
}

task<void> store_order(order_book& in) {
  co_await visit(in.disk);
  in.stored = true;
}

template <bool Fixed>
task<void> stored_unchecked() {
  order_book book;
  const auto body = [&book](task_group& group) -> task<void> {
    group.spawn(check_order(book), "check");
    if (!Fixed) group.spawn(store_order(book), "store");
    co_return;
  };
  bool refused = false;
  try {
    co_await with_task_group(body);
  } catch (const exception_group&) {
    refused = true;
  }
  if (!refused) co_await store_order(book);
  require(!book.stored, "stored though it was refused");
}

// -- hedged_write: two attempts race, and the one that loses has written by then --------------------------------------

struct hedged {
  mutex wire{"wire"};
  bool taken = false;
  int writes = 0;
};

template <bool Fixed>
task<void> write_once(hedged& to, bool later) {
  if (later) co_await yield();
  co_await visit(to.wire);
  if (Fixed && to.taken) co_return;
  to.taken = true;
  ++to.writes;
}

template <bool Fixed>
task<void> hedged_write() {
  hedged store;
  co_await when_any(write_once<Fixed>(store, false), write_once<Fixed>(store, true));
  require(store.writes == 1, "written twice");
}

// -- stopped_before_the_last: a request and the stop are both there, and the select takes the stop --------------------

struct stoppable {
  queue<int> requests{2, "requests"};
  event stop{"stop"};
  int served = 0;
};

template <bool Fixed>
task<void> serve_until_stop(stoppable& of) {
  for (;;) {
    const auto first = co_await select(of.requests.get(), of.stop.wait());
    if (first.index == 1) break;
    ++of.served;
  }
  while (Fixed && of.requests.try_get().has_value()) ++of.served;
}

task<void> request_and_stop(stoppable& of) {
  co_await of.requests.put(1);
  of.stop.set();
}

template <bool Fixed>
task<void> stopped_before_the_last() {
  stoppable service;
  co_await when_all(serve_until_stop<Fixed>(service), request_and_stop(service));
  require(service.served == 1, "the last request was dropped");
}

// -- row_skipped: pages are read by offset, and a row in front of it is deleted meanwhile -----------------------------

struct table {
  mutex wire{"wire"};
  std::set<int> rows{1, 2, 3};
};

template <bool Fixed>
async_generator<int> rows_of(table& from) {
  int last = 0;
  for (int offset = 0;; ++offset) {
    co_await visit(from.wire);
    auto at = from.rows.upper_bound(last);
    if (!Fixed) at = std::next(from.rows.begin(), std::min(offset, static_cast<int>(from.rows.size())));
    if (at == from.rows.end()) co_return;
    last = *at;
    co_yield int(last);
  }
}

template <bool Fixed>
task<void> read_rows(table& from, std::set<int>& seen) {
  auto rows = rows_of<Fixed>(from);
  while (const int* row = co_await rows.next()) seen.insert(*row);
}

task<void> delete_row(table& from) {
  co_await visit(from.wire);
  from.rows.erase(1);
}

template <bool Fixed>
task<void> row_skipped() {
  table people;
  std::set<int> seen;
  co_await when_all(read_rows<Fixed>(people, seen), delete_row(people));
  require(seen.contains(2) && seen.contains(3), "a row was skipped");
}

// -- job_overtaken: a blocking job reads what another writes, which is given to the workers just before it ------------

struct document {
  event written{"written"};
  int text = 0;
};

task<void> write_in_job(document& to) {
  co_await run_blocking([&to] { to.text = 1; });
  to.written.set();
}

template <bool Fixed>
task<void> read_in_job(document& from) {
  if (Fixed) co_await from.written.wait();
  const int text = co_await run_blocking([&from] { return from.text; });
  require(text == 1, "read before it was written");
}

template <bool Fixed>
task<void> job_overtaken() {
  document shared;
  co_await when_all(write_in_job(shared), read_in_job<Fixed>(shared));
}

}  // namespace

std::span<const planted_race> combinator_races() {
  static constexpr planted_race races[] = {
      {"stored_unchecked", "an order is checked and stored in one group, whose failure is thought to undo both",
       "stored though it was refused", false, 1, stored_unchecked<false>, stored_unchecked<true>},
      {"hedged_write", "two attempts race, and the one that loses has written by then", "written twice", false, 1,
       hedged_write<false>, hedged_write<true>},
      {"stopped_before_the_last", "a request and the stop are both there, and the select takes the stop",
       "the last request was dropped", false, 2, stopped_before_the_last<false>, stopped_before_the_last<true>},
      {"row_skipped", "pages are read by offset, and a row in front of it is deleted meanwhile", "a row was skipped",
       false, 1, row_skipped<false>, row_skipped<true>},
      {"job_overtaken", "a blocking job reads what another writes, which is given to the workers just before it",
       "read before it was written", false, 1, job_overtaken<false>, job_overtaken<true>},
  };
  return races;
}

}  // namespace lockstep::planted
