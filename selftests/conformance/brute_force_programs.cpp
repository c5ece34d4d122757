#include "brute_force.hpp"

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace lockstep::brute_force {

namespace {

using namespace std::chrono_literals;

// -- the parts of a program -------------------------------------------------------------------------------------------

// Whether it is what a disturbed task ends with.
bool is_disturbance(const std::exception_ptr& thrown) {
  if (holds<cancelled>(thrown) || holds<std::bad_alloc>(thrown)) return true;
  try {
    std::rethrow_exception(thrown);
  } catch (const exception_group& several) {
    const auto& all = several.exceptions();
    return std::all_of(all.begin(), all.end(), is_disturbance);
  } catch (...) {
    return false;
  }
}

// Waits for the victim's end, and returns whether it came to its own.
template <class T>
task<bool> has_survived(join_handle<T>& victim) {
  std::exception_ptr thrown;
  try {
    co_await victim.join();
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown != nullptr && !is_disturbance(thrown)) std::rethrow_exception(thrown);
  co_return thrown == nullptr;
}

// The works of a program beside each other: the victim between two others.
class works {
 public:
  works(task<void> before, task<void> disturbed_work, task<void> after)
      : first(spawn(std::move(before), "first")), victim(spawn(std::move(disturbed_work), "victim")),
        last(spawn(std::move(after), "last")) {
    put_under_test(victim);
  }
  // Waits for all, and returns whether the victim has come to its own end.
  task<bool> have_ended() {
    co_await first.join();
    const bool survived = co_await has_survived(victim);
    co_await last.join();
    co_return survived;
  }

  join_handle<void> first;
  join_handle<void> victim;
  join_handle<void> last;
};

// Counts the holders of something.
class held {
 public:
  explicit held(int& holders, int most) : holders_(holders) { EXPECT_LE(++holders_, most); }
  held(const held&) = delete;
  held& operator=(const held&) = delete;
  ~held() { --holders_; }

 private:
  int& holders_;
  const local mine_;
};

// -- sync -------------------------------------------------------------------------------------------------------------

task<void> lock_and_rest(mutex& door, int& inside) {
  const mutex_guard entry = co_await door.lock();
  const held here(inside, 1);
  co_await sleep_for(1s);
}

task<void> of_mutex() {
  mutex door("door");
  int inside = 0;
  works all(lock_and_rest(door, inside), lock_and_rest(door, inside), lock_and_rest(door, inside));
  co_await all.have_ended();
  EXPECT_FALSE(door.locked());
}

task<void> use_slot(semaphore& slots, int& used, int most) {
  co_await slots.acquire();
  const permit slot(slots);
  const held here(used, most);
  co_await sleep_for(1s);
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

task<void> get_letter(queue<std::string>& from, std::string& got) {
  const local mine;
  got += co_await from.get();
}

task<void> of_queue_get() {
  queue<std::string> letters(queue<std::string>::unbounded, "letters");
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

// -- tasks and combinators --------------------------------------------------------------------------------------------

// What a combinator is given to do: it takes one of two slots.
struct slots_of_two {
  semaphore slots{2, "slots"};
  int used = 0;
  const quiesce_check no_slot_is_lost{[this] { EXPECT_EQ(slots.available() + static_cast<std::uint64_t>(used), 2u); }};

  task<void> use() { return use_slot(slots, used, 2); }
  task<int> use_and_return(int value) {
    co_await use();
    co_return value;
  }
  task<void> use_and_fail() {
    co_await use();
    throw std::runtime_error("disk full");
  }
  // Disturbs `work` while another task uses the slots too.
  task<void> disturbed(task<void> work) {
    works all(use(), std::move(work), use());
    co_await all.have_ended();
    EXPECT_EQ(slots.available(), 2u);
    EXPECT_EQ(used, 0);
  }
};

task<void> of_join() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    auto child = spawn(of.use_and_return(7), "child");
    EXPECT_EQ(co_await child.join(), 7);
  };
  co_await of.disturbed(work());
}

task<void> of_join_shielded() {
  slots_of_two of;
  auto child = spawn(of.use(), "child");
  const auto work = [&]() -> task<void> {
    const local mine;
    co_await child.join_shielded();
  };
  works all(of.use(), work(), of.use());
  co_await all.have_ended();
  co_await child.join();
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_when_all() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    const auto [one, two] = co_await when_all(of.use_and_return(1), of.use_and_return(2));
    EXPECT_EQ(one + two, 3);
  };
  co_await of.disturbed(work());
}

task<void> of_when_all_that_fails() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    try {
      co_await when_all(of.use_and_fail(), of.use(), of.use());
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "disk full");
    }
    co_await yield();
  };
  co_await of.disturbed(work());
}

