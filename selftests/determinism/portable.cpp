// Runs that touch every primitive, and the hash of each: what portable.py builds in several ways and compares.
//
// Each program runs in both orderings under plain, round_robin and random schedules. It has no unsequenced effects: of
// two tasks that are handed to one call, each is made in a statement of its own.
#include "foreign.hpp"
#include "packets.hpp"

#include <lockstep/explore/replay.hpp>
#include <lockstep/lockstep.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {
using namespace lockstep;
using namespace std::chrono_literals;

// What the programs compute, so that more than the order of steps is compared.
std::uint64_t checksum = 0;
void note(std::uint64_t value) { checksum = roll(checksum, value); }

duration jitter(std::string_view what) { return random_duration(what, 1ms, 50ms); }

// -- locks and signals ------------------------------------------------------------------------------------------------

task<void> transfer(mutex& lock, int& balance, int amount) {
  for (int i = 0; i < 4; ++i) {
    const auto held = co_await lock.lock();
    const int before = balance;
    co_await yield();
    balance = before + amount;
    co_await sleep_for(jitter("transfer"));
  }
}

task<void> consume_when_full(condition_variable& changed, mutex& lock, int& items) {
  for (int i = 0; i < 3; ++i) {
    const auto held = co_await lock.lock();
    const auto full = [&items] { return items >= 2; };
    co_await changed.wait(full);
    items -= 2;
    note(static_cast<std::uint64_t>(items));
    changed.notify_all();
  }
}

task<void> produce(condition_variable& changed, mutex& lock, int& items) {
  for (int i = 0; i < 6; ++i) {
    const auto held = co_await lock.lock();
    const auto room = [&items] { return items < 3; };
    co_await changed.wait(room);
    ++items;
    changed.notify_one();
  }
}

task<void> locks() {
  mutex lock("balance");
  int balance = 0;
  auto first = spawn(transfer(lock, balance, 3), "first");
  auto second = spawn(transfer(lock, balance, 5));
  auto third = spawn(transfer(lock, balance, 7));
  mutex guard;
  condition_variable changed(guard);
  int items = 0;
  auto consumer = spawn(consume_when_full(changed, guard, items));
  auto producer = spawn(produce(changed, guard, items));
  co_await third.join();
  co_await first.join();
  co_await second.join();
  co_await producer.join();
  co_await consumer.join();
  note(static_cast<std::uint64_t>(balance));
}

task<void> meet(barrier& here, semaphore& permits, event& go, int who) {
  co_await go.wait();
  for (int i = 0; i < 3; ++i) {
    co_await permits.acquire();
    const permit held(permits);
    co_await sleep_for(random_duration("work", 1ms, 9ms) * who);
  }
  note(co_await here.wait());
}

task<void> signals() {
  barrier here(4);
  bounded_semaphore permits(2, "permits");
  event go;
  std::vector<join_handle<void>> handles;
  for (int who = 1; who <= 4; ++who) handles.push_back(spawn(meet(here, permits, go, who)));
  co_await sleep_for(5ms);
  go.set();
  for (auto& each : handles) co_await each.join();
}

// -- queues -----------------------------------------------------------------------------------------------------------

task<void> fill(queue<int>& pages, int from) {
  for (int i = 0; i < 5; ++i) co_await pages.put(from + i);
}

task<void> empty(queue<int>& pages) {
  for (;;) {
    int page = 0;
    try {
      page = co_await pages.get();
    } catch (const queue_shut_down&) {
      co_return;
    }
    co_await sleep_for(jitter("fetch"));
    note(static_cast<std::uint64_t>(page));
    pages.task_done();
  }
}

task<void> queues() {
  queue<int> pages(2, "pages");
  auto left = spawn(empty(pages));
  auto right = spawn(empty(pages));
  auto evens = spawn(fill(pages, 100));
  auto odds = spawn(fill(pages, 201));
  co_await evens.join();
  co_await odds.join();
  co_await pages.join();
  pages.shut_down();
  co_await left.join();
  co_await right.join();
}

