#include <lockstep/sim/unix_message.hpp>

#include <gtest/gtest.h>

#include <sys/un.h>

#include <cstring>

namespace lockstep::sim {
namespace {

// The values that SIOCOUTQ gave on Linux 6.18.
TEST(UnixMessageTest, TakesTheMemoryThatLinuxCounts) {
  EXPECT_EQ(message_memory(0, 0), 768u);
  EXPECT_EQ(message_memory(1, 0), 768u);
  EXPECT_EQ(message_memory(192, 0), 768u);
  EXPECT_EQ(message_memory(193, 0), 1280u);
  EXPECT_EQ(message_memory(3776, 0), 4352u);
  EXPECT_EQ(message_memory(3777, 3777), 4864u);
  EXPECT_EQ(message_memory(5000, 4096), 6400u);
  EXPECT_EQ(message_memory(212'960, 69'632), 332'032u);
}

TEST(UnixMessageTest, ANameIsAsLongAsLinuxSays) {
  sockaddr_un whole{};
  auto* const address = reinterpret_cast<sockaddr*>(&whole);
  socklen_t size = sizeof whole;
  EXPECT_EQ(write_unix_name("", address, &size), 0);
  EXPECT_EQ(size, 2u);
  size = sizeof whole;
  EXPECT_EQ(write_unix_name(std::string("/tmp/a\0", 7), address, &size), 0);
  EXPECT_EQ(size, 9u);
  EXPECT_STREQ(whole.sun_path, "/tmp/a");
  size = 4;
  std::memset(&whole, 'x', sizeof whole);
  EXPECT_EQ(write_unix_name(std::string("\0abc", 4), address, &size), 0);
  EXPECT_EQ(size, 6u) << "with what there was no room for";
  EXPECT_EQ(std::memcmp(whole.sun_path, "\0axx", 4), 0);
  size = static_cast<socklen_t>(-1);
  EXPECT_EQ(write_unix_name("", address, &size), -EINVAL);
}

TEST(UnixMessageTest, ANameIsReadFromAnAddress) {
  sockaddr_un whole{};
  auto* const address = reinterpret_cast<sockaddr*>(&whole);
  whole.sun_family = AF_UNIX;
  std::strcpy(whole.sun_path, "/tmp/a");
  std::string name;
  EXPECT_EQ(read_unix_name(address, sizeof whole, name), 0);
  EXPECT_EQ(name, std::string("/tmp/a\0", 7));
  EXPECT_EQ(read_unix_name(address, 6, name), 0) << "it needs no end";
  EXPECT_EQ(name, std::string("/tmp\0", 5));
  std::memset(whole.sun_path, 'y', sizeof whole.sun_path);
  EXPECT_EQ(read_unix_name(address, sizeof whole, name), 0);
  EXPECT_EQ(name.size(), 109u);
  whole.sun_path[0] = '\0';
  EXPECT_EQ(read_unix_name(address, 5, name), 0);
  EXPECT_EQ(name, std::string("\0yy", 3));
  EXPECT_EQ(read_unix_name(address, 2, name), -EINVAL);
  EXPECT_EQ(read_unix_name(address, sizeof whole + 1, name), -EINVAL);
  whole.sun_family = AF_INET;
  EXPECT_EQ(read_unix_name(address, sizeof whole, name), -EINVAL);
}

}  // namespace
}  // namespace lockstep::sim
