#include "unix_sockets.hpp"

#include <lockstep/sim/unix_socket.hpp>

#include <sys/ioctl.h>

#include <linux/sockios.h>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string err(int number) { return std::to_string(-number); }

std::string name_of(system_calls& system, int fd, bool peer = false) {
  sockaddr_un whole{};
  socklen_t size = sizeof whole;
  auto* const address = reinterpret_cast<sockaddr*>(&whole);
  const int failed = peer ? system.getpeername(fd, address, &size) : system.getsockname(fd, address, &size);
  return failed != 0 ? std::to_string(failed) : std::string(whole.sun_path, size - 2);
}

// -- connections ------------------------------------------------------------------------------------------------------

TEST(UnixSocketTest, ConnectsByPath) {
  in_world([](system_calls& system) {
    const int client = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(system, client, "/tmp/l"), -ENOENT);
    const int listener = listening_unix(system, "/tmp/l", 1);
    EXPECT_EQ(system.accept4(listener, nullptr, nullptr, 0), -EAGAIN);
    EXPECT_EQ(connect_to(system, client, "/tmp/l"), 0);
    EXPECT_EQ(connect_to(system, client, "/tmp/l"), -EISCONN);
    EXPECT_EQ(write_text(system, client, "early"), 5);
    sockaddr_un from{};
    socklen_t size = sizeof from;
    const int server = system.accept4(listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK);
    EXPECT_EQ(size, 2u);
    EXPECT_EQ(read_text(system, server, 9), "early");
    EXPECT_EQ(name_of(system, client), "");
    EXPECT_EQ(name_of(system, client, true), std::string("/tmp/l\0", 7));
    EXPECT_EQ(name_of(system, server), std::string("/tmp/l\0", 7));
    EXPECT_EQ(name_of(system, server, true), "");
    for (const int each : {client, server, listener}) system.close(each);
    const int late = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(system, late, "/tmp/l"), -ECONNREFUSED) << "the name is left";
    EXPECT_EQ(bind_to(system, late, "/tmp/l"), -EADDRINUSE);
    EXPECT_EQ(here().unlinkat(AT_FDCWD, "/tmp/l", 0), 0);
    EXPECT_EQ(bind_to(system, late, "/tmp/l"), 0);
    EXPECT_EQ(bind_to(system, late, "/tmp/other"), -EINVAL);
    EXPECT_EQ(here().unlinkat(AT_FDCWD, "/tmp/other", 0), -ENOENT);
    system.close(late);
  });
}

TEST(UnixSocketTest, ANameThatWasUnlinkedLeadsNowhereAndLeavesTheSocketBound) {
  in_world([](system_calls& system) {
    const int first = listening_unix(system, "/tmp/l", 1);
    here().unlinkat(AT_FDCWD, "/tmp/l", 0);
    const int second = listening_unix(system, "/tmp/l", 1);
    const int client = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(system, client, "/tmp/l"), 0);
    system.close(first);
    EXPECT_EQ(ready(system, second), static_cast<unsigned>(POLLIN));
    const int late = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(system, late, "/tmp/l"), 0) << "it was not the first's";
    for (const int each : {second, client, late}) system.close(each);
  });
}

TEST(UnixSocketTest, ABacklogTakesOneMore) {
  in_world([](system_calls& system) {
    const int listener = listening_unix(system, "@l", 1);
    int clients[4];
    for (int& each : clients) each = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect_to(system, clients[0], "@l"), 0);
    EXPECT_EQ(connect_to(system, clients[1], "@l"), 0);
    EXPECT_EQ(connect_to(system, clients[2], "@l"), -EAGAIN);
    EXPECT_EQ(ready(system, clients[2]), static_cast<unsigned>(POLLOUT | POLLHUP));
    const int server = system.accept4(listener, nullptr, nullptr, 0);
    EXPECT_EQ(connect_to(system, clients[2], "@l"), 0);
    system.listen(listener, 2);
    EXPECT_EQ(connect_to(system, clients[3], "@l"), 0);
    system.close(listener);
    EXPECT_EQ(read_text(system, clients[1], 1), err(ECONNRESET)) << "nobody has accepted it";
    EXPECT_EQ(read_text(system, clients[1], 1), "");
    EXPECT_EQ(read_text(system, clients[0], 1), err(EAGAIN));
    system.close(server);
    for (const int each : clients) system.close(each);
  });
}

