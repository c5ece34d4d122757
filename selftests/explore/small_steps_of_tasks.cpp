// What tasks do with time, and with each other.
#include "small_world.hpp"

#include <tuple>
#include <type_traits>
#include <utility>

namespace lockstep::small {

task<int> doze(world_of_steps& of, step what, int, int seen) {
  co_await sleep_for(soon(what.a));
  co_return note(seen, variable(of, what.b));
}

task<int> cancel_another(world_of_steps& of, step what, int me, int seen) {
  const std::size_t other = static_cast<std::size_t>(what.a) % of.seen.size();
  if (other < of.tasks.size() && static_cast<int>(other) != me) {
    seen = note(seen, of.tasks[other].cancel() ? 1 : 0);
  }
  co_await yield();
  co_return seen;
}

namespace {

// -- time -------------------------------------------------------------------------------------------------------------

task<int> wait_with_timeout(world_of_steps& of, step what, int, int seen) {
  bool late = false;
  const auto wait = [&of, what]() -> task<void> {
    if (what.b % 3 == 0) {
      co_await of.happened.wait();
    } else if (what.b % 3 == 1) {
      const auto held = co_await of.mutexes[0].lock();
      co_await yield();
    } else {
      static_cast<void>(co_await of.letters.get());
    }
  };
  try {
    co_await with_timeout(soon(what.a), wait());
  } catch (const timed_out&) {
    late = true;
  }
  co_return note(seen, late ? 1 : 0);
}
task<int> sleep_with_timeout(world_of_steps&, step what, int, int seen) {
  bool late = false;
  const auto wait = [what]() -> task<void> { co_await sleep_for(soon(what.b)); };
  try {
    co_await with_timeout(soon(what.a), wait());
  } catch (const timed_out&) {
    late = true;
  }
  co_return note(seen, late ? 1 : 0);
}
task<int> wait_for_quiet(world_of_steps& of, step what, int, int seen) {
  co_await settle();
  co_return note(seen, variable(of, what.a));
}
task<int> compute(world_of_steps& of, step what, int, int seen) {
  consume(soon(what.a));
  seen = note(seen, static_cast<int>(now().time_since_epoch() / 1ms) + variable(of, what.b));
  co_await yield();
  co_return seen;
}
task<int> set_clock(world_of_steps&, step what, int, int seen) {
  if (what.a % 2 == 0) shift_wall_clock(1s);
  seen = note(seen, static_cast<int>(wall_now().time_since_epoch() / 1s % 100));
  co_await yield();
  co_return seen;
}
constexpr step_kind of_time[] = {{"doze", doze},
                                 {"set_event", set_event},
                                 {"wait_with_timeout", wait_with_timeout},
                                 {"sleep_with_timeout", sleep_with_timeout},
                                 {"wait_for_quiet", wait_for_quiet}};
constexpr step_kind of_clocks[] = {{"doze", doze}, {"compute", compute}, {"set_clock", set_clock}};

task<int> sleep_to(world_of_steps& of, step what, int, int seen) {
  co_await sleep_until(of.began + what.a / 2 * 1ms);
  co_return note(seen, variable(of, what.b));
}
task<int> move_own_deadline(world_of_steps& of, step what, int, int seen) {
  bool late = false;
  const auto wait = [&of, what](timeout_scope& scope) -> task<void> {
    co_await sleep_to(of, {what.kind, what.b, what.b}, 0, 0);
    scope.reschedule(of.began + what.b * 1ms);
    co_await of.happened.wait();
  };
  try {
    co_await with_timeout_at(of.began + what.a * 1ms, wait);
  } catch (const timed_out&) {
    late = true;
  }
  co_return note(seen, late ? 1 : 0);
}
task<int> show_deadline(world_of_steps& of, step what, int, int seen) {
  if (of.deadline.shown() != nullptr) co_return note(seen, 2);
  bool late = false;
  const auto wait = [&of](timeout_scope& scope) -> task<void> {
    of.deadline.show(&scope);
    co_await of.happened.wait();
  };
  const auto hide = of.deadline.hidden_later();
  try {
    co_await with_timeout(soon(what.a), wait);
  } catch (const timed_out&) {
    late = true;
  }
  co_return note(seen, late ? 1 : 0);
}
task<int> move_deadline_of_another(world_of_steps& of, step what, int, int seen) {
  timeout_scope* const scope = of.deadline.shown();
  if (scope != nullptr && !scope->expired()) {
    scope->reschedule(of.began + what.a * 1ms);
    seen = note(seen, scope->expired() ? 1 : 0);
  }
  co_await yield();
  co_return seen;
}
constexpr step_kind of_deadlines[] = {{"sleep_to", sleep_to},
                                      {"move_own_deadline", move_own_deadline},
                                      {"sleep_to", sleep_to},
                                      {"set_event", set_event},
                                      {"add", add}};
constexpr step_kind of_shown_deadlines[] = {{"show_deadline", show_deadline},
                                            {"move_deadline_of_another", move_deadline_of_another},
                                            {"doze", doze},
                                            {"set_event", set_event}};

task<int> call_soon_step(world_of_steps& of, step what, int, int seen) {
  of.calls_made += 1;
  of.call = call_soon([&of, what] { variable(of, what.a) += 1; });
  co_await yield();
  co_return seen;
}
task<int> call_later_step(world_of_steps& of, step what, int, int seen) {
  of.calls_made += 1;
  of.call = call_later(soon(what.a), [&of, what] { variable(of, what.b) += 1; });
  co_await sleep_for(soon(what.b));
  co_return note(seen, variable(of, what.b));
}
task<int> cancel_call(world_of_steps& of, step, int, int seen) {
  seen = note(seen, of.calls_made);
  seen = note(seen, of.call.cancel() ? 1 : 0);
  co_await yield();
  co_return seen;
}
task<int> call_at_end(world_of_steps& of, step what, int me, int seen) {
  const std::size_t other = static_cast<std::size_t>(what.a) % of.seen.size();
  if (other < of.tasks.size() && static_cast<int>(other) != me) {
    of.tasks[other].on_done([&of, what] { variable(of, what.b) += 1; });
  }
  co_await yield();
  co_return note(seen, variable(of, what.b));
}
task<int> call_with_answer(world_of_steps& of, step what, int, int seen) {
  of.answer.on_done([&of, what] { variable(of, what.b) += 1; });
  co_return seen;
}
constexpr step_kind of_calls[] = {
    {"call_soon", call_soon_step}, {"call_later", call_later_step}, {"cancel_call", cancel_call}, {"read", read}};
constexpr step_kind of_ends[] = {
    {"call_at_end", call_at_end}, {"add", add}, {"call_with_answer", call_with_answer}, {"set_promise", set_promise}};

// -- tasks ------------------------------------------------------------------------------------------------------------

task<int> cancel_itself(world_of_steps&, step, int, int seen) {
  current_task().cancel();
  bool was = false;
  try {
    co_await yield();
  } catch (const cancelled&) {
    current_task().uncancel();
    was = true;
  }
  co_return note(seen, was ? 1 : 0);
}
task<int> ask_whether_done(world_of_steps& of, step what, int, int seen) {
  const std::size_t other = static_cast<std::size_t>(what.a) % of.seen.size();
  if (other < of.tasks.size()) seen = note(seen, of.tasks[other].done() ? 1 : 0);
  co_await yield();
  co_return seen;
}
task<int> shielded(world_of_steps& of, step what, int, int seen) {
  const auto work = [&of, what]() -> task<int> {
    co_await yield();
    variable(of, what.a) += 1;
    co_await of.happened.wait();
    co_return variable(of, what.a);
  };
  co_return note(seen, co_await shield(work()));
}
task<int> refuse_to_stop(world_of_steps& of, step what, int, int seen) {
  bool stopped = false;
  try {
    co_await of.happened.wait();
  } catch (const cancelled&) {
    stopped = true;
  }
  if (stopped) {
    current_task().uncancel();
    variable(of, what.a) += 1;
  }
  co_await yield();
  co_return note(seen, stopped ? 1 : 0);
}
task<int> join_another(world_of_steps& of, step what, int me, int seen) {
  const std::size_t other = static_cast<std::size_t>(what.a) % of.seen.size();
  if (other >= of.tasks.size() || static_cast<int>(other) <= me) co_return seen;
  bool was_cancelled = false;
  try {
    if (what.b % 2 == 0) {
      co_await of.tasks[other].join();
    } else {
      co_await of.tasks[other].join_shielded();
    }
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  if (was_cancelled && current_task().cancelling() != 0) throw cancelled();
  co_return note(seen, was_cancelled ? 1 : 0);
}
constexpr step_kind of_cancellation[] = {{"cancel_another", cancel_another},     {"cancel_itself", cancel_itself},
                                         {"ask_whether_done", ask_whether_done}, {"shielded", shielded},
                                         {"refuse_to_stop", refuse_to_stop},     {"set_event", set_event}};
constexpr step_kind of_joins[] = {{"cancel_another", cancel_another},
                                  {"join_another", join_another},
                                  {"lock_for_long", lock_for_long},
                                  {"doze", doze}};

task<void> add_later(world_of_steps& of, int which) {
  co_await yield();
  variable(of, which) += 1;
}
task<void> fail_later(world_of_steps& of, int which) {
  co_await yield();
  if (variable(of, which) % 2 == 0) throw std::runtime_error("planned");
}
task<void> wait_forever(world_of_steps& of, int which) {
  co_await of.happened.wait();
  variable(of, which) += 1;
}
task<void> child_of(world_of_steps& of, int kind, int which) {
  switch (kind % 3) {
    case 0: return add_later(of, which);
    case 1: return fail_later(of, which);
    default: return wait_forever(of, which);
  }
}

task<int> group_of_two(world_of_steps& of, step what, int, int seen) {
  bool failed = false;
  const auto body = [&of, what](task_group& group) -> task<void> {
    group.spawn(child_of(of, what.a, what.b));
    group.spawn(child_of(of, what.a + what.b, what.b + 1));
    co_await yield();
  };
  try {
    co_await with_task_group(body);
  } catch (const exception_group&) {
    failed = true;
  }
  co_return note(seen, failed ? 1 : 0);
}
task<int> group_that_is_ended(world_of_steps& of, step what, int, int seen) {
  bool failed = false;
  const auto body = [&of, what](task_group& group) -> task<void> {
    group.spawn(child_of(of, what.a, what.b));
    const auto end = [&group]() -> task<void> {
      co_await yield();
      group.cancel();
    };
    group.spawn(co_invoke(end));
    co_await of.happened.wait();
    variable(of, what.b) = static_cast<int>(group.size());
  };
  try {
    co_await with_task_group(body);
  } catch (const exception_group&) {
    failed = true;
  }
  co_return note(seen, failed ? 1 : 0);
}
task<int> joined_group(world_of_steps& of, step what, int, int seen) {
  bool failed = false;
  task_group group;
  group.spawn_eager(child_of(of, what.a, what.b));
  try {
    co_await group.join();
  } catch (const exception_group&) {
    failed = true;
  }
  co_return note(seen, failed ? 1 : 0);
}
constexpr step_kind of_groups[] = {{"group_of_two", group_of_two},
                                   {"group_that_is_ended", group_that_is_ended},
                                   {"joined_group", joined_group},
                                   {"set_event", set_event},
                                   {"cancel_another", cancel_another}};

task<int> show_group(world_of_steps& of, step what, int, int seen) {
  if (of.group.shown() != nullptr) co_return note(seen, 2);
  bool failed = false;
  const auto body = [&of, what](task_group& group) -> task<void> {
    of.group.show(&group);
    group.spawn(child_of(of, what.a, what.b));
    co_await yield();
  };
  const auto hide = of.group.hidden_later();
  try {
    co_await with_task_group(body);
  } catch (const exception_group&) {
    failed = true;
  }
  co_return note(seen, failed ? 1 : 0);
}
task<int> end_group_of_another(world_of_steps& of, step, int, int seen) {
  if (task_group* const group = of.group.shown()) {
    seen = note(seen, static_cast<int>(group->size()));
    group->cancel();
  }
  co_await yield();
  co_return seen;
}
task<int> spawn_into_group_of_another(world_of_steps& of, step what, int, int seen) {
  if (task_group* const group = of.group.shown()) {
    group->spawn(child_of(of, what.a, what.b));
    seen = note(seen, static_cast<int>(group->size()));
  }
  co_await yield();
  co_return seen;
}
constexpr step_kind of_shown_groups[] = {{"show_group", show_group},
                                         {"show_group", show_group},
                                         {"end_group_of_another", end_group_of_another},
                                         {"spawn_into_group_of_another", spawn_into_group_of_another},
                                         {"set_event", set_event}};

task<int> all_of_two(world_of_steps& of, step what, int, int seen) {
  bool failed = false;
  try {
    co_await when_all(child_of(of, what.a, what.b), child_of(of, what.a + what.b, what.b + 1));
  } catch (const std::runtime_error&) {
    failed = true;
  }
  co_return note(seen, failed ? 1 : 0);
}
task<int> any_of_two(world_of_steps& of, step what, int, int seen) {
  int first = 9;
  try {
    const auto won = co_await when_any(child_of(of, what.a, what.b), child_of(of, what.a + what.b, what.b + 1));
    first = static_cast<int>(won.index);
  } catch (const std::runtime_error&) {
  }
  co_return note(seen, first);
}
task<int> settled(world_of_steps& of, step what, int, int seen) {
  const auto both = co_await when_all_settled(child_of(of, what.a, what.b), child_of(of, what.a + 1, what.b));
  co_return note(seen, static_cast<int>(std::tuple_size_v<std::remove_cvref_t<decltype(both)>>));
}
constexpr step_kind of_combinators[] = {
    {"all_of_two", all_of_two}, {"any_of_two", any_of_two},         {"settled", settled},
    {"set_event", set_event},   {"cancel_another", cancel_another}, {"add", add}};

task<int> select_two(world_of_steps& of, step what, int, int seen) {
  std::size_t which = 9;
  switch (what.a % 4) {
    case 0: {
      const auto chosen = co_await select(of.happened.wait(), of.letters.get());
      which = chosen.index;
      break;
    }
    case 1: {
      const auto chosen = co_await select(of.letters.get(), of.permits.acquire_permit());
      which = chosen.index;
      break;
    }
    case 2: {
      const auto chosen = co_await select(of.happened.wait(), sleep_for(soon(what.b)));
      which = chosen.index;
      break;
    }
    default: {
      const auto chosen = co_await select(of.answer.get(), of.meeting.receive(), of.happened.wait());
      which = chosen.index;
      break;
    }
  }
  co_return note(seen, static_cast<int>(which));
}
task<int> select_end(world_of_steps& of, step what, int me, int seen) {
  const std::size_t other = static_cast<std::size_t>(what.a) % of.seen.size();
  if (other >= of.tasks.size() || static_cast<int>(other) <= me) co_return seen;
  std::size_t which = 9;
  try {
    if (what.b % 2 == 0) {
      const auto chosen = co_await select(of.happened.wait(), of.tasks[other].join_shielded());
      which = chosen.index;
    } else {
      const auto chosen = co_await select(of.tasks[other].join(), sleep_for(soon(what.b)), of.letters.get());
      which = chosen.index;
    }
  } catch (const cancelled&) {
    if (current_task().cancelling() != 0) throw;
  }
  co_return note(seen, static_cast<int>(which));
}
constexpr step_kind of_selects[] = {{"select_two", select_two},
                                    {"select_two", select_two},
                                    {"set_event", set_event},
                                    {"put", put<letters>},
                                    {"release", release},
                                    {"set_promise", set_promise},
                                    {"send", send}};
constexpr step_kind of_selects_of_ends[] = {{"select_end", select_end},
                                            {"select_end", select_end},
                                            {"set_event", set_event},
                                            {"doze", doze},
                                            {"cancel_another", cancel_another}};
constexpr step_kind of_selects_ended[] = {{"select_two", select_two},
                                          {"cancel_another", cancel_another},
                                          {"put_if_room", put_if_room<letters>},
                                          {"doze", doze}};

task<int> await_common(world_of_steps& of, step, int, int seen) { co_return note(seen, co_await of.common->get()); }
task<int> start_common(world_of_steps& of, step what, int, int seen) {
  if (what.a % 2 == 0) {
    of.common->start();
  } else {
    seen = note(seen, of.common->done() ? 1 : 0);
  }
  co_await yield();
  co_return seen;
}
constexpr step_kind of_common[] = {
    {"await_common", await_common}, {"start_common", start_common}, {"cancel_another", cancel_another}, {"add", add}};

task<int> start_eagerly(world_of_steps& of, step what, int, int seen) {
  join_handle<void> child = spawn_eager(child_of(of, what.a, what.b));
  variable(of, what.b + 1) += 1;
  bool failed = false;
  try {
    co_await child.join();
  } catch (const std::runtime_error&) {
    failed = true;
  }
  co_return note(seen, failed ? 1 : 0);
}
task<void> serve(world_of_steps& of, int which) {
  variable(of, which) += 1;
  co_await sleep_for(1ms);
  variable(of, which) += 1;
  co_await sleep_for(1h);
}
task<int> start_daemon(world_of_steps& of, step what, int, int seen) {
  spawn_daemon(serve(of, what.a));
  co_return seen;
}
task<int> look_on(world_of_steps& of, step what, int, int seen) {
  std::vector<join_handle<void>> handles;
  handles.push_back(spawn(child_of(of, what.a, what.b)));
  handles.push_back(spawn(add_later(of, what.b + 1)));
  const waited found = co_await wait(wait_until::first_completed, 1ms, handles);
  seen = note(seen, static_cast<int>(found.done.size() + 3 * found.pending.size()));
  for (join_handle<void>& each : handles) each.cancel();
  for (join_handle<void>& each : handles) {
    try {
      co_await each.join();
    } catch (const cancelled&) {
    } catch (const std::runtime_error&) {
    }
  }
  co_return seen;
}
task<int> as_they_end(world_of_steps& of, step what, int, int seen) {
  std::vector<task<void>> works;
  works.push_back(add_later(of, what.a));
  works.push_back(add_later(of, what.b));
  as_completed<void> ends(std::move(works));
  while (join_handle<void>* const ended = co_await ends.next()) {
    seen = note(seen, static_cast<int>(ends.left()));
    ended->result();
    if (what.a % 2 == 0) seen = note(seen, variable(of, what.a));
  }
  co_return seen;
}
constexpr step_kind of_starts[] = {{"start_eagerly", start_eagerly},
                                   {"start_daemon", start_daemon},
                                   {"set_event", set_event},
                                   {"cancel_another", cancel_another}};
constexpr step_kind of_onlookers[] = {
    {"look_on", look_on}, {"as_they_end", as_they_end}, {"set_event", set_event}, {"cancel_another", cancel_another}};

constexpr std::span<const step_kind> groups_of_tasks[] = {
    of_time,          of_clocks,          of_deadlines, of_shown_deadlines, of_calls,       of_ends,
    of_cancellation,  of_joins,           of_groups,    of_shown_groups,    of_combinators, of_selects,
    of_selects_ended, of_selects_of_ends, of_common,    of_starts,          of_onlookers};

}  // namespace

step_groups steps_of_tasks() { return groups_of_tasks; }

}  // namespace lockstep::small
