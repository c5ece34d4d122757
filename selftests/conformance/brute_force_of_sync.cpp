#include "brute_force.hpp"

#include <algorithm>
#include <coroutine>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::brute_force {

namespace {

// -- sync -------------------------------------------------------------------------------------------------------------

task<void> of_mutex(outliving& shared) {
  auto& inside = shared.make<int>();
  mutex& door = make_door(shared, inside);
  works all(lock_and_rest(door, inside), lock_and_rest(door, inside), lock_and_rest(door, inside));
  co_await all.have_ended();
  EXPECT_FALSE(door.locked());
}

template <class Semaphore>
task<void> of_semaphore(outliving& shared) {
  auto& used = shared.make<int>();
  auto& slots = make_slots<Semaphore>(shared, 2, used);
  works all(use_slot(slots, used, 2), use_slot(slots, used, 2), use_slot(slots, used, 2));
  auto another = spawn(use_slot(slots, used, 2));
  co_await all.have_ended();
  co_await another.join();
  EXPECT_EQ(slots.available(), 2u);
}

task<void> wait_for(event& wanted, int& came) {
  const local mine;
  co_await wanted.wait();
  ++came;
  co_await wanted.wait();
}

task<void> of_event(outliving&) {
  event started("started");
  int came = 0;
  works all(wait_for(started, came), wait_for(started, came), wait_for(started, came));
  co_await sleep_for(1s);
  started.set();
  started.clear();
  co_await settle();
  started.set();
  co_await all.have_ended();
  EXPECT_GE(came, 2);
}

struct shelf {
  mutex door{"door"};
  condition_variable filled{door, "filled"};
  int items = 0;
  int taken = 0;
  int put_so_far = 0;

  task<void> take() {
    const local mine;
    const mutex_guard entry = co_await door.lock();
    co_await filled.wait([this] { return items > 0; });
    --items;
    ++taken;
  }
  task<void> put() {
    const mutex_guard entry = co_await door.lock();
    ++items;
    ++put_so_far;
    filled.notify_one();
  }
};

shelf& make_shelf(outliving& shared) {
  auto& of = shared.make<shelf>();
  shared.check([&of] {
    EXPECT_EQ(of.items + of.taken, of.put_so_far);
    EXPECT_FALSE(of.door.locked()) << "nobody rests inside";
  });
  return of;
}

task<void> of_condition_variable(outliving& shared) {
  shelf& of = make_shelf(shared);
  works all(of.take(), of.take(), of.take());
  for (int i = 0; i < 3; ++i) {
    co_await sleep_for(1s);
    co_await of.put();
  }
  co_await all.have_ended();
  EXPECT_EQ(of.items + of.taken, 3);
  EXPECT_FALSE(of.door.locked());
}

task<void> of_condition_variable_with_timeout(outliving& shared) {
  shelf& of = make_shelf(shared);
  const auto impatient = [&]() -> task<void> {
    const local mine;
    try {
      co_await with_timeout(1500ms, of.take());
    } catch (const timed_out&) {
    }
  };
  works all(of.take(), impatient(), impatient());
  co_await sleep_for(2s);
  co_await of.put();
  co_await all.have_ended();
  EXPECT_EQ(of.items, 0);
  EXPECT_EQ(of.taken, 1);
  EXPECT_FALSE(of.door.locked());
}

task<void> meet(barrier& at, int& there) {
  const held here(there, 3);
  co_await at.wait();
}

task<void> of_barrier(outliving& shared) {
  auto& start = shared.make<barrier>(3u, label("start"));
  auto& there = shared.make<int>();
  shared.check([&] { EXPECT_EQ(start.waiting_now(), static_cast<std::size_t>(there)); });
  works all(meet(start, there), meet(start, there), meet(start, there));
  co_await settle();
  if (start.waiting_now() == 2) co_await meet(start, there);  // in the victim's place
  co_await all.have_ended();
  EXPECT_EQ(start.waiting_now(), 0u);
}

task<void> read_and_write(shared_mutex& door, int& readers, int& writers) {
  {
    const auto entry = co_await door.lock_shared();
    const held here(readers, 3);
    EXPECT_EQ(writers, 0);
    co_await sleep_for(1s);
  }
  const auto entry = co_await door.lock();
  const held here(writers, 1);
  EXPECT_EQ(readers, 0);
  co_await sleep_for(1s);
}

task<void> of_shared_mutex(outliving& shared) {
  auto& readers = shared.make<int>();
  auto& writers = shared.make<int>();
  shared_mutex& door = make_door_for_readers(shared, readers, writers);
  works all(read_and_write(door, readers, writers), read_and_write(door, readers, writers),
            read_and_write(door, readers, writers));
  co_await all.have_ended();
  EXPECT_TRUE(door.try_lock());
  door.unlock();
}

task<void> of_latch(outliving&) {
  latch ready(2, "ready");
  const auto wait_for_it = [&]() -> task<void> {
    const local mine;
    co_await ready.wait();
  };
  works all(wait_for_it(), wait_for_it(), wait_for_it());
  co_await sleep_for(1s);
  ready.count_down();
  co_await settle();
  ready.count_down();
  co_await all.have_ended();
}

task<void> of_channel(outliving&) {
  channel<int> line("line");
  int sent = 0;
  int received = 0;
  const auto send_two = [&]() -> task<void> {
    const local mine;
    for (int i = 0; i < 2; ++i) {
      co_await line.send(i);
      ++sent;
    }
  };
  const auto receive_all = [&]() -> task<void> {
    const local mine;
    try {
      for (;; ++received) {
        co_await line.receive();
        co_await sleep_for(1s);
      }
    } catch (const channel_closed&) {
    }
  };
  works all(send_two(), send_two(), send_two());
  auto reader = spawn(receive_all(), "reader");
  co_await all.have_ended();
  line.close();
  co_await reader.join();
  EXPECT_EQ(sent, received) << "it is sent exactly if send() returns";
  EXPECT_GE(sent, 4);
}

template <class Queue>
task<void> get_letter(Queue& from, std::string& got) {
  const local mine;
  got += co_await from.get();
}

template <class Queue>
task<void> of_queue_get(outliving& shared) {
  auto& letters = shared.make<Queue>(Queue::unbounded, label("letters"));
  auto& got = shared.make<std::string>();
  auto& put = shared.make<std::size_t>();
  shared.check([&] { EXPECT_EQ(letters.size() + got.size(), put); });
  works all(get_letter(letters, got), get_letter(letters, got), get_letter(letters, got));
  co_await sleep_for(1s);
  for (const char* const each : {"a", "b", "c"}) {
    EXPECT_TRUE(letters.try_put(each));
    ++put;
  }
  co_await all.have_ended();
  while (auto left = letters.try_get()) got += *left;
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, "abc");
}

