#include "judged_run.hpp"

#include <string>

namespace lockstep {
namespace {

using testing::HasSubstr;

TEST(ContextTest, IsEmptyWhereNoLoopRuns) {
  EXPECT_EQ(current_loop(), nullptr);
  try {
    detail::here();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const misuse& error) {
    EXPECT_THAT(error.what(), HasSubstr("no lockstep loop runs on this thread"));
  }
}

TEST(ContextTest, FreeFunctionsNeedALoop) {
  EXPECT_THROW(now(), misuse);
  EXPECT_THROW(wall_now(), misuse);
  EXPECT_THROW(pause_clock(), misuse);
}

TEST(ContextTest, IsTheLoopFromStartToFinish) {
  sim::world world;
  EXPECT_EQ(current_loop(), nullptr);
  world.start();
  EXPECT_EQ(current_loop(), &world.loop());
  EXPECT_EQ(world.loop().running(), nullptr);
  const auto main = [&]() -> task<void> {
    EXPECT_EQ(current_loop(), &world.loop());
    EXPECT_EQ(detail::here().running, &current_task());
    co_return;
  };
  EXPECT_TRUE(world.drive(main()));
  EXPECT_EQ(current_loop(), &world.loop());
  EXPECT_EQ(world.loop().running(), nullptr);
  world.finish();
  EXPECT_EQ(current_loop(), nullptr);
}

TEST(ContextTest, TellsWhichTaskRuns) {
  const agent* first = nullptr;
  const agent* second = nullptr;
  const auto note = [](const agent*& into) -> task<void> {
    into = &current_task();
    co_await yield();
    EXPECT_EQ(&current_task(), into);
  };
  const auto main = [&]() -> task<void> {
    auto a = spawn(note(first));
    auto b = spawn(note(second));
    co_await a.join();
    co_await b.join();
    EXPECT_EQ(first, &a.get());
    EXPECT_EQ(second, &b.get());
    EXPECT_NE(&current_task(), first);
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(ContextTest, LoopsNestAndTheOuterIsCurrentAgain) {
  const auto main = []() -> task<void> {
    loop* const outer = current_loop();
    const agent* const outer_task = &current_task();
    loop* inner = nullptr;
    const auto nested = [&]() -> task<void> {
      inner = current_loop();
      co_await sleep_for(std::chrono::seconds(1));
      EXPECT_NE(&current_task(), outer_task);
    };
    EXPECT_EQ(judge(nested).messages(), "");
    EXPECT_NE(inner, outer);
    EXPECT_EQ(current_loop(), outer);
    EXPECT_EQ(&current_task(), outer_task);
    co_await yield();
    EXPECT_EQ(now(), time_point{});
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(ContextTest, AScopeMakesThingsInTheNameOfATask) {
  sim::world world;
  world.start();
  agent* someone = nullptr;
  const auto main = [&]() -> task<void> {
    someone = &current_task();
    loop::retain(*someone);
    co_return;
  };
  world.drive(main());
  {
    const loop_scope scope(world.loop(), someone);
    EXPECT_EQ(&current_task(), someone);
  }
  EXPECT_EQ(world.loop().running(), nullptr);
  loop::release(*someone);
}

}  // namespace
}  // namespace lockstep
