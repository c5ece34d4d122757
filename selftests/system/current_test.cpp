#include <lockstep/system/current.hpp>

#include <lockstep/lockstep.hpp>

#include <gtest/gtest.h>

namespace {

using namespace lockstep;

// A world on which nothing runs but tasks.
class bare_world final : private driver, public base_world {
 public:
  bare_world() : base_world(static_cast<driver&>(*this)) {}
  void run(task<void> main) {
    start({}, nullptr, ordering::any_order, false, false);
    run_started(std::move(main));
  }

 private:
  bool idle(lockstep::loop&) override { return false; }
};

TEST(CurrentSystemTest, IsMisuseInAWorldThatHasNone) {
  bare_world world;
  const auto ask = []() -> task<void> {
    current_system();
    co_return;
  };
  EXPECT_THROW(world.run(ask()), misuse);
}

}  // namespace
