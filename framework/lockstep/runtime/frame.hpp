// What every coroutine frame of ours knows beside its result: who awaits it, and at which line it waits itself.
//
// The chain of callers is the asynchronous stack: it is what a report prints, and what is destroyed leaf first.
#pragma once

#include <lockstep/base/source.hpp>

#include <coroutine>
#include <exception>

namespace lockstep {

class frame_pool;

struct frame {
  frame* caller;  // the frame that awaits this one; null at the root of an agent; see also made_in()
  std::coroutine_handle<> resume_after;      // what awaits it, or null while that is on the stack; of a root, the root
  std::coroutine_handle<>* owner = nullptr;  // the slot, in the caller, whose destruction destroys this frame
  place where;                               // where it waits, or waited last
  std::exception_ptr failure;                // the exception that left it

  // Before it starts, the pool that it was made in stands where its caller will be; null for none.
  void made_in(frame_pool* pool) noexcept { caller = reinterpret_cast<frame*>(pool); }
  const frame_pool* made_in() const noexcept { return reinterpret_cast<const frame_pool*>(caller); }
  // Nobody awaits it.
  void begin_as_root(std::coroutine_handle<> self) noexcept {
    caller = nullptr;
    resume_after = self;
  }
  // Keeps the exception that leaves this frame, and from where. Called in a handler.
  void leave_by_exception() noexcept;
};

// Stands for the frame of a foreign coroutine, of which nothing is known. Its line is one of the library's, which no
// report shows.
inline frame no_frame{nullptr, nullptr, nullptr, source::current(), nullptr};

}  // namespace lockstep
