// What becomes of exceptions that nobody can catch any more.
//
// Such are: one that leaves a callback, one that leaves a daemon, and one in a task or a future whose last owner dies
// without having read it. Each is a verdict on the run, unless the run has an exception handler; then the handler
// decides.
//
//   set_exception_handler([](const exception_context& found) {
//     std::clog << found.thrower << ": " << found.as_verdict.message << '\n';
//   });
//
// Source: asyncio's loop.set_exception_handler.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/runtime/verdict.hpp>

#include <exception>
#include <functional>
#include <string>

namespace lockstep {

// What a handler is told.
struct exception_context {
  std::exception_ptr exception;
  std::string thrower;  // "writer", a task; "callback 3 (cache.cpp:41)"; "future "reply""
  verdict as_verdict;   // what it is without a handler: a message, the line to look at first, the tasks concerned
};

// Called on the loop's thread, where the exception is found: within a step of whichever task runs, perhaps in
// a destructor; between two steps in the name of the main task. So it is quick, and what it does not do at once it
// leaves to call_soon() or spawn_daemon(). An exception that leaves it is a verdict which names both, and the run
// goes on; what is found while it is being called is a verdict, too.
using exception_handler = std::function<void(const exception_context&)>;

// Sets the handler of the run under way and returns the former one; an empty one restores the default. What it refers
// to must live until the main task and the daemons have ended: then it is forgotten, and what is found later is
// a verdict. Misuse without a loop on this thread.
exception_handler set_exception_handler(exception_handler handler);

// What happens without a handler: the verdict. For a handler that does not want to decide.
void default_exception_handler(const exception_context& found);

// For code that catches what it can give to nobody: hands it to the handler, or makes it an unhandled exception of the
// running task. `what` says who has failed: "the flush of the log".
void call_exception_handler(std::exception_ptr thrown, const std::string& what, source where = source::current());

}  // namespace lockstep
