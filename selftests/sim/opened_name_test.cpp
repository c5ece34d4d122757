#include <lockstep/sim/opened_name.hpp>

#include "all_images.hpp"
#include "watch_events.hpp"

#include <string>

namespace lockstep::sim {
namespace {

int watch_of(const char* path, std::uint32_t events) {
  const int watch = here().inotify_init1(IN_NONBLOCK);
  EXPECT_EQ(here().inotify_add_watch(watch, path, events), 1) << path;
  return watch;
}

// "modify a, modify b", without a name "gone".
std::string told_of(int fd) {
  std::string text;
  for (const watch_event& each : read_events(here(), fd)) {
    text += text.empty() ? "" : ", ";
    text += (each.mask & IN_MODIFY) != 0 ? "modify" : (each.mask & IN_DELETE_SELF) != 0 ? "gone" : "other";
    if (!each.name.empty()) text += " " + each.name;
  }
  return text;
}

TEST(OpenedNameTest, IsTheOneByWhichAFileWasOpened) {
  in_world([](system_calls& system) {
    const int one = make_file("/tmp/a");
    EXPECT_EQ(system.linkat(AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b", 0), 0);
    const int other = make_file("/tmp/b");
    const int watch = watch_of("/tmp", IN_MODIFY);
    write_text(system, one, "x");
    write_text(system, other, "y");
    EXPECT_EQ(told_of(watch), "modify a, modify b");
    system.truncate("/tmp/b", 0);
    EXPECT_EQ(told_of(watch), "modify b") << "of a path likewise";
    rename_path("/tmp/a", "/tmp/c");
    write_text(system, other, "y");
    EXPECT_EQ(told_of(watch), "modify b") << "another one was moved";
    for (const int fd : {one, other, watch}) system.close(fd);
  });
}

TEST(OpenedNameTest, GoesWhereARenameTakesIt) {
  in_world([](system_calls& system) {
    const int one = make_file("/tmp/a");
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "/tmp/d", S_IRWXU), 0);
    const int watch = watch_of("/tmp/d", IN_MODIFY);
    system.renameat2(AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/d/b", 0);
    write_text(system, one, "x");
    EXPECT_EQ(told_of(watch), "modify b");
    for (const int fd : {one, watch}) system.close(fd);
  });
}

TEST(OpenedNameTest, StaysWhenItIsRemoved) {
  in_world([](system_calls& system) {
    const int one = make_file("/tmp/a");
    const int watch = watch_of("/tmp", IN_MODIFY);
    const int strict = watch_of("/tmp", IN_MODIFY | IN_EXCL_UNLINK);
    system.unlinkat(AT_FDCWD, "/tmp/a", 0);
    write_text(system, one, "x");
    EXPECT_EQ(told_of(watch), "modify a");
    EXPECT_EQ(told_of(strict), "");
    system.ftruncate(one, 0);
    EXPECT_EQ(told_of(strict), "modify a") << "Linux takes that for a change by a path";
    for (const int fd : {one, watch, strict}) system.close(fd);
  });
}

TEST(OpenedNameTest, TellsThatAFileIsGoneWithItsLastUse) {
  in_world([](system_calls& system) {
    const int one = make_file("/tmp/a");
    const int again = make_file("/tmp/a");
    const int watch = watch_of("/tmp/a", IN_DELETE_SELF);
    system.unlinkat(AT_FDCWD, "/tmp/a", 0);
    system.close(one);
    EXPECT_EQ(told_of(watch), "");
    system.close(again);
    EXPECT_EQ(told_of(watch), "gone, other");
    system.close(watch);
  });
}

TEST(OpenedNameTest, KeepsItsDirectoryInUse) {
  in_world([](system_calls& system) {
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "/tmp/d", S_IRWXU), 0);
    const int one = make_file("/tmp/d/a");
    const int watch = watch_of("/tmp/d", IN_DELETE_SELF);
    system.unlinkat(AT_FDCWD, "/tmp/d/a", 0);
    system.unlinkat(AT_FDCWD, "/tmp/d", AT_REMOVEDIR);
    EXPECT_EQ(told_of(watch), "");
    system.close(one);
    EXPECT_EQ(told_of(watch), "gone, other");
    system.close(watch);
  });
}

TEST(OpenedNameTest, KeepsTheDirectoryAboveInUse) {
  in_world([](system_calls& system) {
    for (const bool is_used : {false, true}) {
      EXPECT_EQ(system.mkdirat(AT_FDCWD, "/tmp/d", S_IRWXU), 0);
      EXPECT_EQ(system.mkdirat(AT_FDCWD, "/tmp/d/e", S_IRWXU), 0);
      const int one = make_file("/tmp/d/e/a");
      system.unlinkat(AT_FDCWD, "/tmp/d/e/a", 0);
      if (!is_used) system.close(one);
      const int watch = watch_of("/tmp/d", IN_DELETE_SELF);
      system.unlinkat(AT_FDCWD, "/tmp/d/e", AT_REMOVEDIR);
      system.unlinkat(AT_FDCWD, "/tmp/d", AT_REMOVEDIR);
      EXPECT_EQ(told_of(watch), is_used ? "" : "gone, other");
      if (is_used) system.close(one);
      EXPECT_EQ(told_of(watch), is_used ? "gone, other" : "");
      system.close(watch);
    }
  });
}

}  // namespace
}  // namespace lockstep::sim
