// What a task is about to do, or did, at one step: part of every candidate, trace record and hash.
#pragma once

#include <lockstep/choice/step_observer.hpp>

#include <cstdint>
#include <string_view>

namespace lockstep {

// The values are part of the trace hash: append, never renumber.
enum class operation_kind : std::uint8_t {
  start = 0,
  yield = 1,
  sleep = 2,
  join = 3,
  lock = 4,
  wait_event = 5,
  wait_condition = 6,
  acquire = 7,
  arrive = 8,
  put = 9,
  get = 10,
  point = 11,
  settle = 12,
  foreign = 13,
  outside = 14,
  wait_children = 15,
  drain = 16,
  wait_future = 17,
  lock_shared = 19,
  wait_latch = 20,
  send = 21,
  receive = 22,
  publish = 23,
  receive_broadcast = 24,
  select = 27,
  job = 28,
  connect = 29,
  accept = 30,
  read_socket = 31,
  write_socket = 32,
  look_up = 33,
  open_file = 34,
  read_file = 35,
  write_file = 36,
  sync_file = 37,
  lock_file = 38,
  use_file = 39,
  spawn_eagerly = 40,  // goes on behind the first step of another task
  // Records of the trace that are no operation of a task.
  time_moved = 64,
  value_picked = 65,
  task_made = 66,
  object_made = 67,
  fault_fired = 68,
};

std::string_view name_of(operation_kind kind) noexcept;

// What an attempt at such an operation does to the object that it is about.
constexpr access access_of(operation_kind kind) noexcept {
  switch (kind) {
    case operation_kind::wait_event:
    case operation_kind::drain:
    case operation_kind::wait_future: return access::read;
    default: return access::write;
  }
}

}  // namespace lockstep