TEST(UnixSocketTest, RefusesWhatIsNotForIt) {
  in_world([](system_calls& system) {
    const int stream = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(system.listen(stream, 1), -EINVAL);
    EXPECT_EQ(system.accept4(stream, nullptr, nullptr, 0), -EINVAL);
    EXPECT_EQ(read_text(system, stream, 1), err(EINVAL));
    EXPECT_EQ(write_text(system, stream, "x"), -ENOTCONN);
    EXPECT_EQ(name_of(system, stream, true), err(ENOTCONN));
    EXPECT_EQ(send_to(system, stream, "/tmp/x", "x"), -EOPNOTSUPP);
    EXPECT_EQ(connect_to(system, stream, "/tmp"), -ECONNREFUSED);
    EXPECT_EQ(connect_to(system, stream, "@none"), -ECONNREFUSED);
    EXPECT_EQ(bind_to(system, stream, "/none/x"), -ENOENT);
    EXPECT_EQ(bind_to(system, stream, "/tmp/x/"), -ENOENT);
    const int datagrams = system.socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_EQ(system.listen(datagrams, 1), -EOPNOTSUPP);
    EXPECT_EQ(system.accept4(datagrams, nullptr, nullptr, 0), -EOPNOTSUPP);
    EXPECT_EQ(bind_to(system, datagrams, "/tmp/d"), 0);
    EXPECT_EQ(connect_to(system, stream, "/tmp/d"), -EPROTOTYPE);
    EXPECT_EQ(system.socket(AF_UNIX, SOCK_RDM, 0), -ESOCKTNOSUPPORT);
    EXPECT_EQ(system.socket(AF_UNIX, SOCK_STREAM, 2), -EPROTONOSUPPORT);
    descriptor_pair none;
    EXPECT_EQ(system.socketpair(AF_INET, SOCK_STREAM, 0, none.fds), -EOPNOTSUPP);
    system.close(stream);
    system.close(datagrams);
  });
}

TEST(UnixSocketTest, ChoosesANameOfItsOwn) {
  in_world([](system_calls& system) {
    const int socket = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(bind_to(system, socket, ""), 0);
    EXPECT_EQ(name_of(system, socket), std::string("\00000000", 6));
    EXPECT_EQ(bind_to(system, socket, ""), 0);
    EXPECT_EQ(name_of(system, socket), std::string("\00000000", 6));
    system.close(socket);
  });
}

// -- the end ----------------------------------------------------------------------------------------------------------

TEST(UnixSocketTest, AClosedPeerEndsTheStream) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    write_text(system, pair[1], "last");
    system.close(pair[1]);
    EXPECT_EQ(ready(system, pair[0]), static_cast<unsigned>(POLLIN | POLLOUT | POLLHUP | POLLRDHUP));
    EXPECT_EQ(write_text(system, pair[0], "x"), -EPIPE);
    EXPECT_EQ(read_text(system, pair[0], 9), "last");
    EXPECT_EQ(read_text(system, pair[0], 9), "");
    EXPECT_EQ(name_of(system, pair[0], true), "") << "it is remembered";
    system.close(pair[0]);
  });
}

