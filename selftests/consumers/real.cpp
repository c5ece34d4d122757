// A program on the operating system: it links lockstep::real.
#include <lockstep/real/os_clock.hpp>

int main() {
  lockstep::real::os_clock clock;
  return clock.read() >= lockstep::time_point{} ? 0 : 1;
}
