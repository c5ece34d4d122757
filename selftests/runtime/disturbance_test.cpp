#include <lockstep/runtime/disturbance.hpp>

#include "judged_run.hpp"

#include <lockstep/explore/strategy.hpp>

#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// What was done at each moment of a run of `body`, which is a task's work from its begin on.
template <class F>
std::vector<std::string> all_disturbances_of(disturbance_kind kind, F body) {
  std::vector<std::string> done;
  std::uint64_t moments = 1;
  for (std::uint64_t at = 0; at <= moments; ++at) {
    disturbance by(kind, at);
    sim::world world;
    world.start();
    world.loop().disturb(&by);
    const auto main = [&]() -> task<void> {
      by.begin();
      co_await body();
      by.end();
    };
    world.drive(main());
    world.finish();
    EXPECT_TRUE(world.verdicts().empty());
    EXPECT_TRUE(at == 0 ? world.failure() == nullptr : !by.done().empty());
    EXPECT_TRUE(world.failure() == nullptr || by.explains(world.failure()));
    if (at == 0) {
      EXPECT_EQ(by.done(), "");
      moments = by.moments();
    } else {
      done.push_back(by.done());
    }
  }
  return done;
}

TEST(DisturbanceTest, HasANameOfItsOwn) {
  EXPECT_EQ(name_of(disturbance_kind::cancel), "cancel");
  EXPECT_EQ(name_of(disturbance_kind::fail_alloc), "fail_alloc");
  EXPECT_EQ(name_of(disturbance_kind::destroy), "destroy");
}

TEST(DisturbanceTest, CancelsBeforeDuringAndAfterEachWait) {
  const auto body = []() -> task<void> { co_await sleep_for(1s); };
  const auto at = [](const char* when) {
    return testing::AllOf(StartsWith("task \"main\" was cancelled at its 1st suspension, disturbance_test.cpp:"),
                          EndsWith(when));
  };
  EXPECT_THAT(all_disturbances_of(disturbance_kind::cancel, body),
              ElementsAre(at(", when it came there (sleep until 1 s)"), at(", while it waited (sleep until 1 s)"),
                          at(", just before it went on")));
}

TEST(DisturbanceTest, CancelsOnceWhereNothingIsWaitedFor) {
  const auto body = []() -> task<void> {
    event open("open");
    open.set();
    co_await open.wait();
    co_await yield();
  };
  EXPECT_THAT(all_disturbances_of(disturbance_kind::cancel, body),
              ElementsAre(HasSubstr("1st suspension"), HasSubstr("2nd suspension")));
}

TEST(DisturbanceTest, TearsDownAtEachAwaitAndAfterEachStep) {
  const auto body = []() -> task<void> {
    auto child = spawn([]() -> task<void> { co_await yield(); }());
    co_await child.join();
  };
  const auto done = all_disturbances_of(disturbance_kind::destroy, body);
  EXPECT_EQ(done.size(), 4u) << "main comes to the join and waits; the child yields and ends";
  EXPECT_THAT(done.back(), EndsWith("had ended"));
}

TEST(DisturbanceTest, CountsMomentsFromTheNamingOfATaskOn) {
  disturbance by(disturbance_kind::cancel, 0);
  sim::world world;
  world.start();
  world.loop().disturb(&by);
  const auto main = [&]() -> task<void> {
    by.begin();
    for (int i = 0; i < 5; ++i) co_await yield();
    auto child = spawn([]() -> task<void> { co_await yield(); }());
    by.name(child.get());
    co_await child.join();
    by.end();
  };
  world.drive(main());
  EXPECT_TRUE(by.named());
  EXPECT_EQ(by.moments(), 2u) << "before it began, and at its yield";
}

TEST(DisturbanceTest, ExplainsWhatItBringsAbout) {
  const auto body = []() -> task<void> { co_await yield(); };
  disturbance by(disturbance_kind::cancel, 1);
  const auto thrown = std::make_exception_ptr(cancelled());
  EXPECT_FALSE(by.explains(thrown)) << "nothing was done yet";
  sim::world world;
  world.start();
  world.loop().disturb(&by);
  const auto main = [&]() -> task<void> {
    by.begin();
    co_await body();
  };
  world.drive(main());
  by.end();
  EXPECT_TRUE(by.explains(thrown));
  EXPECT_TRUE(by.explains(std::make_exception_ptr(exception_group({thrown, thrown}))));
  EXPECT_FALSE(by.explains(std::make_exception_ptr(std::bad_alloc())));
  const auto other = std::make_exception_ptr(std::runtime_error("disk full"));
  EXPECT_FALSE(by.explains(other));
  EXPECT_FALSE(by.explains(std::make_exception_ptr(exception_group({thrown, other}))));
  try {
    try {
      std::rethrow_exception(thrown);
    } catch (...) {
      std::throw_with_nested(std::runtime_error("connection lost"));
    }
  } catch (...) {
    EXPECT_TRUE(by.explains(std::current_exception()));
  }
}

// A run that is only watched is the same run.
TEST(DisturbanceTest, ChangesNothingWhereItOnlyCounts) {
  const auto body = []() -> task<void> {
    mutex door("door");
    const auto enter = [&]() -> task<void> {
      const mutex_guard entry = co_await door.lock();
      co_await sleep_for(1s);
    };
    co_await when_all(enter(), enter(), enter());
  };
  const auto hash_of_run = [&](disturbance* by, std::uint64_t seed) {
    const auto choices = make_oracle(seed == 0 ? schedule::plain : schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    sim::world world;
    world.start(how);
    if (by != nullptr) world.loop().disturb(by);
    const auto main = [&]() -> task<void> {
      if (by != nullptr) by->begin();
      co_await body();
      if (by != nullptr) by->end();
    };
    world.drive(main());
    return world.finish().trace_hash;
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const disturbance_kind kind : all_disturbances) {
      disturbance by(kind, 0);
      EXPECT_EQ(hash_of_run(&by, seed), hash_of_run(nullptr, seed)) << name_of(kind) << " " << seed;
    }
  }
}

TEST(DisturbanceTest, LetsAllocationsSucceedWithoutALoop) {
  EXPECT_FALSE(allocation_fails());
  const sparing_allocations within_none;
}

TEST(DisturbanceTest, LetsTheAllocationFailThatIsDueAndIsNotSpared) {
  const auto main = []() -> task<void> {
    disturbance by(disturbance_kind::fail_alloc, 2);
    detail::here().fails = &by;
    EXPECT_FALSE(allocation_fails());
    {
      const sparing_allocations of_this;
      EXPECT_FALSE(allocation_fails());
      EXPECT_FALSE(allocation_fails());
    }
    EXPECT_TRUE(allocation_fails());
    EXPECT_FALSE(allocation_fails());
    detail::here().fails = nullptr;
    EXPECT_THAT(by.done(), StartsWith("the 2nd allocation failed, in task \"main\""));
    co_return;
  };
  EXPECT_TRUE(judge(main).ended);
}

}  // namespace
}  // namespace lockstep
