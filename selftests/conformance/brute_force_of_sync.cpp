#include "brute_force.hpp"

#include <algorithm>
#include <coroutine>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::brute_force {

namespace {

// -- sync -------------------------------------------------------------------------------------------------------------

task<void> of_mutex() {
  mutex door("door");
  int inside = 0;
  works all(lock_and_rest(door, inside), lock_and_rest(door, inside), lock_and_rest(door, inside));
  co_await all.have_ended();
  EXPECT_FALSE(door.locked());
}

template <class Semaphore>
task<void> of_semaphore() {
  Semaphore slots(2, "slots");
  int used = 0;
  const quiesce_check no_slot_is_lost(
      [&] { EXPECT_EQ(slots.available() + static_cast<std::uint64_t>(used), 2u) << "of two slots"; });
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

task<void> of_event() {
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
    filled.notify_one();
  }
};

task<void> of_condition_variable() {
  shelf of;
  works all(of.take(), of.take(), of.take());
  for (int i = 0; i < 3; ++i) {
    co_await sleep_for(1s);
    co_await of.put();
  }
  co_await all.have_ended();
  EXPECT_EQ(of.items + of.taken, 3);
  EXPECT_FALSE(of.door.locked());
}

task<void> of_condition_variable_with_timeout() {
  shelf of;
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

task<void> meet(barrier& at) {
  const local mine;
  co_await at.wait();
}

task<void> of_barrier() {
  barrier start(3, "start");
  works all(meet(start), meet(start), meet(start));
  co_await settle();
  if (start.waiting_now() == 2) co_await start.wait();  // in the victim's place
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

task<void> of_shared_mutex() {
  shared_mutex door("door");
  int readers = 0;
  int writers = 0;
  works all(read_and_write(door, readers, writers), read_and_write(door, readers, writers),
            read_and_write(door, readers, writers));
  co_await all.have_ended();
  EXPECT_TRUE(door.try_lock());
  door.unlock();
}

task<void> of_latch() {
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

task<void> of_channel() {
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
task<void> of_queue_get() {
  Queue letters(Queue::unbounded, "letters");
  std::string got;
  works all(get_letter(letters, got), get_letter(letters, got), get_letter(letters, got));
  co_await sleep_for(1s);
  for (const char* const each : {"a", "b", "c"}) co_await letters.put(each);
  co_await all.have_ended();
  while (auto left = letters.try_get()) got += *left;
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, "abc");
}

task<void> of_queue_put() {
  queue<int> boxes(1, "boxes");
  int put = 0;
  int got = 0;
  const auto put_two = [&]() -> task<void> {
    const local mine;
    for (int i = 0; i < 2; ++i) {
      co_await boxes.put(i);
      ++put;
    }
  };
  const auto get_all = [&]() -> task<void> {
    const local mine;
    try {
      for (;; ++got) {
        co_await boxes.get();
        co_await sleep_for(1s);
      }
    } catch (const queue_shut_down&) {
    }
  };
  works all(put_two(), put_two(), put_two());
  auto reader = spawn(get_all(), "reader");
  co_await all.have_ended();
  boxes.shut_down();
  co_await reader.join();
  EXPECT_EQ(put, got) << "it is put exactly if put() returns";
  EXPECT_GE(put, 4);
}

task<void> of_queue_join() {
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

task<void> of_point() {
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

task<void> of_time() {
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

task<void> of_foreign_awaitable() {
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