TEST(UnixSocketTest, AClosedPeerThatHasNotReadResets) {
  in_world([](system_calls& system) {
    for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
      const descriptor_pair pair = pair_of_unix(system, type);
      write_text(system, pair[0], "unread");
      write_text(system, pair[1], "last");
      system.close(pair[1]);
      EXPECT_EQ(ready(system, pair[0]), static_cast<unsigned>(POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP));
      std::vector<std::string> got;
      for (int i = 0; i < 2; ++i) got.push_back(read_text(system, pair[0], 9));
      if (type == SOCK_SEQPACKET) std::swap(got[0], got[1]);  // the error comes first
      EXPECT_THAT(got, ElementsAre("last", err(ECONNRESET)));
      EXPECT_EQ(read_text(system, pair[0], 9), "");
      EXPECT_EQ(error_of(system, pair[0]), 0);
      system.close(pair[0]);
    }
  });
}

TEST(UnixSocketTest, ShutsEachWay) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    EXPECT_EQ(system.shutdown(pair[0], SHUT_WR), 0);
    EXPECT_EQ(ready(system, pair[0]), static_cast<unsigned>(POLLOUT));
    EXPECT_EQ(ready(system, pair[1]), static_cast<unsigned>(POLLIN | POLLOUT | POLLRDHUP));
    EXPECT_EQ(write_text(system, pair[0], "x"), -EPIPE);
    EXPECT_EQ(read_text(system, pair[1], 1), "");
    EXPECT_EQ(write_text(system, pair[1], "x"), 1);
    EXPECT_EQ(system.shutdown(pair[0], SHUT_RD), 0);
    EXPECT_EQ(write_text(system, pair[1], "x"), -EPIPE) << "who does not read tells the peer";
    EXPECT_EQ(read_text(system, pair[0], 9), "x");
    EXPECT_EQ(read_text(system, pair[0], 9), "");
    EXPECT_EQ(system.shutdown(pair[0], 3), -EINVAL);
    pair.close(system);
  });
}

// -- messages and memory ----------------------------------------------------------------------------------------------

TEST(UnixSocketTest, CountsWhatItHasSentUntilItIsRead) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    const auto outgoing = [&] {
      int bytes = 0;
      system.ioctl(pair[0], SIOCOUTQ, &bytes);
      return bytes;
    };
    const std::string text(4096, 'x');
    int count = 0;
    while (write_text(system, pair[0], text) == 4096) ++count;
    EXPECT_EQ(count, 44);
    EXPECT_EQ(outgoing(), 44 * 4864);
    EXPECT_EQ(ready(system, pair[0]), 0u);
    counting_watch watch;
    system.watch(pair[0], POLLOUT, watch);
    for (int i = 0; i < 33; ++i) read_text(system, pair[1], 4096);
    EXPECT_EQ(watch.told, 0) << "until three quarters are free";
    read_text(system, pair[1], 4096);
    EXPECT_EQ(watch.told, 1);
    EXPECT_EQ(ready(system, pair[0]), static_cast<unsigned>(POLLOUT));
    system.unwatch(watch);
    system.close(pair[1]);
    EXPECT_EQ(outgoing(), 0);
    system.close(pair[0]);
  });
}