// -- cancellation, timeouts, groups -----------------------------------------------------------------------------------

task<int> value_after(duration delay, int value) {
  co_await sleep_for(delay);
  co_return value;
}

task<int> fail_after(duration delay) {
  co_await sleep_for(delay);
  throw std::runtime_error("no route");
}

task<void> clean_up() {
  co_await sleep_for(3ms);
  note(1);
}

task<void> until_cancelled() {
  bool stopped = false;
  try {
    co_await sleep_until(time_point::max());
  } catch (const cancelled&) {
    stopped = true;
  }
  if (stopped) co_await shield(clean_up());
}

task<void> cancellation() {
  auto waiting = spawn(until_cancelled());
  co_await settle();
  waiting.cancel("enough");
  co_await waiting.join();

  for (int i = 1; i <= 6; ++i) {
    try {
      auto slow = value_after(jitter("slow"), i);
      note(static_cast<std::uint64_t>(co_await with_timeout(25ms, std::move(slow))));
    } catch (const timed_out&) {
      note(99);
    }
  }

  auto one = value_after(jitter("one"), 1);
  auto two = value_after(jitter("two"), 2);
  const auto first = co_await when_any(std::move(one), std::move(two));
  note(first.index);

  auto good = value_after(jitter("good"), 3);
  auto bad = fail_after(jitter("bad"));
  try {
    co_await when_all(std::move(good), std::move(bad));
  } catch (const std::runtime_error&) {
    note(4);
  }

  auto three = value_after(2ms, 3);
  auto four = value_after(1ms, 4);
  const auto both = co_await when_all(std::move(three), std::move(four));
  note(static_cast<std::uint64_t>(std::get<0>(both) + 10 * std::get<1>(both)));
}

task<void> groups() {
  const auto fetch_all = [](task_group& group) -> task<void> {
    for (int i = 0; i < 5; ++i) group.spawn(value_after(jitter("page"), i));
    co_await yield();
  };
  co_await with_task_group(fetch_all);

  const auto fail_early = [](task_group& group) -> task<void> {
    group.spawn(until_cancelled());
    group.spawn(fail_after(jitter("failure")));
    group.spawn(value_after(jitter("page"), 1));
    co_await sleep_for(1s);
  };
  try {
    co_await with_task_group(fail_early);
  } catch (const exception_group& failed) {
    note(failed.exceptions().size());
  }
  note(static_cast<std::uint64_t>(now().time_since_epoch().count()));
}

// -- time, daemons, points, others' coroutines ------------------------------------------------------------------------

task<void> tick(int& ticks) {
  for (;;) {
    co_await sleep_for(10ms);
    ++ticks;
  }
}

// Sleeps until an instant at which others wake too.
task<void> wake_together(int who) {
  for (int i = 1; i <= 3; ++i) {
    co_await sleep_until(time_point(i * 20ms));
    note(static_cast<std::uint64_t>(who));
  }
}

task<void> times() {
  int ticks = 0;
  spawn_daemon(tick(ticks), "ticker");
  std::vector<join_handle<void>> handles;
  for (int who = 0; who < 4; ++who) handles.push_back(spawn(wake_together(who)));
  for (auto& each : handles) co_await each.join();
  pause_clock();
  co_await advance(35ms);
  resume_clock();
  shift_wall_clock(-1h);
  note(static_cast<std::uint64_t>(ticks));
  note(static_cast<std::uint64_t>(wall_now().time_since_epoch().count()));
}

task<void> pass(std::string name) {
  co_await point(name + ":in");
  co_await yield();
  co_await point(name + ":out");
}

task<void> points() {
  const order wanted("b:in", "a:in", "a:out", "b:out");
  auto a = spawn(pass("a"));
  auto b = spawn(pass("b"));
  co_await a.join();
  co_await b.join();
}

