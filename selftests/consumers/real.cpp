// A program on the operating system: it links lockstep::real.
#include <lockstep/lockstep.hpp>
#include <lockstep/run.hpp>

lockstep::task<int> answer() {
  co_await lockstep::sleep_for(std::chrono::milliseconds(1));
  co_return 42;
}

int main() { return lockstep::run(answer()) == 42 ? 0 : 1; }
