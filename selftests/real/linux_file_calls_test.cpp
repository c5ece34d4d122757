// The rows of selftests/files say what Linux does; here is what is particular to passing its calls on.
#include <lockstep/real/linux_calls.hpp>

#include <gtest/gtest.h>

#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stop_token>
#include <string>
#include <thread>

namespace lockstep::real {
namespace {

// A folder of the test's own, which goes with it.
class scratch_folder {
 public:
  scratch_folder() : path_((std::filesystem::temp_directory_path() / "lockstep.XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) throw std::filesystem::filesystem_error("no folder", std::error_code());
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

int opened(linux_calls& calls, const std::string& path, int flags) {
  const int fd = calls.openat(AT_FDCWD, path.c_str(), flags | O_CLOEXEC, 0644);
  EXPECT_GE(fd, 0) << path;
  return fd;
}

TEST(LinuxFileCallsTest, ReturnMinusTheErrorNumber) {
  linux_calls calls;
  struct stat is;
  struct statfs system;
  char byte = 'x';
  const iovec piece{&byte, 1};
  EXPECT_EQ(calls.openat(AT_FDCWD, "", O_RDONLY, 0), -ENOENT);
  EXPECT_EQ(calls.fstatat(AT_FDCWD, "", &is, 0), -ENOENT);
  EXPECT_EQ(calls.mkdirat(AT_FDCWD, "", 0755), -ENOENT);
  EXPECT_EQ(calls.unlinkat(AT_FDCWD, "", 0), -ENOENT);
  EXPECT_EQ(calls.renameat2(AT_FDCWD, "", AT_FDCWD, "", 0), -ENOENT);
  EXPECT_EQ(calls.linkat(AT_FDCWD, "", AT_FDCWD, "", 0), -ENOENT);
  EXPECT_EQ(calls.symlinkat("", AT_FDCWD, ""), -ENOENT);
  EXPECT_EQ(calls.readlinkat(AT_FDCWD, "", &byte, 1), -ENOENT);
  EXPECT_EQ(calls.faccessat(AT_FDCWD, "", F_OK, 0), -ENOENT);
  EXPECT_EQ(calls.fchmodat(AT_FDCWD, "", 0644), -ENOENT);
  EXPECT_EQ(calls.fchownat(AT_FDCWD, "", uid_t(-1), gid_t(-1), 0), -ENOENT);
  EXPECT_EQ(calls.utimensat(AT_FDCWD, "", nullptr, 0), -ENOENT);
  EXPECT_EQ(calls.truncate("", 0), -ENOENT);
  EXPECT_EQ(calls.statfs("", &system), -ENOENT);
  EXPECT_EQ(calls.chdir(""), -ENOENT);
  EXPECT_EQ(calls.fchdir(-1), -EBADF);
  EXPECT_EQ(calls.getcwd(&byte, 1), -ERANGE);
  EXPECT_EQ(calls.fstat(-1, &is), -EBADF);
  EXPECT_EQ(calls.lseek(-1, 0, SEEK_SET), -EBADF);
  EXPECT_EQ(calls.pread(-1, &byte, 1, 0), -EBADF);
  EXPECT_EQ(calls.pwrite(-1, &byte, 1, 0), -EBADF);
  EXPECT_EQ(calls.preadv(-1, &piece, 1, 0), -EBADF);
  EXPECT_EQ(calls.pwritev(-1, &piece, 1, 0), -EBADF);
  EXPECT_EQ(calls.ftruncate(-1, 0), -EBADF);
  EXPECT_EQ(calls.fallocate(-1, 0, 0, 1), -EBADF);
  EXPECT_EQ(calls.getdents64(-1, &byte, 1), -EBADF);
  EXPECT_EQ(calls.fchmod(-1, 0644), -EBADF);
  EXPECT_EQ(calls.fchown(-1, uid_t(-1), gid_t(-1)), -EBADF);
  EXPECT_EQ(calls.fstatfs(-1, &system), -EBADF);
  EXPECT_EQ(calls.flock(-1, LOCK_SH), -EBADF);
  EXPECT_EQ(calls.fsync(-1), -EBADF);
  EXPECT_EQ(calls.fdatasync(-1), -EBADF);
  EXPECT_EQ(calls.syncfs(-1), -EBADF);
  EXPECT_EQ(calls.sync_file_range(-1, 0, 0, 0), -EBADF);
  EXPECT_EQ(calls.inotify_init1(-1), -EINVAL);
  EXPECT_EQ(calls.inotify_add_watch(-1, "/", IN_CREATE), -EBADF);
  EXPECT_EQ(calls.inotify_rm_watch(-1, 1), -EBADF);
}

TEST(LinuxFileCallsTest, ReachTheDisk) {
  EXPECT_TRUE(linux_calls().wait_for_disk());
  EXPECT_EQ(linux_calls().take_disk_time(), duration{});  // it has passed already
}

TEST(LinuxFileCallsTest, MakeAndReadFiles) {
  linux_calls calls;
  const scratch_folder folder;
  EXPECT_EQ(calls.mkdirat(AT_FDCWD, (folder / "d").c_str(), 0755), 0);
  const int fd = opened(calls, folder / "d/f", O_RDWR | O_CREAT);
  std::array<char, 8> bytes{};
  const iovec out[2] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cd"), 2}};
  const iovec in{bytes.data(), bytes.size()};
  EXPECT_EQ(calls.pwritev(fd, out, 2, 1), 4);
  EXPECT_EQ(calls.preadv(fd, &in, 1, 1), 4);
  EXPECT_STREQ(bytes.data(), "abcd");
  EXPECT_EQ(calls.pwrite(fd, "x", 1, 0), 1);
  EXPECT_EQ(calls.pread(fd, bytes.data(), 2, 0), 2);
  EXPECT_EQ(calls.lseek(fd, 0, SEEK_END), 5);
  EXPECT_EQ(calls.ftruncate(fd, 3), 0);
  struct stat is;
  EXPECT_EQ(calls.fstat(fd, &is), 0);
  EXPECT_EQ(is.st_size, 3);
  EXPECT_EQ(calls.fsync(fd), 0);
  EXPECT_EQ(calls.renameat2(AT_FDCWD, (folder / "d/f").c_str(), AT_FDCWD, (folder / "g").c_str(), 0), 0);
  EXPECT_EQ(calls.fstatat(AT_FDCWD, (folder / "d/f").c_str(), &is, 0), -ENOENT);
  EXPECT_EQ(calls.unlinkat(AT_FDCWD, (folder / "d").c_str(), AT_REMOVEDIR), 0);
  const int entries = opened(calls, folder.path(), O_RDONLY | O_DIRECTORY);
  std::array<char, 1024> records;
  EXPECT_GT(calls.getdents64(entries, records.data(), records.size()), 0);
  EXPECT_EQ(calls.getdents64(entries, records.data(), records.size()), 0);
  for (const int each : {fd, entries}) EXPECT_EQ(calls.close(each), 0);
}

// Of this process, which would wait for itself.
TEST(LinuxFileCallsTest, NeverWaitForALock) {
  linux_calls calls;
  const scratch_folder folder;
  const int one = opened(calls, folder / "f", O_RDWR | O_CREAT);
  const int other = opened(calls, folder / "f", O_RDWR);
  EXPECT_EQ(calls.flock(one, LOCK_EX), 0);
  EXPECT_EQ(calls.flock(other, LOCK_SH), -EWOULDBLOCK);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  const auto lock = reinterpret_cast<std::intptr_t>(&whole);
  EXPECT_EQ(calls.fcntl(one, F_OFD_SETLKW, lock), 0);
  EXPECT_EQ(calls.fcntl(other, F_OFD_SETLKW, lock), -EAGAIN);
  EXPECT_EQ(calls.fcntl(other, F_SETLKW, lock), -EAGAIN);
  for (const int each : {one, other}) EXPECT_EQ(calls.close(each), 0);
}

TEST(LinuxFileCallsTest, TellTheSizeOfTheWorkingDirectory) {
  linux_calls calls;
  std::string is(4096, '?');
  const std::int64_t size = calls.getcwd(is.data(), is.size());
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::strlen(is.c_str()) + 1, static_cast<std::size_t>(size));
}

TEST(LinuxFileCallsTest, SetTheTimesOfAnOpenFile) {
  linux_calls calls;
  const scratch_folder folder;
  const int fd = opened(calls, folder / "f", O_RDWR | O_CREAT);
  const timespec times[2] = {{1, 0}, {2, 0}};
  EXPECT_EQ(calls.utimensat(fd, nullptr, times, 0), 0);
  EXPECT_EQ(calls.utimensat(fd, nullptr, times, AT_SYMLINK_NOFOLLOW), -EINVAL);
  struct stat is;
  EXPECT_EQ(calls.fstat(fd, &is), 0);
  EXPECT_EQ(is.st_mtim.tv_sec, 2);
  EXPECT_EQ(calls.close(fd), 0);
}

// What a program sets meanwhile is not lost, as would be if a read put the flags back as they were.
TEST(LinuxFileCallsTest, MayBeMadeOnAnyThread) {
  linux_calls calls;
  const scratch_folder folder;
  const int fd = opened(calls, folder / "f", O_RDWR | O_CREAT);
  constexpr int times = 20'000;
  int lost = 0;
  {
    const std::jthread reader([&](const std::stop_token& stop) {
      char byte = 0;
      while (!stop.stop_requested()) EXPECT_EQ(calls.read(fd, &byte, 1), 0);
    });
    for (int i = 0; i < times; ++i) {
      EXPECT_EQ(calls.fcntl(fd, F_SETFL, O_APPEND), 0);
      lost += (calls.fcntl(fd, F_GETFL, 0) & O_APPEND) == 0 ? 1 : 0;
      EXPECT_EQ(calls.fcntl(fd, F_SETFL, 0), 0);
    }
  }
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(calls.close(fd), 0);
}

}  // namespace
}  // namespace lockstep::real
