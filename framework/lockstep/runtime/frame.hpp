// What every coroutine frame of ours knows beside its result: who awaits it, and at which line it waits itself.
//
// The chain of callers is the asynchronous stack: it is what a report prints, and what is destroyed leaf first.
#pragma once

#include <lockstep/base/source.hpp>

#include <coroutine>
#include <exception>

namespace lockstep {

struct frame {
  // The first two are set when it is started.
  frame* caller;                             // the frame that awaits this one; null at the root of an agent
  std::coroutine_handle<> resume_after;      // the caller's handle; null at the root, and while it is on the stack;
                                             // before it starts, the address of the pool that it was made in
  std::coroutine_handle<>* owner = nullptr;  // the slot, in the caller, whose destruction destroys this frame
  source where;                              // where it waits; before it starts, where its function begins

  std::exception_ptr failure;  // the exception that left it

  // Keeps the exception that leaves this frame, and from where. Called in a handler.
  void leave_by_exception() noexcept;
};

// Stands for the frame of a foreign coroutine, of which nothing is known. Its line is one of the library's, which no
// report shows.
inline frame no_frame{nullptr, nullptr, nullptr, source::current(), nullptr};

}  // namespace lockstep