task<void> of_queue_put(outliving& shared) {
  auto& of = shared.make<boxes_of_one>();
  const auto put_two = [&]() -> task<void> {
    const local mine;
    for (int i = 0; i < 2; ++i) {
      co_await of.boxes.put(i);
      ++of.put;
    }
  };
  co_await of.disturbed(put_two);
  EXPECT_GE(of.put, 4u);
}

task<void> of_queue_join(outliving&) {
  queue<int> jobs(queue<int>::unbounded, "jobs");
  for (int i = 0; i < 3; ++i) co_await jobs.put(i);
  const auto work_off = [&]() -> task<void> {
    const local mine;
    while (jobs.try_get()) {
      co_await sleep_for(1s);
      jobs.task_done();
    }
  };
  const auto wait_for_all = [&]() -> task<void> {
    const local mine;
    co_await jobs.join();
  };
  works all(work_off(), wait_for_all(), wait_for_all());
  co_await all.have_ended();
  EXPECT_TRUE(jobs.empty());
}

task<void> of_point(outliving&) {
  const order in_turn("opened", "enter", "enter");
  const auto enter = []() -> task<void> {
    const local mine;
    co_await point("enter");
  };
  works all(enter(), enter(), enter());
  co_await settle();
  co_await point("opened");
  co_await all.have_ended();
}

// -- time -------------------------------------------------------------------------------------------------------------

task<void> of_time(outliving&) {
  const auto pass = []() -> task<void> {
    const local mine;
    co_await sleep_for(1s);
    co_await yield();
    co_await settle();
    co_await advance(2s);
    co_await sleep_until(now());
  };
  works all(pass(), pass(), pass());
  co_await all.have_ended();
  co_await sleep_for(1s);
}

// -- what is foreign --------------------------------------------------------------------------------------------------

// Lets those go on who wait when it opens. An awaiter that dies leaves it.
class foreign_gate {
 public:
  class awaiter {
   public:
    explicit awaiter(foreign_gate& at) : at_(at) {}
    awaiter(const awaiter&) = delete;
    awaiter& operator=(const awaiter&) = delete;
    ~awaiter() { std::erase(at_.waiting_, this); }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> who) {
      at_.waiting_.push_back(this);
      who_ = who;
    }
    void await_resume() const noexcept {}

   private:
    friend class foreign_gate;
    foreign_gate& at_;
    std::coroutine_handle<> who_;
  };

  awaiter operator co_await() { return awaiter(*this); }
  void open() {
    for (awaiter* each : std::exchange(waiting_, {})) each->who_.resume();
  }

 private:
  std::vector<awaiter*> waiting_;
};

task<void> of_foreign_awaitable(outliving&) {
  foreign_gate gate;
  const auto pass = [&]() -> task<void> {
    const local mine;
    co_await gate;
    co_await yield();
  };
  works all(pass(), pass(), pass());
  co_await settle();
  gate.open();
  co_await all.have_ended();
}

}  // namespace

std::vector<program> programs_of_sync() {
  return {
      {"mutex", of_mutex},
      {"semaphore", of_semaphore<semaphore>},
      {"bounded_semaphore", of_semaphore<bounded_semaphore>},
      {"event", of_event},
      {"condition_variable", of_condition_variable},
      {"condition_variable_with_timeout", of_condition_variable_with_timeout},
      {"barrier", of_barrier},
      {"queue_get", of_queue_get<queue<std::string>>},
      {"lifo_queue_get", of_queue_get<lifo_queue<std::string>>},
      {"priority_queue_get", of_queue_get<priority_queue<std::string>>},
      {"shared_mutex", of_shared_mutex},
      {"latch", of_latch},
      {"channel", of_channel},
      {"queue_put", of_queue_put},
      {"queue_join", of_queue_join},
      {"point", of_point},
      {"time", of_time},
      {"foreign_awaitable", of_foreign_awaitable},
  };
}

}  // namespace lockstep::brute_force
