// A production program: it links lockstep::lockstep only.
#include <lockstep/lockstep.hpp>

#include <iostream>

lockstep::task<int> answer() {
  lockstep::mutex door("door");
  auto held = co_await door.lock();
  co_await lockstep::sleep_for(std::chrono::hours(1));
  co_return 42;
}

int main() {
  lockstep::sim::world world;
  if (world.run(answer) != 42) return 1;
  std::cout << "lockstep " << lockstep::version() << '\n';
}