TEST(UnixSocketTest, CountsEachSmallWriteAsAMessage) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    int count = 0;
    while (write_text(system, pair[0], "x") == 1) ++count;
    EXPECT_EQ(count, 278);
    EXPECT_EQ(read_text(system, pair[1], 999).size(), 278u);
    EXPECT_EQ(write_text(system, pair[0], std::string(250'000, 'x')), 5 * 36'544 + 36'544);
    int bytes = 0;
    system.ioctl(pair[1], FIONREAD, &bytes);
    EXPECT_EQ(bytes, 6 * 36'544);
    pair.close(system);
  });
}

TEST(UnixSocketTest, KeepsMessagesApart) {
  in_world([](system_calls& system) {
    for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
      const descriptor_pair pair = pair_of_unix(system, type);
      write_text(system, pair[0], "abc");
      write_text(system, pair[0], "");
      write_text(system, pair[0], "de");
      char small[2];
      EXPECT_EQ(system.recv(pair[1], small, 2, MSG_PEEK | MSG_TRUNC), 3);
      const received_message first = receive(system, pair[1], 2);
      EXPECT_EQ(first.text, "ab");
      EXPECT_EQ(first.flags, MSG_TRUNC);
      EXPECT_EQ(receive(system, pair[1], 2).result, 0);
      EXPECT_EQ(read_text(system, pair[1], 9), "de");
      EXPECT_EQ(write_text(system, pair[0], std::string(212'961, 'x')), -EMSGSIZE);
      EXPECT_EQ(write_text(system, pair[0], std::string(212'960, 'x')), 212'960);
      pair.close(system);
    }
  });
}

TEST(UnixSocketTest, QueuesElevenDatagrams) {
  in_world([](system_calls& system) {
    const int receiver = system.socket(AF_UNIX, SOCK_DGRAM, 0);
    const int sender = system.socket(AF_UNIX, SOCK_DGRAM, 0);
    bind_to(system, receiver, "/tmp/d");
    EXPECT_EQ(write_text(system, sender, "x"), -ENOTCONN);
    for (int i = 0; i < 11; ++i) EXPECT_EQ(send_to(system, sender, "/tmp/d", "x"), 1);
    EXPECT_EQ(send_to(system, sender, "/tmp/d", "x"), -EAGAIN);
    EXPECT_EQ(ready(system, sender), static_cast<unsigned>(POLLOUT)) << "for others";
    EXPECT_EQ(connect_to(system, sender, "/tmp/d"), 0);
    EXPECT_EQ(ready(system, sender), 0u);
    counting_watch watch;
    system.watch(sender, POLLOUT, watch);
    EXPECT_EQ(watch.told, 0);
    EXPECT_EQ(read_text(system, receiver, 1), "x");
    EXPECT_GT(watch.told, 0);
    system.unwatch(watch);
    EXPECT_EQ(write_text(system, sender, "x"), 1);
    EXPECT_EQ(ready(system, sender), 0u);
    system.close(sender);
    EXPECT_EQ(read_text(system, receiver, 1), "x");
    system.close(receiver);
  });
}

TEST(UnixSocketTest, ADeadReceiverIsNoticedOnce) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system, SOCK_DGRAM);
    write_text(system, pair[1], "kept");
    system.close(pair[1]);
    EXPECT_EQ(ready(system, pair[0]), static_cast<unsigned>(POLLIN | POLLOUT));
    EXPECT_EQ(read_text(system, pair[0], 2), "ke");
    EXPECT_EQ(write_text(system, pair[0], "x"), -ECONNREFUSED);
    EXPECT_EQ(write_text(system, pair[0], "x"), -ENOTCONN);
    system.close(pair[0]);
  });
}

TEST(UnixSocketTest, ADatagramSocketHearsItsPeerOnly) {
  in_world([](system_calls& system) {
    int sockets[3];
    const char* const names[] = {"/tmp/a", "/tmp/b", "/tmp/c"};
    for (int i = 0; i < 3; ++i) {
      sockets[i] = system.socket(AF_UNIX, SOCK_DGRAM, 0);
      bind_to(system, sockets[i], names[i]);
    }
    EXPECT_EQ(connect_to(system, sockets[0], "/tmp/b"), 0);
    EXPECT_EQ(send_to(system, sockets[2], "/tmp/a", "x"), -EPERM);
    EXPECT_EQ(connect_to(system, sockets[2], "/tmp/a"), -EPERM);
    EXPECT_EQ(send_to(system, sockets[1], "/tmp/a", "lost"), 4);
    EXPECT_EQ(connect_to(system, sockets[1], "/tmp/a"), 0);
    EXPECT_EQ(connect_to(system, sockets[0], "/tmp/c"), 0);
    EXPECT_EQ(read_text(system, sockets[0], 9), err(EAGAIN));
    EXPECT_EQ(error_of(system, sockets[1]), ECONNRESET);
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    EXPECT_EQ(system.connect(sockets[0], &nobody, sizeof nobody), 0);
    EXPECT_EQ(send_to(system, sockets[2], "/tmp/a", "x"), 1);
    const received_message got = receive(system, sockets[0], 9);
    EXPECT_EQ(got.from, std::string("/tmp/c\0", 7));
    for (const int each : sockets) system.close(each);
  });
}

// -- what comparing with Linux has found -----------------------------------------------------------------------------

TEST(UnixSocketTest, ATooLargeDatagramIsRefusedBeforeWhoHasNoPeer) {
  in_world([](system_calls& system) {
    const int socket = system.socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_EQ(write_text(system, socket, std::string(213'000, 'x')), -EMSGSIZE);
    system.shutdown(socket, SHUT_WR);
    EXPECT_EQ(write_text(system, socket, "x"), -EPIPE);
    system.close(socket);
  });
}

TEST(UnixSocketTest, AFailedSendingWakesThoseWhoWaitToSend) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system, SOCK_DGRAM);
    system.close(pair[1]);
    counting_watch watch;
    system.watch(pair[0], POLLOUT, watch);
    watch.told = 0;
    EXPECT_EQ(write_text(system, pair[0], "x"), -ECONNREFUSED);
    EXPECT_EQ(watch.told, 1) << "its memory is free again";
    system.unwatch(watch);
    system.close(pair[0]);
  });
}

