// expect: on_close() takes what returns a task<void>
#include <lockstep/lockstep.hpp>

lockstep::task<void> say_goodbye() { co_return; }

lockstep::async_generator<int> numbers() {
  lockstep::on_close([] { return 1; });  // wrong
  lockstep::on_close(say_goodbye);
  co_yield 1;
}
