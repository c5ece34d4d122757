// Clean-up that awaits: it comes behind the handler, as C++ has no co_await within one, and a shield lets it end.
#include <lockstep/testing/testing.hpp>

#include <exception>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [clean_up]
task<void> say_goodbye(int& connections) {
  co_await sleep_for(2s);
  --connections;
}

task<void> stay_connected(int& connections) {
  ++connections;
  std::exception_ptr ended;
  try {
    co_await sleep_for(24h);
  } catch (...) {  // `cancelled` as well
    ended = std::current_exception();
  }
  co_await shield(say_goodbye(connections));
  if (ended) std::rethrow_exception(ended);
}
// [/clean_up]

// [test]
CO_TEST(Connection, IsClosedWhenItsTaskIsCancelled) {
  int connections = 0;
  auto connected = spawn(stay_connected(connections));
  co_await sleep_for(1s);
  EXPECT_EQ(connections, 1);
  connected.cancel();
  EXPECT_THROW(co_await connected.join(), cancelled);
  EXPECT_EQ(connections, 0);
  EXPECT_EQ(now(), time_point{3s});
}
// [/test]

}  // namespace
