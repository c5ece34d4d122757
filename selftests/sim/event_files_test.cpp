#include "in_world.hpp"

#include <lockstep/sim/event_files.hpp>

#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <limits>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

std::int64_t add(system_calls& system, int fd, std::uint64_t value) { return system.write(fd, &value, sizeof value); }

// The count, or minus the error number.
std::int64_t take(system_calls& system, int fd) {
  std::uint64_t value = 0;
  const std::int64_t got = system.read(fd, &value, sizeof value);
  return got < 0 ? got : static_cast<std::int64_t>(value);
}

itimerspec after(duration value, duration interval = 0ns) {
  const auto part = [](duration of) { return timespec{of / 1s, (of % 1s).count()}; };
  return {part(interval), part(value)};
}

int set(system_calls& system, int fd, duration value, duration interval = 0ns, int flags = 0) {
  const itimerspec given = after(value, interval);
  return system.timerfd_settime(fd, flags, &given, nullptr);
}

duration remaining(system_calls& system, int fd) {
  itimerspec value{};
  EXPECT_EQ(system.timerfd_gettime(fd, &value), 0);
  return std::chrono::seconds(value.it_value.tv_sec) + duration(value.it_value.tv_nsec);
}

// -- eventfd ----------------------------------------------------------------------------------------------------------

TEST(EventFilesTest, AnEventCounts) {
  in_world([](system_calls& system) {
    const int event = system.eventfd(2, 0);
    EXPECT_EQ(ready(system, event), static_cast<unsigned>(POLLIN | POLLOUT));
    EXPECT_EQ(add(system, event, 5), 8);
    EXPECT_EQ(take(system, event), 7);
    EXPECT_EQ(take(system, event), -EAGAIN);
    EXPECT_EQ(ready(system, event), static_cast<unsigned>(POLLOUT));
    EXPECT_EQ(read_text(system, event, 7), "-22");
    EXPECT_EQ(write_text(system, event, "sixteen bytes !!"), -EINVAL);
    system.close(event);
    EXPECT_EQ(system.eventfd(0, 8), -EINVAL);
  });
}

TEST(EventFilesTest, AnEventIsFullAtItsMost) {
  in_world([](system_calls& system) {
    const int event = system.eventfd(0, 0);
    EXPECT_EQ(add(system, event, most), -EINVAL);
    EXPECT_EQ(add(system, event, most - 2), 8);
    EXPECT_EQ(ready(system, event), static_cast<unsigned>(POLLIN | POLLOUT));
    EXPECT_EQ(add(system, event, 2), -EAGAIN);
    EXPECT_EQ(add(system, event, 1), 8);
    EXPECT_EQ(ready(system, event), static_cast<unsigned>(POLLIN));
    EXPECT_EQ(add(system, event, 0), 8);
    system.close(event);
  });
}

TEST(EventFilesTest, ASemaphoreGivesOneAtATime) {
  in_world([](system_calls& system) {
    const int event = system.eventfd(2, EFD_SEMAPHORE);
    EXPECT_EQ(take(system, event), 1);
    EXPECT_EQ(take(system, event), 1);
    EXPECT_EQ(take(system, event), -EAGAIN);
    system.close(event);
  });
}

TEST(EventFilesTest, EachPieceIsAWriteOfItsOwn) {
  in_world([](system_calls& system) {
    const int event = system.eventfd(0, 0);
    std::uint64_t values[] = {1, 2};
    const iovec two[] = {{&values[0], 8}, {&values[1], 8}};
    EXPECT_EQ(system.writev(event, two, 2), 16);
    const iovec halves[] = {{&values[0], 4}, {&values[1], 4}};
    EXPECT_EQ(system.writev(event, halves, 2), -EINVAL);
    EXPECT_EQ(system.readv(event, halves, 2), 8);
    EXPECT_EQ(values[0], 3u);
    system.close(event);
  });
}

// -- timerfd ----------------------------------------------------------------------------------------------------------

TEST(EventFilesTest, ATimerExpiresOnce) {
  in_world_for_a_while([]() -> task<void> {
    system_calls& system = current_system();
    const int timer = system.timerfd_create(CLOCK_MONOTONIC, 0);
    EXPECT_EQ(remaining(system, timer), 0ns);
    EXPECT_EQ(set(system, timer, 3s), 0);
    co_await sleep_for(1s);
    EXPECT_EQ(remaining(system, timer), 2s);
    EXPECT_EQ(take(system, timer), -EAGAIN);
    EXPECT_EQ(ready(system, timer), 0u);
    counting_watch watch;
    system.watch(timer, POLLIN, watch);
    co_await sleep_for(5s);
    EXPECT_EQ(watch.told, 1);
    system.unwatch(watch);
    EXPECT_EQ(ready(system, timer), static_cast<unsigned>(POLLIN));
    EXPECT_EQ(remaining(system, timer), 0s);
    EXPECT_EQ(take(system, timer), 1);
    EXPECT_EQ(take(system, timer), -EAGAIN);
    EXPECT_EQ(add(system, timer, 1), -EINVAL);
    system.close(timer);
  });
}

