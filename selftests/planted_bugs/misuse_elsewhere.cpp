// Primitives used from another loop, and orders of points that cannot happen.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- other loops ------------------------------------------------------------------------------------------------------

// A world within the world, whose task uses what `use` is given.
template <class Use>
task<void> in_a_world_of_its_own(Use use) {
  co_await yield();
  sim::world inner;
  const auto main = [use]() -> task<void> {
    co_await yield();
    use();
  };
  inner.run(main());
}

TEST(MisuseElsewhereBugs, APrimitiveOfAnotherLoop) {
  const bug foreign{verdict_kind::misuse, "belongs to another loop"};
  EXPECT_TRUE(caught(foreign, []() -> task<void> {
    event go("go");
    co_await in_a_world_of_its_own([&go] { go.set(); });
  }));
  EXPECT_TRUE(caught(foreign, []() -> task<void> {
    queue<int> jobs;
    co_await in_a_world_of_its_own([&jobs] { static_cast<void>(jobs.try_put(1)); });
  }));
  EXPECT_TRUE(silent([]() -> task<void> {
    co_await in_a_world_of_its_own([] {
      event go("go");
      go.set();
    });
  }));
}

// -- orders of points -------------------------------------------------------------------------------------------------

task<void> passes(std::string first, std::string second) {
  const local mine;
  co_await point(first);
  co_await point(second);
}

task<void> wants_a_point_that_nobody_has() {
  next_line_is_wrong();
  const order wanted("writer:start", "reader:start");
  auto reader = spawn(passes("reader:start", "reader:end"), "reader");
  co_await reader.join();
}

task<void> ends_before_its_order() {
  next_line_is_wrong();
  const order wanted("reader:start", "reader:late");
  auto reader = spawn(passes("reader:start", "reader:end"), "reader");
  co_await reader.join();
}

task<void> wants_what_can_be() {
  const order wanted("writer:start", "reader:start", "writer:end", "reader:end");
  auto reader = spawn(passes("reader:start", "reader:end"), "reader");
  auto writer = spawn(passes("writer:start", "writer:end"), "writer");
  co_await reader.join();
  co_await writer.join();
}

task<void> fails_within_an_order() {
  const order wanted("reader:start");
  co_await yield();
  throw std::runtime_error("disk full");
}

TEST(MisuseElsewhereBugs, AnOrderOfPointsThatCannotBe) {
  EXPECT_TRUE(caught(
      {verdict_kind::unreached_point, "\"writer:start\" was never reached, number 1 of 2", {verdict_kind::deadlock}},
      wants_a_point_that_nobody_has));
  EXPECT_TRUE(caught({verdict_kind::unreached_point, "\"reader:late\" was never reached, number 2 of 2"},
                     ends_before_its_order));
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "disk full"}, fails_within_an_order));
  EXPECT_TRUE(silent(wants_what_can_be));
}

}  // namespace
}  // namespace lockstep::planted
