// expect: a task returns a value or an lvalue reference: make it task<T>
#include <lockstep/runtime/task.hpp>

struct page {};

lockstep::task<page&&> load() { co_return page(); }  // wrong
