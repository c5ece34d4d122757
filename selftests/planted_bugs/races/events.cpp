// Races around events and the wait for a signal.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

namespace lockstep::planted {
namespace {

// -- pulse_missed: an event is set and cleared at once, while who is to wait for it has looked and does not wait yet --

struct stop_signal {
  event woken{"woken"};
  bool asked = false;
};

task<void> wait_for_stop(stop_signal& of) {
  if (!of.asked) co_await of.woken.wait();
}

template <bool Fixed>
task<void> pulse(stop_signal& of) {
  of.asked = true;
  of.woken.set();
  if (!Fixed) of.woken.clear();
  co_return;
}

template <bool Fixed>
task<void> pulse_missed() {
  stop_signal stop;
  co_await when_all(wait_for_stop(stop), pulse<Fixed>(stop));
}

// -- reset_too_late: an event is cleared after what it announced was taken, and with it the next announcement ---------

struct announced_items {
  event more{"more"};
  mutex log{"log"};
  int there = 0;
};

template <bool Fixed>
task<void> take_announced(announced_items& from) {
  for (int taken = 0; taken < 2;) {
    co_await from.more.wait();
    if (Fixed) from.more.clear();
    taken += from.there;
    from.there = 0;
    co_await visit(from.log);
    if (!Fixed) from.more.clear();
  }
}

task<void> announce_two(announced_items& of) {
  for (int i = 0; i < 2; ++i) {
    ++of.there;
    of.more.set();
    co_await visit(of.log);
  }
}

template <bool Fixed>
task<void> reset_too_late() {
  announced_items items;
  co_await when_all(take_announced<Fixed>(items), announce_two(items));
}

// -- paused_meanwhile: a gate is open when a worker passes it, and closed when the work begins ------------------------

struct gate {
  event open{"open"};
  mutex log{"log"};
};

template <bool Fixed>
task<void> work_behind(gate& of) {
  do {
    co_await of.open.wait();
    co_await visit(of.log);
  } while (Fixed && !of.open.is_set());
  require(of.open.is_set(), "worked while paused");
}

task<void> pause(gate& of) {
  of.open.clear();
  co_await visit(of.log);
  of.open.set();
}

template <bool Fixed>
task<void> paused_meanwhile() {
  gate works;
  works.open.set();
  co_await when_all(work_behind<Fixed>(works), pause(works));
}

}  // namespace

std::span<const planted_race> event_races() {
  static constexpr planted_race races[] = {
      {"pulse_missed",
       "an event is set and cleared at once, while who is to wait for it has looked and does not wait yet",
       deadlock_text, true, 1, pulse_missed<false>, pulse_missed<true>},
      {"reset_too_late", "an event is cleared after what it announced was taken, and with it the next announcement",
       deadlock_text, true, 2, reset_too_late<false>, reset_too_late<true>},
      {"paused_meanwhile", "a gate is open when a worker passes it, and closed when the work begins",
       "worked while paused", false, 2, paused_meanwhile<false>, paused_meanwhile<true>},
  };
  return races;
}

}  // namespace lockstep::planted