foreign sleep_twice(mutex& lock) {
  co_await sleep_for(jitter("abroad"));
  const auto held = co_await lock.lock();
  note(static_cast<std::uint64_t>(co_await value_after(2ms, 8)));
}

task<void> go_abroad(mutex& lock) {
  foreign trip = sleep_twice(lock);
  co_await std::move(trip);
}

task<void> abroad() {
  mutex lock;
  auto a = spawn(go_abroad(lock));
  auto b = spawn(go_abroad(lock));
  co_await a.join();
  co_await b.join();
}

// -- one of several operations, generators ----------------------------------------------------------------------------

task<void> say(std::uint64_t what) {
  co_await sleep_for(jitter("goodbye"));
  note(what);
}

async_generator<int> arrivals(queue<int>& from, int who) {
  on_close([who] { return say(static_cast<std::uint64_t>(100 + who)); });
  for (int i = 0; i < 4; ++i) co_yield co_await from.get();
}

task<void> pick_first(queue<int>& left, queue<int>& right, event& stop) {
  for (;;) {
    const auto first = co_await select(left.get(), stop.wait(), right.get(), sleep_for(jitter("patience")));
    note(first.index);
    if (first.index == 1) co_return;
  }
}

generator<int> countdown(int from) {
  co_yield int{from};
  if (from > 0) co_yield elements_of(countdown(from - 1));
}

task<void> take(queue<int>& from, int who, int most) {
  auto items = arrivals(from, who);
  for (int i = 0; i < most; ++i) {
    if (const int* item = co_await items.next(); item != nullptr) note(static_cast<std::uint64_t>(*item));
  }
}

task<void> selects() {
  queue<int> left;
  queue<int> right(1);
  event stop;
  auto one = spawn(pick_first(left, right, stop));
  auto two = spawn(pick_first(right, left, stop));
  auto some = spawn(take(left, 1, 2));
  auto all = spawn(take(right, 2, 5));
  for (const int item : countdown(12)) {
    co_await select(left.put(item), right.put(item + 100));
    if (item % 3 == 0) co_await sleep_for(jitter("pause"));
  }
  some.cancel();
  all.cancel();
  for (join_handle<void>* each : {&some, &all}) {
    try {
      co_await each->join();
    } catch (const cancelled&) {
      note(3);
    }
  }
  stop.set();
  co_await one.join();
  co_await two.join();
}

// -- hand-overs -------------------------------------------------------------------------------------------------------

task<void> read_page(shared_mutex& lock, int& page, latch& ready) {
  for (int i = 0; i < 3; ++i) {
    const shared_guard reading = co_await lock.lock_shared();
    note(static_cast<std::uint64_t>(page));
    co_await sleep_for(jitter("read"));
  }
  co_await ready.arrive_and_wait();
}

task<void> write_page(shared_mutex& lock, int& page, latch& ready) {
  for (int i = 0; i < 2; ++i) {
    const exclusive_guard writing = co_await lock.lock();
    ++page;
    co_await sleep_for(jitter("write"));
  }
  co_await ready.arrive_and_wait();
}

task<void> rank(channel<int>& from, priority_queue<int>& by_rank, lifo_queue<int>& latest) {
  for (int i = 0; i < 4; ++i) {
    const int item = co_await from.receive();
    co_await by_rank.put(item % 3);
    co_await latest.put(item);
  }
}

task<void> submit(channel<int>& to, int from) {
  for (int i = 0; i < 4; ++i) {
    co_await sleep_for(jitter("submit"));
    co_await to.send(from + i);
  }
}

task<void> follow(subscription<int> seen) {
  bool more = true;
  while (more) {
    try {
      note(static_cast<std::uint64_t>(co_await seen.receive()));
    } catch (const lagged& gap) {
      note(gap.missed());
    } catch (const channel_closed&) {
      more = false;
    }
    if (more) co_await sleep_for(jitter("follow"));
  }
}

