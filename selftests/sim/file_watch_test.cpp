#include "in_world.hpp"
#include "watch_events.hpp"

#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/file_watch.hpp>

#include <fmt/format.h>

#include <string>

namespace lockstep::sim {
namespace {

// What has come: "1 create a, 1 modify a".
std::string events_of(int fd) {
  std::string text;
  for (const watch_event& each : read_events(here(), fd)) {
    text += fmt::format("{}{}:{:x} {}", text.empty() ? "" : ", ", each.watch, each.mask, each.name);
  }
  return text;
}

TEST(FileWatchTest, TellsOfNamesInADirectory) {
  in_world([](system_calls& system) {
    const int watch = system.inotify_init1(IN_NONBLOCK);
    EXPECT_EQ(system.inotify_add_watch(watch, "/tmp", IN_CREATE | IN_DELETE | IN_MOVE), 1);
    EXPECT_EQ(ready(system, watch), 0u);
    system.close(system.openat(AT_FDCWD, "/tmp/a", O_WRONLY | O_CREAT, 0));
    EXPECT_EQ(ready(system, watch), unsigned{POLLIN});
    system.renameat2(AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b", 0);
    system.unlinkat(AT_FDCWD, "/tmp/b", 0);
    EXPECT_EQ(events_of(watch), "1:100 a, 1:40 a, 1:80 b, 1:200 b");
    EXPECT_EQ(read_text(system, watch, 100), "-11");
    system.close(watch);
  });
}

TEST(FileWatchTest, TellsOfTheEndOfWhatItWatches) {
  in_world([](system_calls& system) {
    const int watch = system.inotify_init1(0);
    const int fd = system.openat(AT_FDCWD, "/tmp/a", O_WRONLY | O_CREAT, 0);
    EXPECT_EQ(system.inotify_add_watch(watch, "/tmp/a", IN_MODIFY | IN_DELETE_SELF), 1);
    write_text(system, fd, "x");
    write_text(system, fd, "x");
    system.unlinkat(AT_FDCWD, "/tmp/a", 0);
    EXPECT_EQ(events_of(watch), "1:2 ") << "twice the same is once";
    system.close(fd);
    EXPECT_EQ(events_of(watch), "1:400 , 1:8000 ");
    EXPECT_EQ(system.inotify_rm_watch(watch, 1), -EINVAL);
    system.close(watch);
  });
}

TEST(FileWatchTest, TellsOfWhatTakesTheLastNameOfWhatItWatches) {
  in_world([](system_calls& system) {
    for (const char* each : {"/tmp/a", "/tmp/b"})
      system.close(system.openat(AT_FDCWD, each, O_WRONLY | O_CREAT, S_IRUSR));
    const int watch = system.inotify_init1(0);
    EXPECT_EQ(system.inotify_add_watch(watch, "/tmp/b", IN_ATTRIB | IN_DELETE_SELF), 1);
    EXPECT_EQ(system.renameat2(AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b", 0), 0);
    EXPECT_EQ(events_of(watch), "1:4 , 1:400 , 1:8000 ");
    system.close(watch);
  });
}

TEST(FileWatchTest, TellsThatThereWasMoreThanItHolds) {
  in_world([](system_calls& system) {
    here().set_queued_events_max(2);
    const int watch = system.inotify_init1(IN_NONBLOCK);
    EXPECT_EQ(system.inotify_add_watch(watch, "/tmp", IN_CREATE), 1);
    for (const char* each : {"/tmp/a", "/tmp/b", "/tmp/c", "/tmp/d"}) system.mkdirat(AT_FDCWD, each, 0);
    EXPECT_EQ(events_of(watch), "1:40000100 a, 1:40000100 b, -1:4000 ");
    system.mkdirat(AT_FDCWD, "/tmp/e", 0);
    EXPECT_EQ(events_of(watch), "1:40000100 e");
    for (const char* each : {"/tmp/f", "/tmp/g", "/tmp/h"}) system.mkdirat(AT_FDCWD, each, 0);
    EXPECT_EQ(events_of(watch), "1:40000100 f, 1:40000100 g, -1:4000 ") << "and again";
    system.close(watch);
  });
}

TEST(FileWatchTest, EndsWhenItIsRemovedOrHasToldOnce) {
  in_world([](system_calls& system) {
    const int watch = system.inotify_init1(0);
    EXPECT_EQ(system.inotify_add_watch(watch, "/tmp", IN_CREATE | IN_ONESHOT), 1);
    EXPECT_EQ(system.inotify_add_watch(watch, "/tmp", IN_CREATE | IN_ONESHOT | IN_MASK_CREATE), -EEXIST);
    system.mkdirat(AT_FDCWD, "/tmp/a", 0);
    system.mkdirat(AT_FDCWD, "/tmp/b", 0);
    EXPECT_EQ(events_of(watch), "1:40000100 a, 1:8000 ");
    EXPECT_EQ(system.inotify_add_watch(watch, "/tmp", IN_CREATE), 2);
    EXPECT_EQ(system.inotify_rm_watch(watch, 2), 0);
    EXPECT_EQ(events_of(watch), "2:8000 ");
    system.close(watch);
  });
}

}  // namespace
}  // namespace lockstep::sim
