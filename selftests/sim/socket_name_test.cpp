#include <lockstep/sim/socket_name.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>

#include <cerrno>

namespace lockstep::sim {
namespace {

endpoint written(const endpoint& name, bool v6) {
  sockaddr_storage whole;
  socklen_t size = sizeof whole;
  EXPECT_EQ(write_name(name, v6, reinterpret_cast<sockaddr*>(&whole), &size), 0);
  return endpoint::from(reinterpret_cast<const sockaddr*>(&whole), size).value();
}

TEST(SocketNameTest, IsOfTheFamilyOfTheSocket) {
  EXPECT_EQ(written("10.0.0.2:80", false), "10.0.0.2:80");
  EXPECT_EQ(written("[::ffff:10.0.0.2]:80", false), "10.0.0.2:80");
  EXPECT_EQ(written("10.0.0.2:80", true), "[::ffff:10.0.0.2]:80");
  EXPECT_EQ(written("0.0.0.0:80", true), "[::]:80");
  EXPECT_EQ(written("[::1]:80", true), "[::1]:80");
}

TEST(SocketNameTest, IsCutToTheRoomThereIs) {
  sockaddr_in whole{};
  socklen_t size = 4;
  EXPECT_EQ(write_name("10.0.0.2:80", false, reinterpret_cast<sockaddr*>(&whole), &size), 0);
  EXPECT_EQ(size, sizeof whole);
  EXPECT_EQ(whole.sin_port, htons(80));
  EXPECT_EQ(whole.sin_addr.s_addr, 0u);
  size = static_cast<socklen_t>(-1);
  EXPECT_EQ(write_name("10.0.0.2:80", false, reinterpret_cast<sockaddr*>(&whole), &size), -EINVAL);
}

}  // namespace
}  // namespace lockstep::sim