task<void> hand_overs() {
  shared_mutex lock;
  latch ready(3);
  int page = 0;
  auto one = spawn(read_page(lock, page, ready));
  auto two = spawn(write_page(lock, page, ready));
  auto three = spawn(read_page(lock, page, ready));
  channel<int> between;
  priority_queue<int> by_rank;
  lifo_queue<int> latest;
  auto left = spawn(rank(between, by_rank, latest));
  auto right = spawn(rank(between, by_rank, latest));
  auto low = spawn(submit(between, 10));
  auto high = spawn(submit(between, 20));
  broadcast<int> news(2);
  broadcast<int> flashes(2, overflow::drop_oldest);
  auto reader = spawn(follow(news.subscribe()));
  auto watcher = spawn(follow(flashes.subscribe()));
  for (int i = 0; i < 6; ++i) {
    co_await news.send(i);
    co_await flashes.send(i);
    co_await sleep_for(jitter("news"));
  }
  news.close();
  flashes.close();
  co_await ready.wait();
  for (auto* each : {&one, &two, &three, &left, &right, &low, &high, &reader, &watcher}) co_await each->join();
  while (!by_rank.empty()) note(static_cast<std::uint64_t>(co_await by_rank.get()));
  while (!latest.empty()) note(static_cast<std::uint64_t>(co_await latest.get()));
}

// -- futures, calls, task-local values --------------------------------------------------------------------------------

constinit task_local<std::uint64_t> request{0};

task<void> ask(future<int> answer, std::uint64_t who) {
  request.set(who);
  answer.on_done([who] { note(who + request.get()); });
  try {
    note(static_cast<std::uint64_t>(co_await answer.get()));
  } catch (const std::runtime_error&) {
    note(request.get());
  }
}

task<void> look_at_request(duration after) {
  co_await sleep_for(after);
  note(request.get());
}

task<void> futures() {
  promise<int> kept;
  promise<int> failed;
  std::vector<join_handle<void>> all;
  for (std::uint64_t who = 10; who < 13; ++who) {
    all.push_back(spawn(ask(who == 11 ? failed.get_future() : kept.get_future(), who)));
  }
  call_later(jitter("answer"), [&kept] { kept.set_value(7); });
  call_at(now() + 20ms, [&failed] { failed.set_exception(std::make_exception_ptr(std::runtime_error("no route"))); });
  callback_handle never = call_later(20ms, [] { note(0); });
  for (std::uint64_t each = 20; each < 23; ++each) call_soon([each] { note(each); });
  const loop_remote home;
  home.call_soon_threadsafe([] { note(23); });
  request.set(30);
  all.push_back(spawn(look_at_request(20ms)));
  {
    const auto bound = request.bind(31);
    all.push_back(spawn_eager(look_at_request(jitter("look"))));
    co_await sleep_for(10ms);
  }
  note(request.get());
  never.cancel();
  for (auto& each : all) co_await each.join();
}

// -- waiting for several ----------------------------------------------------------------------------------------------

task<void> read_shared(shared_task<int> page) { note(static_cast<std::uint64_t>(co_await page.get())); }

task<void> combinators() {
  auto one = spawn(value_after(jitter("one"), 1));
  auto two = spawn(value_after(jitter("two"), 2));
  const waited early = co_await wait(wait_until::first_completed, 15ms, one, two);
  note(early.done.size());
  note((co_await wait(wait_until::all_completed, two, one)).done.front());

  std::vector<task<int>> pages;
  for (int i = 0; i < 4; ++i) pages.push_back(value_after(jitter("page"), i));
  as_completed<int> each(std::move(pages));
  while (join_handle<int>* const next = co_await each.next()) note(static_cast<std::uint64_t>(next->result()));

  auto good = value_after(jitter("good"), 3);
  auto bad = fail_after(jitter("bad"));
  const auto [kept, lost] = co_await when_all_settled(std::move(good), std::move(bad));
  note(static_cast<std::uint64_t>(kept.value()) + (lost.has_value() ? 0u : 10u));

  const shared_task<int> once(value_after(jitter("once"), 5));
  auto first = spawn(read_shared(once));
  auto second = spawn(read_shared(once));
  try {
    auto late = value_after(jitter("late"), 6);
    note(static_cast<std::uint64_t>(co_await with_timeout_at(now() + 25ms, std::move(late))));
  } catch (const timed_out&) {
    note(98);
  }
  co_await first.join();
  co_await second.join();

  const auto race = [](task_group& group) -> task<void> {
    const auto finish = [&group](std::uint64_t who) -> task<void> {
      co_await sleep_for(jitter("race"));
      note(who);
      group.cancel();
    };
    for (std::uint64_t who = 40; who < 43; ++who) group.spawn(finish(who));
    co_await until_cancelled();
  };
  co_await with_task_group(race);
}

