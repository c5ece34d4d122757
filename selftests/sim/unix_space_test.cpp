#include "unix_sockets.hpp"

#include <lockstep/sim/unix_socket.hpp>
#include <lockstep/sim/unix_space.hpp>

namespace lockstep::sim {
namespace {

TEST(UnixSpaceTest, GivesEachFreeNameOnce) {
  unix_space space;
  const std::string first = space.free_name(SOCK_STREAM);
  EXPECT_EQ(first, std::string("\00000000", 6));
  EXPECT_EQ(space.free_name(SOCK_STREAM), std::string("\00000001", 6));
  EXPECT_EQ(space.find(SOCK_STREAM, first), nullptr);
}

TEST(UnixSpaceTest, NamesOfTypesDoNotMeetAndGoWithTheirSocket) {
  in_world([](system_calls& system) {
    const int stream = listening_unix(system, "@name", 1);
    const int datagrams = system.socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_EQ(bind_to(system, datagrams, "@name"), 0);
    const int other = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(bind_to(system, other, "@name"), -EADDRINUSE);
    EXPECT_EQ(bind_to(system, other, "@nam"), 0);
    system.close(stream);
    const int again = listening_unix(system, "@name", 1);
    for (const int each : {datagrams, other, again}) system.close(each);
  });
}

// Each socket of the pair is in the other's queue, and nowhere else.
TEST(UnixSpaceTest, CollectsWhatOnlyMessagesHold) {
  in_world([](system_calls& system) {
    unix_space& space = here().unix_names();
    const descriptor_pair cycle = pair_of_unix(system);
    descriptor_pair pipe;
    system.pipe2(pipe.fds, 0);
    send_fds(system, cycle[0], "x", {cycle[0], pipe[1]});
    send_fds(system, cycle[1], "x", {cycle[1]});
    EXPECT_EQ(space.in_flight(), 2);
    system.close(pipe[1]);
    cycle.close(system);
    EXPECT_EQ(space.sockets().size(), 2u) << "as on Linux, until a socket is closed";
    EXPECT_EQ(ready(system, pipe[0]), 0u);
    system.close(system.socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(space.sockets().size(), 0u);
    EXPECT_EQ(space.in_flight(), 0);
    EXPECT_EQ(ready(system, pipe[0]), static_cast<unsigned>(POLLHUP)) << "what was with it is closed";
    system.close(pipe[0]);
  });
}

TEST(UnixSpaceTest, LeavesWhatCanBeReachedThroughAnother) {
  in_world([](system_calls& system) {
    const descriptor_pair outer = pair_of_unix(system);
    const descriptor_pair inner = pair_of_unix(system);
    send_fds(system, inner[0], "deep", {inner[1]});
    send_fds(system, outer[0], "x", {inner[0], inner[1]});
    inner.close(system);
    system.close(system.socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(here().unix_names().sockets().size(), 4u);
    const received_message got = receive(system, outer[1], 9);
    ASSERT_EQ(got.fds.size(), 2u);
    const received_message deep = receive(system, got.fds[1], 9);
    EXPECT_EQ(deep.text, "deep");
    ASSERT_EQ(deep.fds.size(), 1u);
    for (const int each : {got.fds[0], got.fds[1], deep.fds[0]}) system.close(each);
    outer.close(system);
    EXPECT_EQ(here().unix_names().sockets().size(), 0u);
  });
}

TEST(UnixSpaceTest, CollectsAListenerWithItsConnections) {
  in_world([](system_calls& system) {
    const int listener = listening_unix(system, "/tmp/l", 3);
    const int client = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(system, client, "/tmp/l"), 0);
    send_fds(system, client, "x", {listener});
    system.close(listener);
    system.close(system.socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(here().unix_names().sockets().size(), 1u) << "nobody can accept any more";
    EXPECT_EQ(read_text(system, client, 1), std::to_string(-ECONNRESET));
    system.close(client);
  });
}

TEST(UnixSpaceTest, NothingIsLeftAtTheEndOfARun) {
  in_world([](system_calls& system) {
    const descriptor_pair cycle = pair_of_unix(system);
    const int timer = system.timerfd_create(CLOCK_MONOTONIC, 0);
    itimerspec soon{};
    soon.it_value.tv_sec = 1;
    system.timerfd_settime(timer, 0, &soon, nullptr);
    send_fds(system, cycle[0], "x", {cycle[0], cycle[1], timer});
    system.close(timer);
    cycle.close(system);
    EXPECT_EQ(here().descriptors().count(), 0u);
    EXPECT_EQ(here().unix_names().sockets().size(), 2u);
  });
}

}  // namespace
}  // namespace lockstep::sim
