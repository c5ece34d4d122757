// expect: lockstep::queue<T> moves T without a chance to fail
// expect: use lockstep::queue<std::unique_ptr<T>>
#include <lockstep/sync/queue.hpp>

struct throws_when_moved {
  throws_when_moved() = default;
  throws_when_moved(throws_when_moved&&) noexcept(false) {}
  throws_when_moved& operator=(throws_when_moved&&) noexcept(false) { return *this; }
};

void use() {
  lockstep::queue<throws_when_moved> items;  // wrong
}
