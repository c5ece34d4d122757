#include <lockstep/sim/socket_options.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

namespace lockstep::sim {
namespace {

int set(socket_options& of, int level, int name, int value) { return of.set(level, name, &value, sizeof value); }

TEST(SocketOptionsTest, KeepWhatWasSet) {
  socket_options all(socket_class::tcp, false);
  EXPECT_EQ(all[option::keep_alive_count], 9);
  EXPECT_EQ(set(all, IPPROTO_TCP, TCP_KEEPCNT, 5), 0);
  int is = 0;
  socklen_t size = sizeof is;
  EXPECT_EQ(all.get(IPPROTO_TCP, TCP_KEEPCNT, &is, &size), 0);
  EXPECT_EQ(is, 5);
  EXPECT_EQ(size, sizeof is);
  EXPECT_EQ(set(all, SOL_SOCKET, SO_REUSEADDR, 7), 0);
  EXPECT_EQ(all[option::reuse_address], 1);
}

TEST(SocketOptionsTest, DoubleTheSizesOfBuffersWithinTheirLimits) {
  socket_options all(socket_class::tcp, false);
  EXPECT_EQ(set(all, SOL_SOCKET, SO_SNDBUF, 4096), 0);
  EXPECT_EQ(all[option::send_buffer], 8192);
  EXPECT_EQ(set(all, SOL_SOCKET, SO_SNDBUF, 1), 0);
  EXPECT_EQ(all[option::send_buffer], 4608);
  EXPECT_EQ(set(all, SOL_SOCKET, SO_RCVBUF, 1'000'000'000), 0);
  EXPECT_EQ(all[option::receive_buffer], 2 * 212'992);
}

TEST(SocketOptionsTest, RefuseWhatLinuxRefuses) {
  socket_options all(socket_class::tcp, false);
  EXPECT_EQ(set(all, IPPROTO_TCP, TCP_KEEPCNT, 0), -EINVAL);
  EXPECT_EQ(set(all, IPPROTO_TCP, 9999, 1), -ENOPROTOOPT);
  EXPECT_EQ(set(all, SOL_SOCKET, SO_TYPE, 1), -ENOPROTOOPT);
  EXPECT_EQ(set(all, IPPROTO_IPV6, IPV6_V6ONLY, 1), -ENOPROTOOPT);
  const char one = 1;
  EXPECT_EQ(all.set(SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one), -EINVAL);
  const timeval odd{1, 1'000'000};
  EXPECT_EQ(all.set(SOL_SOCKET, SO_RCVTIMEO, &odd, sizeof odd), -EDOM);
}

TEST(SocketOptionsTest, AreEachSocketsOwnOnceTheyAreSet) {
  socket_options listener(socket_class::tcp, false);
  EXPECT_EQ(set(listener, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
  socket_options accepted = listener;
  EXPECT_EQ(accepted[option::keep_alive], 1);
  EXPECT_EQ(set(accepted, IPPROTO_TCP, TCP_KEEPCNT, 5), 0);
  EXPECT_EQ(set(listener, IPPROTO_TCP, TCP_KEEPIDLE, 60), 0);
  EXPECT_EQ(listener[option::keep_alive_count], 9);
  EXPECT_EQ(accepted[option::keep_alive_idle], 7200);
  EXPECT_EQ(socket_options(socket_class::tcp, false)[option::keep_alive], 0);
}

TEST(SocketOptionsTest, WriteAsMuchAsThereIsRoomFor) {
  const socket_options all(socket_class::tcp, false);
  unsigned char part[2] = {};
  socklen_t size = sizeof part;
  EXPECT_EQ(all.get(IPPROTO_TCP, TCP_KEEPIDLE, part, &size), 0);
  EXPECT_EQ(size, 2);
  EXPECT_EQ(part[0] + 256 * part[1], 7200);
}

}  // namespace
}  // namespace lockstep::sim
