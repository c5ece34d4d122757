#include <lockstep/choice/operation_kind.hpp>

namespace lockstep {

std::string_view name_of(operation_kind kind) noexcept {
  switch (kind) {
    case operation_kind::start: return "start";
    case operation_kind::yield: return "yield";
    case operation_kind::sleep: return "sleep";
    case operation_kind::join: return "join";
    case operation_kind::lock: return "mutex";
    case operation_kind::wait_event: return "event";
    case operation_kind::wait_condition: return "condition_variable";
    case operation_kind::acquire: return "semaphore";
    case operation_kind::arrive: return "barrier";
    case operation_kind::put: return "put into queue";
    case operation_kind::get: return "get from queue";
    case operation_kind::point: return "point";
    case operation_kind::settle: return "settle";
    case operation_kind::foreign: return "foreign awaitable";
    case operation_kind::outside: return "outside work";
    case operation_kind::wait_children: return "children";
    case operation_kind::drain: return "join of queue";
    case operation_kind::wait_future: return "future";
    case operation_kind::lock_shared: return "shared lock of shared_mutex";
    case operation_kind::wait_latch: return "latch";
    case operation_kind::send: return "send to channel";
    case operation_kind::receive: return "receive from channel";
    case operation_kind::publish: return "send to broadcast";
    case operation_kind::receive_broadcast: return "receive from broadcast";
    case operation_kind::select: return "select";
    case operation_kind::job: return "blocking job";
    case operation_kind::connect: return "connect";
    case operation_kind::accept: return "accept";
    case operation_kind::read_socket: return "read from socket";
    case operation_kind::write_socket: return "write to socket";
    case operation_kind::look_up: return "look up name";
    case operation_kind::open_file: return "open file";
    case operation_kind::read_file: return "read from file";
    case operation_kind::write_file: return "write to file";
    case operation_kind::sync_file: return "sync of file";
    case operation_kind::lock_file: return "lock of file";
    case operation_kind::use_file: return "call on file";
    case operation_kind::spawn_eagerly: return "eager spawn";
    case operation_kind::time_moved: return "time";
    case operation_kind::value_picked: return "value";
    case operation_kind::task_made: return "new task";
    case operation_kind::object_made: return "new object";
    case operation_kind::fault_fired: return "fault";
  }
  return "unknown operation";
}

}  // namespace lockstep