TEST(UnixSocketTest, AnEmptyMessageThatWasNotReadIsNoLoss) {
  in_world([](system_calls& system) {
    for (const std::string_view text : {"", "x"}) {
      const descriptor_pair pair = pair_of_unix(system, SOCK_SEQPACKET);
      write_text(system, pair[0], text);
      system.close(pair[1]);
      EXPECT_EQ(error_of(system, pair[0]), text.empty() ? 0 : ECONNRESET);
      system.close(pair[0]);
    }
  });
}

TEST(UnixSocketTest, AnEmptyVectorSendsNothing) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system, SOCK_DGRAM);
    const iovec nothing{nullptr, 0};
    EXPECT_EQ(system.writev(pair[0], &nothing, 1), 0);
    EXPECT_EQ(ready(system, pair[1]), static_cast<unsigned>(POLLOUT));
    EXPECT_EQ(write_text(system, pair[0], ""), 0);
    EXPECT_EQ(ready(system, pair[1]), static_cast<unsigned>(POLLIN | POLLOUT));
    pair.close(system);
  });
}

TEST(UnixSocketTest, PeekingShowsTheDescriptorsThatFollow) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    write_text(system, pair[0], "abc");
    send_fds(system, pair[0], "d", {pair[0]});
    const received_message peeked = receive(system, pair[1], 3, 200, MSG_PEEK);
    EXPECT_EQ(peeked.text, "abc");
    ASSERT_THAT(peeked.fds, SizeIs(1));
    EXPECT_THAT(receive(system, pair[1], 3).fds, IsEmpty());
    system.close(peeked.fds[0]);
    pair.close(system);
  });
}

TEST(UnixSocketTest, TheEndHasNoSender) {
  in_world([](system_calls& system) {
    for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
      const descriptor_pair pair = pair_of_unix(system, type);
      pass_credentials(system, pair[0]);
      system.close(pair[1]);
      const received_message end = receive(system, pair[0], 9);
      EXPECT_EQ(end.result, 0);
      ASSERT_THAT(end.senders, SizeIs(type == SOCK_STREAM ? 1 : 0));
      if (type == SOCK_STREAM) {
        EXPECT_EQ(end.senders[0].uid, 0u);
      }
      system.close(pair[0]);
    }
  });
}

TEST(UnixSocketTest, SettingTheBufferWakesThoseWhoWaitToSend) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    counting_watch watch;
    system.watch(pair[0], POLLOUT, watch);
    watch.told = 0;
    const int size = 9000;
    EXPECT_EQ(system.setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    EXPECT_EQ(watch.told, 1);
    system.unwatch(watch);
    pair.close(system);
  });
}

