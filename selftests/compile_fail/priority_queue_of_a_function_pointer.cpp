// expect: lockstep::priority_queue makes its Compare itself
#include <lockstep/sync/priority_queue.hpp>

void use() {
  lockstep::priority_queue<int, bool (*)(int, int)> items;  // wrong
}
