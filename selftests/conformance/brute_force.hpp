// Small programs, one for each primitive and combinator, that brute force is used on. In each, one task, the victim, is
// disturbed while others use the same objects; then it must be as if the victim had never come, or had gone before.
#pragma once

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::brute_force {

using namespace std::chrono_literals;

// What the tasks of a program share, and checks on that. It is made here, and not in a frame, so that it outlives a
// world that is torn down: then the checks are called once more, and find what the destroyed tasks have left.
class outliving {
 public:
  outliving() = default;
  outliving(const outliving&) = delete;
  outliving& operator=(const outliving&) = delete;
  ~outliving() {
    while (!things_.empty()) things_.pop_back();
  }

  template <class T, class... Arguments>
  T& make(Arguments&&... from) {
    auto made = std::make_shared<T>(std::forward<Arguments>(from)...);
    things_.push_back(made);
    return *made;
  }
  // What must hold whenever all is quiet, and in the end.
  template <class F>
  void check(F holds) {
    make<quiesce_check>(std::move(holds));
  }

 private:
  std::vector<std::shared_ptr<void>> things_;
};

// To add one: a coroutine in one of the brute_force_of_*.cpp, and a line in the table at its end.
struct program {
  const char* name;
  task<void> (*run)(outliving& shared);
};

inline std::ostream& operator<<(std::ostream& out, const program& of) { return out << of.name; }

std::vector<program> programs_of_sync();
std::vector<program> programs_of_tasks();
std::vector<program> programs_of_calls();
std::vector<program> programs_of_choices();

// A local of the frames of a program, with memory of its own, so that an allocation can fail there. Counts those that
// live.
class local {
 public:
  local() : memory_(std::make_unique<int>()) { ++alive; }
  local(const local&) = delete;
  local& operator=(const local&) = delete;
  ~local() { --alive; }

  static inline int alive = 0;

 private:
  std::unique_ptr<int> memory_;
};

// -- the parts of a program -------------------------------------------------------------------------------------------

// Whether it is what a disturbed task ends with.
inline bool is_disturbance(const std::exception_ptr& thrown) {
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

// -- works that programs are made of --------------------------------------------------------------------------------

inline task<void> lock_and_rest(mutex& door, int& inside) {
  const mutex_guard entry = co_await door.lock();
  const held here(inside, 1);
  co_await sleep_for(1s);
}

// Its state is right if one is inside exactly while it is locked.
inline mutex& make_door(outliving& shared, const int& inside) {
  auto& door = shared.make<mutex>(label("door"));
  shared.check([&] { EXPECT_EQ(door.locked(), inside == 1); });
  return door;
}

// Its state is right if it is held by those who read and write.
inline shared_mutex& make_door_for_readers(outliving& shared, const int& readers, const int& writers) {
  auto& door = shared.make<shared_mutex>(label("door"));
  shared.check([&] {
    EXPECT_EQ(door.readers(), static_cast<std::size_t>(readers));
    EXPECT_EQ(door.locked(), writers == 1);
  });
  return door;
}

// Its state is right if a slot is free or used.
template <class Semaphore = semaphore>
Semaphore& make_slots(outliving& shared, std::uint64_t count, const int& used) {
  auto& slots = shared.make<Semaphore>(count, label("slots"));
  shared.check([&slots, &used, count] { EXPECT_EQ(slots.available() + static_cast<std::uint64_t>(used), count); });
  return slots;
}

// A queue with one place, and what becomes of what is put there.
struct boxes_of_one {
  queue<int> boxes{1, "boxes"};
  std::size_t put = 0;
  std::size_t got = 0;
  const quiesce_check no_box_is_lost{
      [this] { EXPECT_GE(boxes.size() + got, put) << "one that is torn down may have put one more"; }};

  task<void> get_all() {
    const local mine;
    try {
      for (;;) {
        co_await boxes.get();
        ++got;
        co_await sleep_for(1s);
      }
    } catch (const queue_shut_down&) {
    }
  }
  // Disturbs one of three who put two each.
  template <class Put>
  task<void> disturbed(Put put_two) {
    works all(put_two(), put_two(), put_two());
    auto reader = spawn(get_all(), "reader");
    co_await all.have_ended();
    boxes.shut_down();
    co_await reader.join();
    EXPECT_EQ(put, got) << "it is put exactly if its await says so";
  }
};

inline task<void> use_slot(semaphore& slots, int& used, int most) {
  co_await slots.acquire();
  const permit slot(slots);
  const held here(used, most);
  co_await sleep_for(1s);
}

// Requires that the work is ended by its own timeout.
inline task<void> expires(task<void> work) {
  bool expired = false;
  try {
    co_await std::move(work);
  } catch (const timed_out&) {
    expired = true;
  }
  EXPECT_TRUE(expired);
}

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

// After each run, every local must be gone, and whatever is left must stand its checks.
class disturbed : public testing::TestWithParam<program> {
 protected:
  task<void> run() { return GetParam().run(shared_); }

  void TearDown() override { EXPECT_EQ(local::alive, 0); }

 private:
  outliving shared_;
};

inline auto all_programs() {
  std::vector<program> all = programs_of_sync();
  for (const auto& more : {programs_of_tasks(), programs_of_calls(), programs_of_choices()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return testing::ValuesIn(all);
}
inline std::string name_of_program(const testing::TestParamInfo<program>& of) { return of.param.name; }

}  // namespace lockstep::brute_force
