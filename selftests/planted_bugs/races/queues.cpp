// Races around queues.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

namespace lockstep::planted {
namespace {

// -- seen_then_got: a queue is seen not to be empty, and somebody else gets what was in it ----------------------------

template <bool Fixed>
task<void> get_if_any(queue<int>& from) {
  if (Fixed) {
    static_cast<void>(from.try_get());
  } else if (!from.empty()) {
    co_await from.get();
  }
}

template <bool Fixed>
task<void> seen_then_got() {
  queue<int> jobs(2, "jobs");
  co_await jobs.put(1);
  co_await jobs.put(2);
  co_await when_all(get_if_any<Fixed>(jobs), get_if_any<Fixed>(jobs), get_if_any<Fixed>(jobs));
}

// -- first_sentinel: one producer says that all is over, and another has yet to put its item --------------------------

template <bool Fixed>
task<void> produce(queue<int>& to, int item, bool last, int& producing) {
  co_await to.put(item);
  if (Fixed ? --producing == 0 : last) co_await to.put(-1);
}

task<void> consume_until_sentinel(queue<int>& from, int& sum) {
  for (int item = 0; item >= 0;) {
    item = co_await from.get();
    if (item > 0) sum += item;
  }
}

template <bool Fixed>
task<void> first_sentinel() {
  queue<int> items(queue<int>::unbounded, "items");
  int producing = 2;
  int sum = 0;
  co_await when_all(produce<Fixed>(items, 1, false, producing), produce<Fixed>(items, 2, true, producing),
                    consume_until_sentinel(items, sum));
  require(sum == 3, "an item came after the end");
}

// -- last_job_stolen: owner and thief both take the last job, each from its end ---------------------------------------

struct job_line {
  int top = 0;
  int bottom = 2;
  int runs[2] = {};
  mutex bus{"bus"};
};

template <bool Fixed>
task<void> own_jobs(job_line& of) {
  while (of.top < of.bottom) {
    const int job = of.bottom - 1;
    co_await visit(of.bus);
    if (Fixed && job < of.top) co_return;
    of.bottom = job;
    ++of.runs[job];
  }
}

template <bool Fixed>
task<void> steal_a_job(job_line& of) {
  const int job = of.top;
  if (job >= of.bottom) co_return;
  co_await visit(of.bus);
  if (Fixed && job >= of.bottom) co_return;
  of.top = job + 1;
  ++of.runs[job];
}

template <bool Fixed>
task<void> last_job_stolen() {
  job_line jobs;
  co_await when_all(own_jobs<Fixed>(jobs), steal_a_job<Fixed>(jobs));
  require(jobs.runs[0] == 1 && jobs.runs[1] == 1, "a job did not run once");
}

// -- urgent_not_yet_there: the least item of a priority_queue is taken for the least that will be ---------------------

task<void> put_ranked(priority_queue<int>& to, int rank, latch& all) {
  co_await to.put(rank);
  all.count_down();
}

template <bool Fixed>
task<void> serve_urgent(priority_queue<int>& from, latch& all) {
  if (Fixed) co_await all.wait();
  const int first = co_await from.get();
  require(first == 0, "the urgent one was not first");
}

template <bool Fixed>
task<void> urgent_not_yet_there() {
  priority_queue<int> calls(priority_queue<int>::unbounded, "calls");
  latch all(2, "all");
  co_await when_all(put_ranked(calls, 0, all), put_ranked(calls, 1, all), serve_urgent<Fixed>(calls, all));
}

// -- undone_for_another: what lies on top of a shared stack is taken for one's own ------------------------------------

template <bool Fixed>
task<void> do_and_undo(lifo_queue<int>& done, mutex& editing, mutex& disk, int action) {
  mutex_guard alone = co_await editing.lock();
  if (!Fixed) alone.unlock();
  co_await done.put(action);
  co_await visit(disk);
  const int undone = co_await done.get();
  require(undone == action, "undid another's action");
}

template <bool Fixed>
task<void> undone_for_another() {
  lifo_queue<int> done(lifo_queue<int>::unbounded, "done");
  mutex editing("editing");
  mutex disk("disk");
  co_await when_all(do_and_undo<Fixed>(done, editing, disk, 1), do_and_undo<Fixed>(done, editing, disk, 2));
}

// -- done_before_it_is: a worker counts an item as dealt with before it has stored it ---------------------------------

template <bool Fixed>
task<void> store_items(queue<int>& from, mutex& disk, int& stored) {
  for (int i = 0; i < 2; ++i) {
    co_await from.get();
    if (!Fixed) from.task_done();
    co_await visit(disk);
    ++stored;
    if (Fixed) from.task_done();
  }
}

task<void> put_and_join(queue<int>& to, const int& stored) {
  co_await to.put(1);
  co_await to.put(2);
  co_await to.join();
  require(stored == 2, "joined before all was stored");
}

template <bool Fixed>
task<void> done_before_it_is() {
  queue<int> items(queue<int>::unbounded, "items");
  mutex disk("disk");
  int stored = 0;
  co_await when_all(store_items<Fixed>(items, disk, stored), put_and_join(items, stored));
}

// -- last_request_refused: a request is begun while the service is open, and put when it has shut down ----------------

struct service {
  queue<int> requests{1, "requests"};
  mutex log{"log"};
  bool open = true;
};

template <bool Fixed>
task<void> request_from(service& from) {
  if (!from.open) co_return;
  co_await visit(from.log);
  if (Fixed && !from.open) co_return;
  require(from.requests.try_put(1), "the last request was refused");
}

task<void> shut_down(service& of) {
  co_await visit(of.log);
  of.open = false;
  of.requests.shut_down();
}

template <bool Fixed>
task<void> last_request_refused() {
  service pages;
  co_await when_all(request_from<Fixed>(pages), shut_down(pages));
}

}  // namespace

std::span<const planted_race> queue_races() {
  static constexpr planted_race races[] = {
      {"seen_then_got", "a queue is seen not to be empty, and somebody else gets what was in it", deadlock_text, true,
       1, seen_then_got<false>, seen_then_got<true>},
      {"first_sentinel", "one producer says that all is over, and another has yet to put its item",
       "an item came after the end", false, 1, first_sentinel<false>, first_sentinel<true>},
      {"last_job_stolen", "owner and thief both take the last job, each from its end", "a job did not run once", false,
       1, last_job_stolen<false>, last_job_stolen<true>},
      {"urgent_not_yet_there", "the least item of a priority_queue is taken for the least that will be",
       "the urgent one was not first", false, 1, urgent_not_yet_there<false>, urgent_not_yet_there<true>},
      {"undone_for_another", "what lies on top of a shared stack is taken for one's own", "undid another's action",
       false, 2, undone_for_another<false>, undone_for_another<true>},
      {"done_before_it_is", "a worker counts an item as dealt with before it has stored it",
       "joined before all was stored", false, 1, done_before_it_is<false>, done_before_it_is<true>},
      {"last_request_refused", "a request is begun while the service is open, and put when it has shut down",
       "the last request was refused", false, 1, last_request_refused<false>, last_request_refused<true>},
  };
  return races;
}

}  // namespace lockstep::planted