task<void> of_when_all_of_many() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    std::vector<task<int>> parts;
    for (int i = 0; i < 4; ++i) parts.push_back(of.use_and_return(i));
    EXPECT_EQ((co_await when_all(std::move(parts))).size(), 4u);
  };
  co_await of.disturbed(work());
}

task<void> of_when_any() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    const auto first = co_await when_any(of.use_and_return(1), of.use_and_return(2));
    EXPECT_LT(first.index, 2u);
  };
  co_await of.disturbed(work());
}

task<void> of_when_all_settled() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    const auto [one, two] = co_await when_all_settled(of.use_and_return(1), of.use_and_return(2));
    EXPECT_TRUE(one.has_value() || two.has_value()) << "one allocation fails at most";
  };
  co_await of.disturbed(work());
}

task<void> of_wait() {
  slots_of_two of;
  auto one = spawn(of.use(), "one");
  auto other = spawn(of.use(), "other");
  const auto work = [&]() -> task<void> {
    const local mine;
    co_await wait(wait_until::first_completed, 500ms, one, other);
    EXPECT_EQ((co_await wait(wait_until::all_completed, one, other)).done.size(), 2u);
  };
  works all(of.use(), work(), of.use());
  co_await all.have_ended();
  co_await one.join();
  co_await other.join();
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_as_completed() {
  slots_of_two of;
  std::vector<join_handle<int>> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(spawn(of.use_and_return(i)));
  as_completed<int> each(handles);
  std::size_t yielded = 0;
  const auto work = [&]() -> task<void> {
    const local mine;
    while (co_await each.next() != nullptr) ++yielded;
  };
  works all(of.use(), work(), of.use());
  co_await all.have_ended();
  while (co_await each.next() != nullptr) ++yielded;
  EXPECT_EQ(yielded, 3u) << "what the victim was not given, the next one is";
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_shared_task() {
  slots_of_two of;
  const shared_task<int> once(of.use_and_return(7));
  once.start();  // here, so that it is no part of the victim
  int got = 0;
  const auto read = [&]() -> task<void> {
    const local mine;
    got += co_await once.get();
  };
  works all(read(), read(), read());
  co_await all.have_ended();
  EXPECT_GE(got, 14);
  EXPECT_EQ(of.slots.available(), 2u);
}

task<void> of_timeout() {
  slots_of_two of;
  const auto work = [&]() -> task<void> { co_await with_timeout(1h, of.use()); };
  co_await of.disturbed(work());
}

task<void> of_timeout_that_expires() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    bool expired = false;
    try {
      co_await with_timeout(500ms, of.use());
    } catch (const timed_out&) {
      expired = true;
    }
    EXPECT_TRUE(expired);
    co_await of.use();
  };
  co_await of.disturbed(work());
}

task<void> of_shield() {
  slots_of_two of;
  int begun = 0;
  int done = 0;
  const auto work = [&]() -> task<void> {
    const auto commit = [&]() -> task<void> {
      ++begun;
      co_await sleep_for(1s);
      ++done;
      co_await yield();
    };
    co_await shield(commit());
    co_await of.use();
  };
  co_await of.disturbed(work());
  EXPECT_EQ(begun, done);
}

