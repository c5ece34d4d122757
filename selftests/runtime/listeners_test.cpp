#include <lockstep/runtime/listeners.hpp>

#include <lockstep/lockstep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

struct of_run final : detail::run_listener {
  explicit of_run(std::vector<std::string>& log) : log_(log) {}
  void tasks_have_gone() noexcept override { log_.push_back("tasks have gone"); }
  void run_ends(bool well) noexcept override {
    log_.push_back(linked() ? "it is listed still" : well ? "run ends well" : "run ends");
  }

 private:
  std::vector<std::string>& log_;
};

struct says_so {
  std::vector<std::string>& log;
  ~says_so() { log.push_back("a task dies"); }
};

TEST(RunListenerTest, IsToldWhenTheTasksHaveGoneAndAtTheEnd) {
  std::vector<std::string> log;
  of_run listener(log);
  sim::world world;
  world.start();
  world.loop().run_listeners().push_back(listener);
  const auto main = [&log]() -> task<void> {
    const says_so dies{log};
    co_await sleep_for(std::chrono::seconds(1));
  };
  world.drive(main());
  world.finish();
  EXPECT_THAT(log, ElementsAre("a task dies", "tasks have gone", "run ends well"));
}

TEST(RunListenerTest, IsToldOnceThoughTheTasksAreTornDownBefore) {
  std::vector<std::string> log;
  of_run listener(log);
  sim::world world;
  world.start();
  world.loop().run_listeners().push_back(listener);
  const auto main = []() -> task<void> { co_return; };
  world.drive(main());
  { const loop_scope outlived = world.epilogue(true); }
  EXPECT_THAT(log, ElementsAre("tasks have gone"));
  world.finish();
  EXPECT_EQ(log.back(), "run ends well");
}

TEST(RunListenerTest, IsToldWhetherTheRunEndsWell) {
  std::vector<std::string> log;
  of_run listener(log);
  sim::world world;
  world.start();
  world.loop().run_listeners().push_back(listener);
  const auto main = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("no");
  };
  world.drive(main());
  world.finish();
  EXPECT_EQ(log.back(), "run ends");
}

}  // namespace
}  // namespace lockstep
