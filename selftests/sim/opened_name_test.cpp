#include <lockstep/sim/opened_name.hpp>

#include "in_world.hpp"

#include <lockstep/sim/file_names.hpp>

#include <sys/inotify.h>

#include <cstring>
#include <string>

namespace lockstep::sim {
namespace {

int open_path(const char* path, int flags = O_RDWR | O_CREAT) {
  const int fd = here().openat(AT_FDCWD, path, flags, S_IRUSR | S_IWUSR);
  EXPECT_GE(fd, 0) << path;
  return fd;
}

int watch_of(const char* path, std::uint32_t events) {
  const int watch = here().inotify_init1(IN_NONBLOCK);
  EXPECT_EQ(here().inotify_add_watch(watch, path, events), 1) << path;
  return watch;
}

// "modify a, modify b", without a name "gone".
std::string told_of(int fd) {
  std::string text;
  char bytes[4096];
  const std::int64_t got = here().read(fd, bytes, sizeof bytes);
  for (std::int64_t at = 0; at < got;) {
    inotify_event head;
    std::memcpy(&head, bytes + at, sizeof head);
    text += text.empty() ? "" : ", ";
    text += (head.mask & IN_MODIFY) != 0 ? "modify" : (head.mask & IN_DELETE_SELF) != 0 ? "gone" : "other";
    if (head.len != 0) text += std::string(" ") + (bytes + at + sizeof head);
    at += static_cast<std::int64_t>(sizeof head + head.len);
  }
  return text;
}

TEST(OpenedNameTest, IsTheOneByWhichAFileWasOpened) {
  in_world([](system_calls& system) {
    const int one = open_path("/tmp/a");
    EXPECT_EQ(system.linkat(AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b", 0), 0);
    const int other = open_path("/tmp/b");
    const int watch = watch_of("/tmp", IN_MODIFY);
    write_text(system, one, "x");
    write_text(system, other, "y");
    EXPECT_EQ(told_of(watch), "modify a, modify b");
    system.truncate("/tmp/b", 0);
    EXPECT_EQ(told_of(watch), "modify b") << "of a path likewise";
    for (const int fd : {one, other, watch}) system.close(fd);
  });
}

TEST(OpenedNameTest, GoesWhereARenameTakesIt) {
  in_world([](system_calls& system) {
    const int one = open_path("/tmp/a");
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
    const int one = open_path("/tmp/a");
    const int watch = watch_of("/tmp", IN_MODIFY);
    const int strict = watch_of("/tmp", IN_MODIFY | IN_EXCL_UNLINK);
    system.unlinkat(AT_FDCWD, "/tmp/a", 0);
    write_text(system, one, "x");
    EXPECT_EQ(told_of(watch), "modify a");
    EXPECT_EQ(told_of(strict), "");
    for (const int fd : {one, watch, strict}) system.close(fd);
  });
}

TEST(OpenedNameTest, TellsThatAFileIsGoneWithItsLastUse) {
  in_world([](system_calls& system) {
    const int one = open_path("/tmp/a");
    const int again = open_path("/tmp/a");
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
    const int one = open_path("/tmp/d/a");
    const int watch = watch_of("/tmp/d", IN_DELETE_SELF);
    system.unlinkat(AT_FDCWD, "/tmp/d/a", 0);
    system.unlinkat(AT_FDCWD, "/tmp/d", AT_REMOVEDIR);
    EXPECT_EQ(told_of(watch), "");
    system.close(one);
    EXPECT_EQ(told_of(watch), "gone, other");
    system.close(watch);
  });
}

}  // namespace
}  // namespace lockstep::sim