task<void> of_task_group() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(of.use(), "child");
      group.spawn(of.use(), "another child");
      co_await of.use();
    };
    co_await with_task_group(body);
  };
  co_await of.disturbed(work());
}

task<void> of_task_group_that_fails() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(of.use_and_fail());
      group.spawn(of.use());
      co_await sleep_for(1h);
    };
    bool failed = false;
    try {
      co_await with_task_group(body);
    } catch (const exception_group& several) {
      const auto& all = several.exceptions();
      failed = true;
      EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const std::exception_ptr& each) {
        return holds<std::runtime_error>(each) || is_disturbance(each);
      }));
    }
    EXPECT_TRUE(failed);
    co_await yield();
  };
  co_await of.disturbed(work());
}

task<void> of_group_without_body() {
  slots_of_two of;
  const auto work = [&]() -> task<void> {
    task_group group("group");
    group.spawn(of.use());
    group.spawn(of.use());
    co_await group.join();
  };
  co_await of.disturbed(work());
}

#ifdef __cpp_lib_jthread
task<void> of_stop_token() {
  slots_of_two of;
  std::stop_source stop;
  co_await of.disturbed(with_stop_token(stop.get_token(), of.use()));
}
#endif

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

// -- several together -------------------------------------------------------------------------------------------------

task<void> of_all_together() {
  slots_of_two of;
  mutex door("door");
  int inside = 0;
  const auto work = [&]() -> task<void> {
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(with_timeout(1h, lock_and_rest(door, inside)));
      const mutex_guard entry = co_await door.lock();
      co_await when_all(of.use(), with_timeout(1h, of.use()));
    };
    co_await with_timeout(1h, with_task_group(body));
  };
  co_await of.disturbed(work());
  EXPECT_FALSE(door.locked());
}

task<void> of_nothing_but_a_spawn() {
  const auto rest = []() -> task<void> {
    const local mine;
    co_await yield();
  };
  const auto work = [&]() -> task<void> {
    auto child = spawn(rest(), "child");
    co_await child.join();
  };
  auto victim = spawn(work(), "victim");
  put_under_test(victim);
  co_await has_survived(victim);
}

}  // namespace

std::vector<program> programs() {
  return {
      {"mutex", of_mutex},
      {"semaphore", of_semaphore<semaphore>},
      {"bounded_semaphore", of_semaphore<bounded_semaphore>},
      {"event", of_event},
      {"condition_variable", of_condition_variable},
      {"condition_variable_with_timeout", of_condition_variable_with_timeout},
      {"barrier", of_barrier},
      {"queue_get", of_queue_get},
      {"queue_put", of_queue_put},
      {"queue_join", of_queue_join},
      {"point", of_point},
      {"time", of_time},
      {"spawn", of_nothing_but_a_spawn},
      {"join", of_join},
      {"join_shielded", of_join_shielded},
      {"when_all", of_when_all},
      {"when_all_that_fails", of_when_all_that_fails},
      {"when_all_of_many", of_when_all_of_many},
      {"when_any", of_when_any},
      {"when_all_settled", of_when_all_settled},
      {"wait", of_wait},
      {"as_completed", of_as_completed},
      {"shared_task", of_shared_task},
      {"timeout", of_timeout},
      {"timeout_that_expires", of_timeout_that_expires},
      {"shield", of_shield},
      {"task_group", of_task_group},
      {"task_group_that_fails", of_task_group_that_fails},
      {"group_without_body", of_group_without_body},
#ifdef __cpp_lib_jthread
      {"stop_token", of_stop_token},
#endif
      {"foreign_awaitable", of_foreign_awaitable},
      {"all_together", of_all_together},
  };
}

}  // namespace lockstep::brute_force