// -- blocking work ----------------------------------------------------------------------------------------------------

task<void> compute(thread_pool& on, std::uint64_t what, duration length) {
  const auto job = [what, length] {
    consume(length);
    return what;
  };
  note(co_await run_blocking(on, job));
}

task<void> blocking_work() {
  thread_pool workers(2, "workers");
  std::vector<join_handle<void>> all;
  for (std::uint64_t i = 0; i < 5; ++i) all.push_back(spawn(compute(workers, i, jitter("job"))));
  co_await sleep_for(5ms);
  all[3].cancel();
  for (auto& each : all) {
    try {
      co_await each.join();
    } catch (const cancelled&) {
      note(3);
    }
  }
  note(co_await workers.shut_down());
  note(co_await run_blocking([] { return std::uint64_t{6}; }));  // on the default executor
}

// -- all of them ------------------------------------------------------------------------------------------------------

struct portable_program {
  std::string_view name;
  task<void> (*main)();
};
constexpr portable_program programs[] = {{"locks", locks},
                                         {"signals", signals},
                                         {"queues", queues},
                                         {"cancellation", cancellation},
                                         {"groups", groups},
                                         {"times", times},
                                         {"points", points},
                                         {"abroad", abroad},
                                         {"selects", selects},
                                         {"hand_overs", hand_overs},
                                         {"futures", futures},
                                         {"combinators", combinators},
                                         {"blocking_work", blocking_work},
                                         {"packets", portable::packets}};

// Runs `of` under `how` and prints a line; false if something was wrong with the run.
bool run(sim::world& world, const portable_program& of, const token& how) {
  guided_oracle choices(how);
  sim::world_options options;
  options.order = how.order;
  options.choices = how.base == schedule::plain ? nullptr : &choices;
  checksum = 0;
  world.start(options);
  const bool ended = world.drive(of.main());
  const sim::run_summary summary = world.finish();
  if (portable::packets_checksum != 0) note(std::exchange(portable::packets_checksum, 0));
  fmt::print("{} {}{}{}: trace {:016x}, {} steps, {}, sum {:016x}, choices {}\n", of.name, name_of(how.base),
             how.base == schedule::random ? fmt::format("-{}", how.seed) : "",
             how.order == ordering::fifo ? "/fifo" : "", summary.trace_hash, summary.steps,
             to_text(summary.virtual_time), checksum, choices.print(summary.trace_hash).digits);
  for (const verdict& found : world.verdicts()) fmt::print("  {}: {}\n", name_of(found.kind), found.message);
  if (world.failure()) fmt::print("  failed: {}\n", text_of(world.failure()));
  return ended && world.verdicts().empty() && !world.failure();
}

}  // namespace

int main() {
  sim::world world;
  bool good = true;
  for (const portable_program& each : programs) {
    for (const ordering order : {ordering::any_order, ordering::fifo}) {
      token how;
      how.order = order;
      good &= run(world, each, how);
      how.base = schedule::round_robin;
      good &= run(world, each, how);
      how.base = schedule::random;
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        how.seed = seed;
        good &= run(world, each, how);
      }
    }
  }
  return good ? 0 : 1;
}