// -- descriptors and credentials --------------------------------------------------------------------------------------

TEST(UnixSocketTest, AStreamStopsAfterTheMessageWithDescriptors) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    write_text(system, pair[0], "A");
    EXPECT_EQ(send_fds(system, pair[0], "BB", {pair[0]}), 2);
    write_text(system, pair[0], "C");
    const received_message peeked = receive(system, pair[1], 9, 200, MSG_PEEK);
    EXPECT_EQ(peeked.text, "ABB");
    EXPECT_THAT(peeked.fds, ElementsAre(5));
    const received_message first = receive(system, pair[1], 2);
    EXPECT_EQ(first.text, "AB");
    EXPECT_THAT(first.fds, ElementsAre(6)) << "with its first byte";
    const received_message second = receive(system, pair[1], 9);
    EXPECT_EQ(second.text, "BC");
    EXPECT_THAT(second.fds, IsEmpty());
    EXPECT_EQ(here().unix_names().in_flight(), 0);
    for (const int each : {pair[0], pair[1], 5}) system.close(each);
    EXPECT_EQ(write_text(system, 6, "x"), -EPIPE) << "the last one is the same socket";
    system.close(6);
  });
}

TEST(UnixSocketTest, ADescriptorKeepsItsFileOpenOnTheWay) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system, SOCK_DGRAM);
    descriptor_pair pipe;
    system.pipe2(pipe.fds, 0);
    send_fds(system, pair[0], "", {pipe[1]});
    system.close(pipe[1]);
    EXPECT_EQ(ready(system, pipe[0]), 0u);
    const received_message got = receive(system, pair[1], 9, 200, MSG_CMSG_CLOEXEC);
    EXPECT_EQ(got.flags, MSG_CMSG_CLOEXEC);
    ASSERT_THAT(got.fds, SizeIs(1));
    EXPECT_EQ(system.fcntl(got.fds[0], F_GETFD, 0), FD_CLOEXEC);
    EXPECT_EQ(write_text(system, got.fds[0], "x"), 1);
    system.close(got.fds[0]);
    send_fds(system, pair[0], "lost", {pipe[0]});
    system.close(pipe[0]);
    pair.close(system);
    EXPECT_EQ(here().descriptors().count(), 0u);
    EXPECT_EQ(here().unix_names().in_flight(), 0);
  });
}

TEST(UnixSocketTest, DescriptorsWithoutRoomAreClosed) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    const auto passed = [&](std::size_t control_size) {
      send_fds(system, pair[0], "x", {pair[0], pair[0], pair[0]});
      const received_message got = receive(system, pair[1], 9, control_size);
      EXPECT_EQ(got.flags, MSG_CTRUNC);
      for (const int each : got.fds) system.close(each);
      return got.fds.size();
    };
    EXPECT_EQ(passed(CMSG_LEN(8)), 2u);
    EXPECT_EQ(passed(CMSG_LEN(7)), 1u);
    EXPECT_EQ(passed(CMSG_LEN(0)), 0u);
    EXPECT_EQ(passed(0), 0u);
    here().descriptors().set_limit(6);
    EXPECT_EQ(passed(200), 1u) << "there are no more numbers";
    send_fds(system, pair[0], "x", {pair[0]});
    EXPECT_EQ(read_text(system, pair[1], 9), "x") << "who does not ask for them loses them";
    EXPECT_EQ(here().descriptors().count(), 2u);
    pair.close(system);
  });
}

