// Locks on files that are held when their test ends, and such that are let go.
#include <lockstep/system/current.hpp>
#include <lockstep/testing/testing.hpp>

#include <gtest/gtest.h>
#include <sys/file.h>

#include <cstdint>

namespace lockstep {
namespace {

int opened(const char* path) { return current_system().openat(AT_FDCWD, path, O_RDWR | O_CREAT, S_IRUSR | S_IWUSR); }

int lock(int fd, int command, short type, off_t begin, off_t size) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = begin;
  range.l_len = size;
  return current_system().fcntl(fd, command, reinterpret_cast<std::int64_t>(&range));
}

CO_TEST(Verdict, LocksLeftHeld) {
  co_await yield();
  EXPECT_EQ(current_system().flock(opened("/tmp/whole"), LOCK_EX), 0);
  co_await yield();
  EXPECT_EQ(lock(opened("/tmp/of_open_file"), F_OFD_SETLK, F_WRLCK, 0, 10), 0);
  const int fd = opened("/tmp/of_process");
  co_await yield();
  EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
  co_await yield();
  EXPECT_EQ(lock(fd, F_SETLK, F_RDLCK, 50, 0), 0);
  EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 5, 10), 0);
}

CO_TEST(Verdict, LocksLetGo) {
  co_await yield();
  const int whole = opened("/tmp/whole");
  EXPECT_EQ(current_system().flock(whole, LOCK_EX), 0);
  const int of_open_file = opened("/tmp/of_open_file");
  EXPECT_EQ(lock(of_open_file, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
  const int of_process = opened("/tmp/of_process");
  EXPECT_EQ(lock(of_process, F_SETLK, F_WRLCK, 0, 10), 0);
  for (const int fd : {whole, of_open_file, of_process}) current_system().close(fd);
}

// What is left open then has no lock.
CO_TEST(Verdict, LocksLetGoOfAnOpenFile) {
  co_await yield();
  const int fd = opened("/tmp/left");
  EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
  EXPECT_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
}

}  // namespace
}  // namespace lockstep
