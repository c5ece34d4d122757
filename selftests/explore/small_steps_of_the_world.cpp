// What tasks do with values, workers, points, generators, and coroutines of others.
#include "../runtime/foreign_coroutines.hpp"
#include "small_world.hpp"

#include <memory>
#include <utility>

namespace lockstep::small {

namespace {

// -- values, workers, points ------------------------------------------------------------------------------------------

task<int> draw(world_of_steps& of, step what, int, int seen) {
  variable(of, what.b) += random_int(what.a % 2 == 0 ? "dice" : "coin", 0, 1);
  co_await yield();
  co_return seen;
}
task<int> draw_any(world_of_steps& of, step what, int me, int seen) {
  const int drawn = what.a % 2 == 0 ? any_int(-1, 0) : any_of("any", {0, me + 2});
  variable(of, what.b) += drawn;
  co_await yield();
  co_return note(seen, drawn + (any_bool() ? 1 : 0));
}
task<int> draw_and_branch(world_of_steps& of, step what, int, int seen) {
  if (any_bool("branch")) co_await yield();
  co_return note(seen, variable(of, what.b));
}
constexpr step_kind of_values[] = {
    {"draw", draw}, {"draw_any", draw_any}, {"read", read}, {"lock_and_add", lock_and_add}};
constexpr step_kind of_branches[] = {{"draw_and_branch", draw_and_branch}, {"draw_any", draw_any}, {"add", add}};

task<int> block(world_of_steps& of, step what, int me, int seen) {
  const auto work = [what, me] {
    if (what.a % 2 == 0) consume(soon(what.b));
    return me * 10 + what.b;
  };
  co_return note(seen, co_await run_blocking(*of.workers, work));
}
constexpr step_kind of_workers[] = {{"block", block}, {"doze", doze}, {"cancel_another", cancel_another}, {"add", add}};

task<int> pass_point(world_of_steps& of, step what, int, int seen) {
  if (what.a % 2 == 0) {
    co_await point("one");
  } else {
    co_await point("two");
  }
  co_return note(seen, variable(of, what.b));
}
task<int> order_points(world_of_steps& of, step, int me, int seen) {
  if (me != 0) co_return seen;
  const order wanted("two", "one");
  co_await of.happened.wait();
  co_return note(seen, wanted.complete() ? 1 : 0);
}
constexpr step_kind of_points[] = {
    {"pass_point", pass_point}, {"pass_point", pass_point}, {"order_points", order_points}, {"set_event", set_event}};

// -- generators -------------------------------------------------------------------------------------------------------

task<void> count_closing(std::shared_ptr<cell> closings) {
  co_await yield();
  *closings += 1;
}
async_generator<int> counted(world_of_steps& of, step what) {
  on_close([closings = of.closings] { return count_closing(closings); });
  for (int i = 0; i < 2; ++i) {
    const auto held = co_await of.mutexes[static_cast<std::size_t>(what.a % 2)].lock();
    variable(of, what.b) += 1;
    co_yield static_cast<int>(variable(of, what.b));
  }
}

task<int> take_all(world_of_steps& of, step what, int, int seen) {
  const auto take = [&seen](int item) { seen = note(seen, item); };
  co_await for_each(counted(of, what), take);
  co_return seen;
}
task<int> take_one_and_close(world_of_steps& of, step what, int, int seen) {
  async_generator<int> items = counted(of, what);
  if (const int* const item = co_await items.next()) seen = note(seen, *item);
  co_await items.close();
  co_return note(seen, *of.closings);
}
task<int> take_one_and_drop(world_of_steps& of, step what, int, int seen) {
  async_generator<int> items = counted(of, what);
  if (const int* const item = co_await items.next()) seen = note(seen, *item);
  co_await yield();
  co_return seen;
}
constexpr step_kind of_generators[] = {{"take_all", take_all},
                                       {"take_one_and_close", take_one_and_close},
                                       {"take_one_and_drop", take_one_and_drop},
                                       {"cancel_another", cancel_another},
                                       {"lock_and_add", lock_and_add}};

// -- coroutines of others ---------------------------------------------------------------------------------------------

task<int> await_signal(world_of_steps& of, step, int, int seen) {
  if (of.signal_is_awaited()) co_return note(seen, 2);
  co_return note(seen, co_await of.signal);
}
task<int> fire_signal(world_of_steps& of, step what, int me, int seen) {
  if (of.signal_is_awaited()) {
    of.signals_fired += 1;
    of.signal.fire(me * 10 + what.b);
    seen = note(seen, 1);
  }
  co_await yield();
  co_return seen;
}
foreign::lazy<int> from_abroad(world_of_steps& of, step what) {
  if (what.a % 3 == 0) {
    const auto held = co_await of.mutexes[0].lock();
    variable(of, what.b) += 1;
  } else if (what.a % 3 == 1) {
    co_await of.happened.wait();
  } else {
    co_await lock_for_long(of, what, 0, 0);  // through a task of ours
  }
  co_await yield();
  co_return variable(of, what.b);
}
task<int> go_abroad(world_of_steps& of, step what, int, int seen) {
  co_return note(seen, co_await from_abroad(of, what));
}
// Has an agent of its own.
foreign::owned stay_abroad(world_of_steps& of, step what) {
  if (what.a % 2 == 0) {
    const auto held = co_await of.mutexes[0].lock();
    variable(of, what.b) += 1;
  } else {
    co_await sleep_for(1ms);
    of.happened.set();
  }
}
task<int> start_abroad(world_of_steps& of, step what, int, int seen) {
  of.abroad.push_back(stay_abroad(of, what));
  co_await yield();
  co_return seen;
}
constexpr step_kind of_foreign[] = {{"await_signal", await_signal},
                                    {"fire_signal", fire_signal},
                                    {"fire_signal", fire_signal},
                                    {"cancel_another", cancel_another},
                                    {"add", add}};
constexpr step_kind of_abroad[] = {{"go_abroad", go_abroad},
                                   {"go_abroad", go_abroad},
                                   {"start_abroad", start_abroad},
                                   {"cancel_another", cancel_another},
                                   {"set_event", set_event}};

constexpr std::span<const step_kind> groups_of_the_world[] = {of_values,     of_branches, of_workers, of_points,
                                                              of_generators, of_foreign,  of_abroad};

}  // namespace

step_groups steps_of_the_world() { return groups_of_the_world; }

}  // namespace lockstep::small