TEST(UnixSocketTest, RefusesControlDataThatIsNoSuch) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    EXPECT_EQ(send_fds(system, pair[0], "x", {99}), -EBADF);
    EXPECT_EQ(send_fds(system, pair[0], "x", std::vector<int>(254, pair[0])), -EINVAL);
    EXPECT_EQ(send_fds(system, pair[0], "x", std::vector<int>(253, pair[0])), 1);
    EXPECT_EQ(send_control(system, pair[0], "x", control_of<int>(77, {1})), -EINVAL);
    EXPECT_EQ(send_control(system, pair[0], "x", control_of<int>(SCM_CREDENTIALS, {1, 0})), -EINVAL);
    EXPECT_EQ(send_control(system, pair[0], "x", control_of<ucred>(SCM_CREDENTIALS, {{2, 0, 0}})), -ESRCH);
    here().set_privileged(false);
    EXPECT_EQ(send_control(system, pair[0], "x", control_of<ucred>(SCM_CREDENTIALS, {{1, 0, 0}})), -EPERM);
    EXPECT_EQ(send_control(system, pair[0], "x", control_of<ucred>(SCM_CREDENTIALS, {{1, 1000, 1000}})), 1);
    pair.close(system);
  });
}

TEST(UnixSocketTest, ShowsWhoHasSent) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    write_text(system, pair[0], "before");
    pass_credentials(system, pair[1]);
    write_text(system, pair[0], "a");
    write_text(system, pair[0], "b");
    send_control(system, pair[0], "c", control_of<ucred>(SCM_CREDENTIALS, {{1, 5, 6}}));
    const received_message before = receive(system, pair[1], 99);
    EXPECT_EQ(before.text, "before") << "it does not go on to another sender's";
    ASSERT_THAT(before.senders, SizeIs(1));
    EXPECT_EQ(before.senders[0].pid, 0);
    EXPECT_EQ(before.senders[0].uid, 65534u);
    const received_message own = receive(system, pair[1], 99);
    EXPECT_EQ(own.text, "ab");
    ASSERT_THAT(own.senders, SizeIs(1));
    EXPECT_EQ(own.senders[0].pid, 1);
    EXPECT_EQ(own.senders[0].uid, 0u);
    const received_message other = receive(system, pair[1], 99);
    EXPECT_EQ(other.text, "c");
    EXPECT_EQ(other.senders.at(0).gid, 6u);
    pair.close(system);
  });
}

TEST(UnixSocketTest, KnowsWhoItsPeerIs) {
  in_world([](system_calls& system) {
    const auto peer_of = [&](int fd) {
      ucred peer{};
      socklen_t size = sizeof peer;
      EXPECT_EQ(system.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
      return peer;
    };
    const int listener = listening_unix(system, "@l", 1);
    here().set_privileged(false);
    const int client = system.socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(peer_of(client).pid, 0);
    EXPECT_EQ(peer_of(client).uid, static_cast<uid_t>(-1));
    connect_to(system, client, "@l");
    EXPECT_EQ(peer_of(client).uid, 0u) << "as it was when it listened";
    const int server = system.accept4(listener, nullptr, nullptr, 0);
    EXPECT_EQ(peer_of(server).uid, 1000u);
    for (const int each : {listener, client, server}) system.close(each);
  });
}

// -- what a search sees -----------------------------------------------------------------------------------------------

TEST(UnixSocketTest, BothEndsAreOneToASearch) {
  in_world([](system_calls& system) {
    const descriptor_pair pair = pair_of_unix(system);
    const auto touched = [](int fd) { return here().descriptors().find(fd)->touched_id(); };
    EXPECT_EQ(touched(pair[0]), touched(pair[1]));
    const int listener = listening_unix(system, "@l", 1);
    const int client = system.socket(AF_UNIX, SOCK_STREAM, 0);
    connect_to(system, client, "@l");
    const int server = system.accept4(listener, nullptr, nullptr, 0);
    EXPECT_EQ(touched(client), touched(server));
    EXPECT_NE(touched(client), touched(pair[0]));
    EXPECT_NE(touched(client), touched(listener));
    pair.close(system);
    for (const int each : {listener, client, server}) system.close(each);
  });
}

}  // namespace
}  // namespace lockstep::sim
