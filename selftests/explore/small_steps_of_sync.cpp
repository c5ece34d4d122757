// What tasks do with variables, locks, signals and items.
#include "small_world.hpp"

#include <memory>
#include <utility>

namespace lockstep::small {

task<int> read(world_of_steps& of, step what, int, int seen) {
  seen = note(seen, variable(of, what.a));
  co_await yield();
  co_return seen;
}

task<int> add(world_of_steps& of, step what, int, int seen) {
  variable(of, what.a) += what.b + 1;
  co_return seen;
}

task<int> lock_and_add(world_of_steps& of, step what, int, int seen) {
  const auto held = co_await of.mutexes[static_cast<std::size_t>(what.a % 2)].lock();
  variable(of, what.b) += 1;
  co_return seen;
}

task<int> lock_for_long(world_of_steps& of, step what, int, int seen) {
  const auto held = co_await of.mutexes[static_cast<std::size_t>(what.a % 2)].lock();
  seen = note(seen, variable(of, what.b));
  co_await yield();
  variable(of, what.b) = seen;
  co_return seen;
}

task<int> set_event(world_of_steps& of, step, int, int seen) {
  of.happened.set();
  co_return seen;
}

task<int> release(world_of_steps& of, step, int, int seen) {
  of.permits.release();
  co_return seen;
}

task<int> send(world_of_steps& of, step what, int me, int seen) {
  bool refused = false;
  try {
    co_await of.meeting.send(me * 10 + what.b);
  } catch (const channel_closed&) {
    refused = true;
  }
  co_return note(seen, refused ? 1 : 0);
}

task<int> set_promise(world_of_steps& of, step what, int me, int seen) {
  if (!of.promised.valid()) co_return note(seen, 2);
  const bool was_set = what.a % 3 == 0
                           ? of.promised.try_set_exception(std::make_exception_ptr(std::runtime_error("planned")))
                           : of.promised.try_set_value(me * 10 + what.b);
  co_await yield();
  co_return note(seen, was_set ? 1 : 0);
}

namespace {

// -- variables and turns ----------------------------------------------------------------------------------------------

task<int> write(world_of_steps& of, step what, int me, int seen) {
  variable(of, what.a) = note(seen, me + 1);
  co_await yield();
  co_return seen;
}
task<int> branch(world_of_steps& of, step what, int me, int seen) {
  if (variable(of, what.a) % 2 == 0) {
    variable(of, what.b) = 7 + me;
  } else {
    variable(of, what.b + 1) += 2;
  }
  co_await yield();
  co_return seen;
}
constexpr step_kind of_variables[] = {{"read", read}, {"write", write}, {"add", add}, {"branch", branch}};

// -- locks ------------------------------------------------------------------------------------------------------------

task<int> lock_if_free(world_of_steps& of, step what, int, int seen) {
  mutex& wanted = of.mutexes[static_cast<std::size_t>(what.a % 2)];
  if (!wanted.try_lock()) co_return note(seen, 1);
  co_await yield();
  wanted.unlock();
  co_return seen;
}
task<int> ask_lock(world_of_steps& of, step what, int, int seen) {
  seen = note(seen, of.mutexes[static_cast<std::size_t>(what.a % 2)].locked() ? 1 : 0);
  co_await yield();
  co_return seen;
}
constexpr step_kind of_mutexes[] = {{"lock_and_add", lock_and_add},
                                    {"lock_for_long", lock_for_long},
                                    {"lock_if_free", lock_if_free},
                                    {"ask_lock", ask_lock}};

task<int> lock_exclusively(world_of_steps& of, step what, int, int seen) {
  const auto held = co_await of.read_write.lock();
  if (what.a % 2 == 0) co_await yield();
  variable(of, what.b) += 1;
  co_return seen;
}
task<int> lock_shared(world_of_steps& of, step what, int, int seen) {
  const auto held = co_await of.read_write.lock_shared();
  seen = note(seen, variable(of, what.b));
  if (what.a % 2 == 0) co_await yield();
  co_return seen;
}
task<int> share_if_free(world_of_steps& of, step what, int, int seen) {
  if (what.a % 2 == 0) {
    if (!of.read_write.try_lock()) co_return note(seen, 2);
    co_await yield();
    of.read_write.unlock();
  } else {
    if (!of.read_write.try_lock_shared()) co_return note(seen, 3);
    co_await yield();
    of.read_write.unlock_shared();
  }
  co_return note(seen, 1);
}
task<int> count_readers(world_of_steps& of, step, int, int seen) {
  seen = note(seen, static_cast<int>(of.read_write.readers()) + (of.read_write.locked() ? 10 : 0));
  co_await yield();
  co_return seen;
}
constexpr step_kind of_shared_mutex[] = {{"lock_exclusively", lock_exclusively},
                                         {"lock_shared", lock_shared},
                                         {"share_if_free", share_if_free},
                                         {"count_readers", count_readers}};

task<int> wait_for_change(world_of_steps& of, step what, int, int seen) {
  const auto held = co_await of.mutexes[0].lock();
  co_await of.changed.wait([&of, what] { return variable(of, what.a) > 0; });
  co_return note(seen, variable(of, what.a));
}
task<int> wait_once(world_of_steps& of, step, int, int seen) {
  const auto held = co_await of.mutexes[0].lock();
  co_await of.changed.wait();
  co_return note(seen, 1);
}
task<int> change(world_of_steps& of, step what, int, int seen) {
  const auto held = co_await of.mutexes[0].lock();
  variable(of, what.a) += 1;
  if (what.b % 2 == 0) {
    of.changed.notify_one();
  } else {
    of.changed.notify_all();
  }
  co_return seen;
}
constexpr step_kind of_condition_variable[] = {
    {"wait_for_change", wait_for_change}, {"wait_once", wait_once}, {"change", change}, {"change", change}};

// -- signals ----------------------------------------------------------------------------------------------------------

task<int> wait_for_event(world_of_steps& of, step, int, int seen) {
  co_await of.happened.wait();
  co_return seen;
}
task<int> clear_event(world_of_steps& of, step, int, int seen) {
  of.happened.clear();
  co_await yield();
  co_return seen;
}
task<int> ask_event(world_of_steps& of, step, int, int seen) {
  seen = note(seen, of.happened.is_set() ? 1 : 0);
  co_await yield();
  co_return seen;
}
constexpr step_kind of_event[] = {{"wait_for_event", wait_for_event},
                                  {"set_event", set_event},
                                  {"clear_event", clear_event},
                                  {"ask_event", ask_event}};

task<int> count_down(world_of_steps& of, step, int, int seen) {
  if (!of.gate.try_wait()) of.gate.count_down();
  co_await yield();
  co_return seen;
}
task<int> arrive_at_latch(world_of_steps& of, step, int, int seen) {
  if (of.gate.try_wait()) co_return note(seen, 1);
  co_await of.gate.arrive_and_wait();
  co_return seen;
}
task<int> wait_for_latch(world_of_steps& of, step, int, int seen) {
  co_await of.gate.wait();
  co_return note(seen, 1);
}
constexpr step_kind of_latch[] = {
    {"count_down", count_down}, {"arrive_at_latch", arrive_at_latch}, {"wait_for_latch", wait_for_latch}};

task<int> meet(world_of_steps& of, step, int, int seen) {
  try {
    co_return note(seen, static_cast<int>(co_await of.start.wait()));
  } catch (const broken_barrier&) {
  }
  co_return note(seen, 5);
}
task<int> break_barrier(world_of_steps& of, step what, int, int seen) {
  if (what.a % 2 == 0) {
    of.start.abort();
  } else {
    of.start.reset();
  }
  co_await yield();
  co_return seen;
}
task<int> ask_barrier(world_of_steps& of, step, int, int seen) {
  seen = note(seen, static_cast<int>(of.start.waiting_now()) + (of.start.broken() ? 10 : 0));
  co_await yield();
  co_return seen;
}
constexpr step_kind of_barrier[] = {
    {"meet", meet}, {"meet", meet}, {"break", break_barrier}, {"ask_barrier", ask_barrier}};

task<int> acquire(world_of_steps& of, step what, int, int seen) {
  const permit held = co_await of.permits.acquire_permit();
  seen = note(seen, variable(of, what.a));
  co_await yield();
  co_return seen;
}
task<int> acquire_if_free(world_of_steps& of, step, int, int seen) {
  if (!of.permits.try_acquire()) co_return note(seen, 1);
  co_await yield();
  of.permits.release();
  co_return seen;
}
task<int> count_permits(world_of_steps& of, step, int, int seen) {
  seen = note(seen, static_cast<int>(of.permits.available()));
  co_await yield();
  co_return seen;
}
constexpr step_kind of_semaphore[] = {
    {"acquire", acquire}, {"acquire_if_free", acquire_if_free}, {"release", release}, {"count_permits", count_permits}};

// -- items ------------------------------------------------------------------------------------------------------------

template <auto Queue>
task<int> get(world_of_steps& of, step, int, int seen) {
  int got = 99;
  try {
    got = co_await (of.*Queue).get();
  } catch (const queue_shut_down&) {
  }
  co_return note(seen, got);
}
template <auto Queue>
task<int> get_if_any(world_of_steps& of, step, int, int seen) {
  seen = note(seen, (of.*Queue).try_get().value_or(98));
  co_await yield();
  co_return seen;
}
template <auto Queue>
task<int> ask_queue(world_of_steps& of, step what, int, int seen) {
  const auto& asked = of.*Queue;
  seen = note(seen, what.a % 3 == 0   ? static_cast<int>(asked.size())
                    : what.a % 3 == 1 ? (asked.empty() ? 1 : 0)
                                      : (asked.full() ? 1 : 0));
  co_await yield();
  co_return seen;
}
task<int> work_off(world_of_steps& of, step, int, int seen) {
  seen = note(seen, of.letters.try_get().value_or(98));
  co_await yield();
  if (seen % 7 != 0) co_return seen;
  co_await of.letters.join();
  co_return note(seen, 1);
}
task<int> deal_with_one(world_of_steps& of, step what, int me, int seen) {
  co_await of.letters.put(me + what.b);
  static_cast<void>(co_await of.letters.get());
  of.letters.task_done();
  co_return seen;
}
task<int> shut_down(world_of_steps& of, step what, int, int seen) {
  of.letters.shut_down(what.a % 2 == 0 ? shutdown::when_empty : shutdown::immediate);
  co_await yield();
  co_return seen;
}
constexpr auto stack = &world_of_steps::stack;
constexpr auto ranked = &world_of_steps::ranked;
constexpr step_kind of_queue[] = {{"put", put<letters>},
                                  {"get", get<letters>},
                                  {"put_if_room", put_if_room<letters>},
                                  {"get_if_any", get_if_any<letters>},
                                  {"ask_queue", ask_queue<letters>}};
constexpr step_kind of_queue_ends[] = {{"put", put<letters>},
                                       {"get", get<letters>},
                                       {"shut_down", shut_down},
                                       {"work_off", work_off},
                                       {"deal_with_one", deal_with_one}};
constexpr step_kind of_stack[] = {
    {"push", put<stack>}, {"pop", get<stack>}, {"push_if_room", put_if_room<stack>}, {"pop_if_any", get_if_any<stack>}};
constexpr step_kind of_ranked[] = {{"put_ranked", put<ranked>},
                                   {"get_ranked", get<ranked>},
                                   {"get_ranked_if_any", get_if_any<ranked>},
                                   {"ask_ranked", ask_queue<ranked>}};

task<int> receive(world_of_steps& of, step, int, int seen) {
  int got = 99;
  try {
    got = co_await of.meeting.receive();
  } catch (const channel_closed&) {
  }
  co_return note(seen, got);
}
task<int> try_channel(world_of_steps& of, step what, int me, int seen) {
  if (what.a % 2 == 0) {
    seen = note(seen, of.meeting.try_send(me * 10 + what.b) ? 1 : 0);
  } else {
    seen = note(seen, of.meeting.try_receive().value_or(98));
  }
  co_await yield();
  co_return seen;
}
task<int> close_channel(world_of_steps& of, step what, int, int seen) {
  if (what.a % 2 == 0) {
    of.meeting.close();
  } else {
    seen = note(seen, of.meeting.closed() ? 1 : 0);
  }
  co_await yield();
  co_return seen;
}
constexpr step_kind of_channel[] = {
    {"send", send}, {"receive", receive}, {"try_channel", try_channel}, {"close_channel", close_channel}};

template <auto Broadcast>
task<int> publish(world_of_steps& of, step what, int me, int seen) {
  bool refused = false;
  if (what.a % 3 == 0) {
    seen = note(seen, (of.*Broadcast).try_send(me * 10 + what.b) ? 1 : 0);
    co_await yield();
    co_return seen;
  }
  try {
    co_await (of.*Broadcast).send(me * 10 + what.b);
  } catch (const channel_closed&) {
    refused = true;
  }
  co_return note(seen, refused ? 1 : 0);
}
template <auto Broadcast>
task<int> follow(world_of_steps& of, step what, int, int seen) {
  subscription<int> mine = (of.*Broadcast).subscribe();
  if (what.a % 2 == 0) co_await yield();
  if (what.a % 3 == 0) {
    seen = note(seen, static_cast<int>(mine.backlog()));
    co_await yield();
    co_return note(seen, mine.try_receive().value_or(97));
  }
  int got = 99;
  try {
    got = co_await mine.receive();
  } catch (const channel_closed&) {
  } catch (const lagged& by) {
    got = 50 + static_cast<int>(by.missed());
  }
  co_return note(seen, got);
}
template <auto Broadcast>
task<int> ask_broadcast(world_of_steps& of, step what, int, int seen) {
  auto& asked = of.*Broadcast;
  if (what.a % 3 == 0) asked.close();
  seen = note(seen, static_cast<int>(asked.size() + 10 * asked.subscribers()) + (asked.closed() ? 5 : 0));
  co_await yield();
  co_return seen;
}
constexpr auto news = &world_of_steps::news;
constexpr auto latest = &world_of_steps::latest;
constexpr step_kind of_broadcast[] = {{"publish", publish<news>},
                                      {"follow", follow<news>},
                                      {"follow", follow<news>},
                                      {"ask_broadcast", ask_broadcast<news>}};
constexpr step_kind of_latest[] = {{"publish_latest", publish<latest>},
                                   {"publish_latest", publish<latest>},
                                   {"follow_latest", follow<latest>},
                                   {"ask_latest", ask_broadcast<latest>}};

task<int> get_answer(world_of_steps& of, step, int, int seen) {
  int got = 99;
  try {
    got = co_await of.answer.get();
  } catch (const std::runtime_error&) {
  }
  co_return note(seen, got);
}
task<int> ask_answer(world_of_steps& of, step what, int, int seen) {
  if (what.a % 3 == 0) {
    seen = note(seen, of.answer.cancel() ? 1 : 0);
  } else {
    seen = note(seen, of.answer.done() ? 1 : 0);
  }
  co_await yield();
  co_return seen;
}
constexpr step_kind of_promise[] = {
    {"set_promise", set_promise}, {"get_answer", get_answer}, {"ask_answer", ask_answer}};

constexpr std::span<const step_kind> groups[] = {of_variables, of_mutexes,    of_shared_mutex, of_condition_variable,
                                                 of_event,     of_latch,      of_barrier,      of_semaphore,
                                                 of_queue,     of_queue_ends, of_stack,        of_ranked,
                                                 of_channel,   of_broadcast,  of_latest,       of_promise};

}  // namespace

step_groups steps_of_sync() { return groups; }

}  // namespace lockstep::small
