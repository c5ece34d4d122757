// Races around semaphores, latches and barriers, and of things that are counted.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

#include <cstddef>
#include <vector>

namespace lockstep::planted {
namespace {

// -- slot_gone: a free permit is seen, and taken without waiting after an await ---------------------------------------

template <bool Fixed>
task<void> work_in_slot(semaphore& slots, mutex& log) {
  if (Fixed) {
    if (!slots.try_acquire()) co_return;
    co_await visit(log);
  } else {
    if (slots.available() == 0) co_return;
    co_await visit(log);
    require(slots.try_acquire(), "the slot is gone");
  }
  co_await visit(log);
  slots.release();
}

template <bool Fixed>
task<void> slot_gone() {
  semaphore slots(1, "slots");
  mutex log("log");
  co_await when_all(work_in_slot<Fixed>(slots, log), work_in_slot<Fixed>(slots, log));
}

// -- double_checkout: a pool counts its connections rightly, and two look up the same free one ------------------------

struct connection_pool {
  semaphore idle{2, "idle"};
  mutex log{"log"};
  bool taken[2] = {};
};

template <bool Fixed>
task<void> check_out(connection_pool& of) {
  co_await of.idle.acquire();
  const std::size_t free = of.taken[0] ? 1 : 0;
  if (Fixed) of.taken[free] = true;
  co_await visit(of.log);
  require(Fixed || !of.taken[free], "checked out twice");
  of.taken[free] = true;
}

template <bool Fixed>
task<void> double_checkout() {
  connection_pool pool;
  co_await when_all(check_out<Fixed>(pool), check_out<Fixed>(pool));
  require(pool.taken[0] && pool.taken[1], "one is idle");
}

// -- double_close: two find it open, and each gives its permit back ---------------------------------------------------

struct open_file {
  bounded_semaphore handles{1, "handles"};
  mutex disk{"disk"};
  bool closed = false;
};

template <bool Fixed>
task<void> close_file(open_file& of) {
  if (of.closed) co_return;
  if (Fixed) of.closed = true;
  co_await visit(of.disk);
  of.closed = true;
  of.handles.release();
}

template <bool Fixed>
task<void> double_close() {
  open_file file;
  co_await file.handles.acquire();
  co_await when_all(close_file<Fixed>(file), close_file<Fixed>(file), close_file<Fixed>(file));
}

// -- announced_early: a latch is counted down before what it announces is there ---------------------------------------

struct announcement {
  latch ready{2, "ready"};
  mutex disk{"disk"};
  int parts = 0;
};

template <bool Fixed>
task<void> prepare(announcement& of) {
  if (!Fixed) of.ready.count_down();
  co_await visit(of.disk);
  ++of.parts;
  if (Fixed) of.ready.count_down();
}

task<void> use_parts(announcement& of) {
  co_await of.ready.wait();
  require(of.parts == 2, "announced before it was there");
}

template <bool Fixed>
task<void> announced_early() {
  announcement parts;
  co_await when_all(prepare<Fixed>(parts), prepare<Fixed>(parts), use_parts(parts));
}

// -- next_phase_runs_in: who adds up a phase waits, and the others add to the sum of the next one meanwhile -----------

struct phases {
  barrier meet{2, "meet"};
  mutex journal{"journal"};
  int sum = 0;
  std::vector<int> sums;
};

template <bool Fixed>
task<void> work_in_phases(phases& of) {
  for (int phase = 0; phase < 2; ++phase) {
    ++of.sum;
    const std::size_t place = co_await of.meet.wait();
    if (place == 1) {
      co_await visit(of.journal);
      of.sums.push_back(of.sum);
      of.sum = 0;
    }
    if (Fixed) co_await of.meet.wait();
  }
}

template <bool Fixed>
task<void> next_phase_runs_in() {
  phases all;
  co_await when_all(work_in_phases<Fixed>(all), work_in_phases<Fixed>(all));
  require(all.sums == std::vector<int>({2, 2}), "a phase has counted the next one");
}

// -- revived_reference: the last reference is given up, and while the file is flushed another takes one ---------------

struct counted_file {
  int references = 1;
  bool open = true;
  mutex disk{"disk"};
};

template <bool Fixed>
task<void> release(counted_file& of) {
  if (--of.references > 0) co_return;
  co_await visit(of.disk);
  if (Fixed && of.references > 0) co_return;
  of.open = false;
}

template <bool Fixed>
task<void> use_counted(counted_file& of) {
  if (!of.open) co_return;
  ++of.references;
  co_await visit(of.disk);
  require(of.open, "used after it was closed");
  co_await release<Fixed>(of);
}

template <bool Fixed>
task<void> revived_reference() {
  counted_file file;
  co_await when_all(release<Fixed>(file), use_counted<Fixed>(file));
}

// -- full_while_locked: a producer waits for a free slot, and holds the lock that emptying one needs ------------------

struct slotted_buffer {
  mutex guard{"guard"};
  semaphore free{1, "free"};
  semaphore filled{0, "filled"};
};

template <bool Fixed>
task<void> fill_slot(slotted_buffer& of) {
  if (Fixed) co_await of.free.acquire();
  const auto held = co_await of.guard.lock();
  if (!Fixed) co_await of.free.acquire();
  of.filled.release();
}

task<void> empty_slots(slotted_buffer& of) {
  for (int i = 0; i < 2; ++i) {
    co_await of.filled.acquire();
    const auto held = co_await of.guard.lock();
    of.free.release();
  }
}

template <bool Fixed>
task<void> full_while_locked() {
  slotted_buffer buffer;
  co_await when_all(fill_slot<Fixed>(buffer), empty_slots(buffer), fill_slot<Fixed>(buffer));
}

// -- burst_too_large: the limit has room for a burst, but not for all that have seen it free before one is counted ----

template <bool Fixed>
task<void> admit(int& admitted, int& now, mutex& log) {
  if (admitted >= 1) co_return;
  if (Fixed) ++admitted;
  co_await visit(log);
  if (!Fixed) ++admitted;
  ++now;
}

template <bool Fixed>
task<void> burst_too_large() {
  int admitted = 0;
  int now = 0;
  mutex log("log");
  co_await when_all(admit<Fixed>(admitted, now, log), admit<Fixed>(admitted, now, log),
                    admit<Fixed>(admitted, now, log), admit<Fixed>(admitted, now, log));
  require(now <= 3, "more than limit and burst were let in");
}

}  // namespace

std::span<const planted_race> permit_races() {
  static constexpr planted_race races[] = {
      {"slot_gone", "a free permit is seen, and taken without waiting after an await", "the slot is gone", false, 2,
       slot_gone<false>, slot_gone<true>},
      {"double_checkout", "a pool counts its connections rightly, and two look up the same free one",
       "checked out twice", false, 1, double_checkout<false>, double_checkout<true>},
      {"double_close", "two find it open, and each gives its permit back", "bounded_semaphore \"handles\"", false, 1,
       double_close<false>, double_close<true>},
      {"announced_early", "a latch is counted down before what it announces is there", "announced before it was there",
       false, 1, announced_early<false>, announced_early<true>},
      {"next_phase_runs_in", "who adds up a phase waits, and the others add to the sum of the next one meanwhile",
       "a phase has counted the next one", false, 1, next_phase_runs_in<false>, next_phase_runs_in<true>},
      {"revived_reference", "the last reference is given up, and while the file is flushed another takes one",
       "used after it was closed", false, 2, revived_reference<false>, revived_reference<true>},
      {"full_while_locked", "a producer waits for a free slot, and holds the lock that emptying one needs",
       deadlock_text, true, 1, full_while_locked<false>, full_while_locked<true>},
      {"burst_too_large",
       "the limit has room for a burst, but not for all that have seen it free before one is counted",
       "more than limit and burst were let in", false, 3, burst_too_large<false>, burst_too_large<true>},
  };
  return races;
}

}  // namespace lockstep::planted