TEST(EventFilesTest, APeriodicTimerCountsWhatWasMissed) {
  in_world_for_a_while([]() -> task<void> {
    system_calls& system = current_system();
    const int timer = system.timerfd_create(CLOCK_MONOTONIC, 0);
    set(system, timer, 1s, 10ms);
    counting_watch watch;
    system.watch(timer, POLLIN, watch);
    co_await sleep_for(1s + 25ms);
    EXPECT_EQ(watch.told, 1) << "it waits for a reader";
    EXPECT_EQ(take(system, timer), 3);
    EXPECT_EQ(remaining(system, timer), 5ms);
    co_await sleep_for(5ms);
    EXPECT_EQ(watch.told, 2);
    EXPECT_EQ(remaining(system, timer), 10ms) << "asking makes up for it";
    co_await sleep_for(10ms);
    EXPECT_EQ(watch.told, 3);
    EXPECT_EQ(take(system, timer), 2);
    system.unwatch(watch);
    system.close(timer);
  });
}

TEST(EventFilesTest, AnAbsoluteTimerMayBeInThePast) {
  in_world_for_a_while([]() -> task<void> {
    system_calls& system = current_system();
    co_await sleep_for(10s);
    const int timer = system.timerfd_create(CLOCK_MONOTONIC, 0);
    EXPECT_EQ(set(system, timer, 4s, 4s, TFD_TIMER_ABSTIME), 0);
    EXPECT_EQ(take(system, timer), 2);
    EXPECT_EQ(remaining(system, timer), 2s);
    EXPECT_EQ(set(system, timer, 11s, 0s, TFD_TIMER_ABSTIME), 0);
    EXPECT_EQ(remaining(system, timer), 1s);
    system.close(timer);
  });
}

TEST(EventFilesTest, ATimerKnowsTheTimeOfDay) {
  in_world_for_a_while([]() -> task<void> {
    system_calls& system = current_system();
    co_await sleep_for(1s);
    const int timer = system.timerfd_create(CLOCK_REALTIME, 0);
    EXPECT_EQ(set(system, timer, wall_clock_start.time_since_epoch() + 3s, 0s, TFD_TIMER_ABSTIME), 0);
    EXPECT_EQ(remaining(system, timer), 2s);
    EXPECT_EQ(set(system, timer, 5s), 0);
    EXPECT_EQ(remaining(system, timer), 5s);
    system.close(timer);
  });
}

TEST(EventFilesTest, SettingATimerTellsWhatItWasAndForgetsItsCount) {
  in_world_for_a_while([]() -> task<void> {
    system_calls& system = current_system();
    const int timer = system.timerfd_create(CLOCK_MONOTONIC, 0);
    set(system, timer, 1s, 10s);
    co_await sleep_for(5s);
    const itimerspec next = after(0s, 7s);
    itimerspec before{};
    EXPECT_EQ(system.timerfd_settime(timer, 0, &next, &before), 0);
    EXPECT_EQ(before.it_value.tv_sec, 6);
    EXPECT_EQ(before.it_interval.tv_sec, 10);
    EXPECT_EQ(take(system, timer), -EAGAIN);
    EXPECT_EQ(remaining(system, timer), 0s) << "it is disarmed";
    system.close(timer);
  });
}

TEST(EventFilesTest, ATimerRefusesWhatIsNoTime) {
  in_world([](system_calls& system) {
    EXPECT_EQ(system.timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), -EINVAL);
    EXPECT_EQ(system.timerfd_create(CLOCK_MONOTONIC, O_APPEND), -EINVAL);
    const int timer = system.timerfd_create(CLOCK_MONOTONIC, 0);
    itimerspec given{};
    given.it_value.tv_nsec = 1'000'000'000;
    EXPECT_EQ(system.timerfd_settime(timer, 0, &given, nullptr), -EINVAL);
    EXPECT_EQ(set(system, timer, 1s, 0s, 4), -EINVAL);
    const int event = system.eventfd(0, 0);
    EXPECT_EQ(set(system, event, 1s), -EINVAL);
    EXPECT_EQ(set(system, 99, 1s), -EBADF);
    given = {};
    given.it_value.tv_sec = std::numeric_limits<time_t>::max();
    EXPECT_EQ(system.timerfd_settime(timer, 0, &given, nullptr), 0);
    EXPECT_EQ(take(system, timer), -EAGAIN);
    system.close(timer);
    system.close(event);
  });
}

TEST(EventFilesTest, ATimerThatIsLeftOpenFiresIntoNoOtherRun) {
  world world;
  const auto leave = []() -> task<void> {
    set(current_system(), current_system().timerfd_create(CLOCK_MONOTONIC, 0), 1s, 1s);
    co_return;
  };
  world.run(leave());
  EXPECT_EQ(world.verdicts().size(), 1u);
  const auto wait = []() -> task<void> { co_await sleep_for(1h); };
  world.run(wait());
  EXPECT_EQ(world.verdicts().size(), 0u);
}

}  // namespace
}  // namespace lockstep::sim
