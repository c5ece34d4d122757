// Races of a cancellation with what it is to end.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

#include <exception>

namespace lockstep::planted {
namespace {

// Waits for the end of a task that may have been cancelled; whether it was.
task<bool> joined_cancelled(join_handle<void>& of) {
  try {
    co_await of.join();
  } catch (const cancelled&) {
    co_return true;
  }
  co_return false;
}

// -- cancelled_halfway: a transfer is cancelled between the debit and the credit --------------------------------------

struct two_accounts {
  int from = 100;
  int to = 0;
  mutex disk{"disk"};
};

task<void> move_ten(two_accounts& of) {
  of.from -= 10;
  co_await visit(of.disk);
  of.to += 10;
}

template <bool Fixed>
task<void> cancelled_halfway() {
  two_accounts accounts;
  auto work = move_ten(accounts);
  if (Fixed) work = shield(std::move(work));
  auto moving = spawn(std::move(work), "transfer");
  co_await yield();
  moving.cancel();
  co_await joined_cancelled(moving);
  require(accounts.from + accounts.to == 100, "money was lost");
}

// -- reused_before_reset: a task is cancelled, and what it holds is used again while it still cleans up ---------------

struct held_connection {
  event never{"never"};
  mutex wire{"wire"};
  bool dirty = false;
};

task<void> reset(held_connection& of) {
  co_await visit(of.wire);
  of.dirty = false;
}

task<void> use_until_cancelled(held_connection& of) {
  of.dirty = true;
  std::exception_ptr ended;
  try {
    co_await of.never.wait();
  } catch (const cancelled&) {
    ended = std::current_exception();
  }
  co_await shield(reset(of));
  std::rethrow_exception(ended);
}

template <bool Fixed>
task<void> reused_before_reset() {
  held_connection connection;
  auto user = spawn(use_until_cancelled(connection), "user");
  co_await yield();
  user.cancel();
  if (Fixed) {
    co_await joined_cancelled(user);
  } else {
    co_await yield();
  }
  require(!connection.dirty, "reused before it was reset");
  if (!user.done()) co_await joined_cancelled(user);
}

// -- committed_and_cancelled: a commit that must not be cut short ends as cancelled, and is made again ----------------

struct commit_log {
  mutex disk{"disk"};
  int commits = 0;
};

task<void> commit(commit_log& to) {
  co_await visit(to.disk);
  ++to.commits;
}

template <bool Fixed>
task<void> committed_and_cancelled() {
  commit_log log;
  auto first = spawn(shield(commit(log)), "commit");
  co_await yield();
  first.cancel();
  const bool was_cancelled = co_await joined_cancelled(first);
  if (was_cancelled && !(Fixed && log.commits > 0)) co_await commit(log);
  require(log.commits == 1, "committed twice");
}

// -- cancelled_the_next: a job is looked up and cancelled by its place, where the next job runs by then ---------------

struct job_slot {
  int runs = 0;  // the number of the job, 0 for none
  bool next_is_cancelled = false;
  mutex log{"log"};
};

task<void> run_two_jobs(job_slot& in) {
  for (int job = 1; job <= 2; ++job) {
    in.runs = job;
    co_await visit(in.log);
  }
  in.runs = 0;
}

template <bool Fixed>
task<void> cancel_first_job(job_slot& in) {
  if (in.runs != 1) co_return;
  co_await visit(in.log);
  if (Fixed && in.runs != 1) co_return;
  in.next_is_cancelled = in.runs == 2;
}

template <bool Fixed>
task<void> cancelled_the_next() {
  job_slot slot;
  co_await when_all(run_two_jobs(slot), cancel_first_job<Fixed>(slot));
  require(!slot.next_is_cancelled, "the next job was cancelled");
}

// -- lost_cancellation: a task is cancelled where it waits, and otherwise told by a flag at which it has looked -------

struct stoppable_worker {
  event work{"work"};
  mutex log{"log"};
  bool waits = false;
  bool told = false;
};

task<void> wait_for_work(stoppable_worker& of) {
  if (of.told) co_return;
  co_await visit(of.log);
  of.waits = true;
  co_await of.work.wait();
}

template <bool Fixed>
task<void> lost_cancellation() {
  stoppable_worker shared;
  auto worker = spawn(wait_for_work(shared), "worker");
  co_await yield();
  if (Fixed || shared.waits) {
    worker.cancel();
  } else {
    shared.told = true;
  }
  co_await joined_cancelled(worker);
}

}  // namespace

std::span<const planted_race> cancellation_races() {
  static constexpr planted_race races[] = {
      {"cancelled_halfway", "a transfer is cancelled between the debit and the credit", "money was lost", false, 1,
       cancelled_halfway<false>, cancelled_halfway<true>},
      {"reused_before_reset", "a task is cancelled, and what it holds is used again while it still cleans up",
       "reused before it was reset", false, 1, reused_before_reset<false>, reused_before_reset<true>},
      {"committed_and_cancelled", "a commit that must not be cut short ends as cancelled, and is made again",
       "committed twice", false, 1, committed_and_cancelled<false>, committed_and_cancelled<true>},
      {"cancelled_the_next", "a job is looked up and cancelled by its place, where the next job runs by then",
       "the next job was cancelled", false, 3, cancelled_the_next<false>, cancelled_the_next<true>},
      {"lost_cancellation", "a task is cancelled where it waits, and otherwise told by a flag at which it has looked",
       deadlock_text, true, 1, lost_cancellation<false>, lost_cancellation<true>},
  };
  return races;
}

}  // namespace lockstep::planted
