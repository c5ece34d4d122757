// What the steps of small programs are made of.
#pragma once

#include "../runtime/foreign_coroutines.hpp"
#include "small_programs.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/sync/shared.hpp>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace lockstep::small {

using namespace std::chrono_literals;

// A variable that tasks share: declared, or one that a search cannot see.
class cell {
 public:
  explicit cell(bool declared) : declared_(declared) {}
  operator int() const { return declared_ ? seen_.get() : unseen_; }
  cell& operator=(int value) {
    declared_ ? static_cast<void>(seen_ = value) : static_cast<void>(unseen_ = value);
    return *this;
  }
  cell& operator+=(int by) { return *this = *this + by; }

 private:
  bool declared_;
  shared<int> seen_{0};
  int unseen_ = 0;
};

// What one task has on its stack, and shows to the others for as long as it is there.
template <class T>
class shown_object {
 public:
  explicit shown_object(bool declared) : changes_(declared) {}
  void show(T* what) {
    changes_ += 1;
    what_ = what;
  }
  T* shown() const {
    static_cast<void>(static_cast<int>(changes_));
    return what_;
  }
  auto hidden_later() {
    struct hiding {
      explicit hiding(shown_object& shown) : of(shown) {}
      hiding(const hiding&) = delete;
      hiding& operator=(const hiding&) = delete;
      ~hiding() { of.show(nullptr); }
      shown_object& of;
    };
    return hiding(*this);
  }

 private:
  cell changes_;  // whoever looks at it looks at this
  T* what_ = nullptr;
};

// What the steps are done to. All of it is made before the tasks, so that its numbers are the same in every order.
struct world_of_steps {
  world_of_steps(bool declared, std::vector<foreign::owned>& all_abroad)
      : variables{cell(declared), cell(declared), cell(declared)}, calls_made(declared), deadline(declared),
        group(declared), closings(std::make_shared<cell>(declared)), signals_fired(declared), abroad(all_abroad) {}

  std::array<cell, 3> variables;
  std::array<mutex, 2> mutexes{mutex(), mutex()};
  shared_mutex read_write;
  condition_variable changed{mutexes[0]};
  event happened;
  queue<int> letters{2};
  lifo_queue<int> stack{1};
  priority_queue<int> ranked{2};
  semaphore permits{1};
  channel<int> meeting;
  broadcast<int> news{1};
  broadcast<int> latest{1, overflow::drop_oldest};
  latch gate{2};
  barrier start{2};
  promise<int> promised;
  future<int> answer = promised.get_future();
  std::optional<shared_task<int>> common;
  std::optional<thread_pool> workers;
  callback_handle call;
  cell calls_made;  // whoever looks at the call looks at this
  time_point began = now();
  shown_object<timeout_scope> deadline;
  shown_object<task_group> group;
  std::shared_ptr<cell> closings;  // outlives the world, as what closes a generator may
  foreign::signal signal;
  cell signals_fired;  // whoever looks at the signal looks at this
  std::vector<foreign::owned>& abroad;
  std::vector<join_handle<void>> tasks;
  std::vector<int> seen;

  bool signal_is_awaited() const {
    static_cast<void>(static_cast<int>(signals_fired));
    return signal.awaited();
  }
};

// Not of the default: an outcome tells apart what was seen, and in which order.
inline int note(int seen, int now) { return seen * 7 % 1009 + now; }

inline cell& variable(world_of_steps& of, int which) {
  return of.variables[static_cast<std::size_t>(which) % of.variables.size()];
}

inline duration soon(int which) { return (which % 2 + 1) * 1ms; }

// In groups that belong together.
using step_groups = std::span<const std::span<const step_kind>>;
step_groups steps_of_sync();
step_groups steps_of_tasks();
step_groups steps_of_the_world();

// Those that go with several groups.
task<int> read(world_of_steps& of, step what, int me, int seen);
task<int> add(world_of_steps& of, step what, int me, int seen);
task<int> lock_and_add(world_of_steps& of, step what, int me, int seen);
task<int> lock_for_long(world_of_steps& of, step what, int me, int seen);
task<int> set_event(world_of_steps& of, step what, int me, int seen);
task<int> release(world_of_steps& of, step what, int me, int seen);
task<int> send(world_of_steps& of, step what, int me, int seen);
task<int> set_promise(world_of_steps& of, step what, int me, int seen);
task<int> doze(world_of_steps& of, step what, int me, int seen);
task<int> cancel_another(world_of_steps& of, step what, int me, int seen);

template <auto Queue>
task<int> put(world_of_steps& of, step what, int me, int seen) {
  bool refused = false;
  try {
    co_await (of.*Queue).put(me * 10 + what.b);
  } catch (const queue_shut_down&) {
    refused = true;
  }
  co_return note(seen, refused ? 1 : 0);
}
template <auto Queue>
task<int> put_if_room(world_of_steps& of, step what, int me, int seen) {
  seen = note(seen, (of.*Queue).try_put(me * 10 + what.b) ? 1 : 0);
  co_await yield();
  co_return seen;
}
inline constexpr auto letters = &world_of_steps::letters;

}  // namespace lockstep::small
