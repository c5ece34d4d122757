#include <lockstep/sim/socket.hpp>

#include "two_hosts.hpp"

#include <gtest/gtest.h>

#include <array>

namespace lockstep::sim {
namespace {

TEST(SocketTest, CountsTheBytesOfAllPieces) {
  std::array<char, 7> bytes{};
  const std::array<iovec, 3> pieces{iovec{bytes.data(), 3}, iovec{bytes.data(), 0}, iovec{bytes.data(), 4}};
  EXPECT_EQ(size_of(pieces.data(), 3), 7);
  EXPECT_EQ(size_of(pieces.data(), 1), 3);
  EXPECT_EQ(size_of(nullptr, 0), 0);
}

TEST(SocketTest, IsReadAndWrittenLikeAFile) {
  run_on_hosts([]() -> task<void> {
    connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    EXPECT_EQ(hosts.client.write(here.fd, "hello", 5), 5);
    std::array<char, 2> one{};
    std::array<char, 5> other{};
    const std::array<iovec, 2> pieces{iovec{one.data(), one.size()}, iovec{other.data(), other.size()}};
    EXPECT_EQ(hosts.web.readv(there.fd, pieces.data(), 2), 5);
    EXPECT_EQ(std::string(one.data(), 2) + std::string(other.data(), 3), "hello");
    EXPECT_EQ(hosts.web.descriptors().find(there.fd)->as_socket(), hosts.web.descriptors().find(there.fd));
    for (const file& each : {listener, here, there}) each.close();
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
