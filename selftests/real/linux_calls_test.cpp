#include <lockstep/real/linux_calls.hpp>

#include <lockstep/lockstep.hpp>
#include <lockstep/real/world.hpp>
#include <lockstep/system/current.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::real {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Two descriptors, which wait unless somebody sees to it that they do not.
struct two {
  int fds[2] = {-1, -1};
  ~two() {
    for (const int fd : fds) {
      if (fd >= 0) ::close(fd);
    }
  }
};

struct linked : two {
  explicit linked(linux_calls& calls) { EXPECT_EQ(calls.pipe2(fds, O_CLOEXEC), 0); }
};

struct pair_of_sockets : two {
  explicit pair_of_sockets(linux_calls& calls) {
    EXPECT_EQ(calls.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  }
};

class told_watch final : public readiness_watch {
 public:
  explicit told_watch(std::function<void()> ready = [] {}) : ready_(std::move(ready)) {}
  int told = 0;
  int closed = 0;

 private:
  void may_be_ready() noexcept override {
    ++told;
    ready_();
  }
  void was_closed() noexcept override { ++closed; }

  std::function<void()> ready_;
};

// -- calls ------------------------------------------------------------------------------------------------------------

TEST(LinuxCallsTest, ReturnResultsOrMinusTheErrorNumber) {
  linux_calls calls;
  char byte = 'x';
  iovec piece{&byte, 1};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto* const stored = reinterpret_cast<sockaddr*>(&address);
  itimerspec time{};
  int value = 0;
  socklen_t value_size = sizeof value;
  EXPECT_EQ(calls.read(-1, &byte, 1), -EBADF);
  EXPECT_EQ(calls.write(-1, &byte, 1), -EBADF);
  EXPECT_EQ(calls.readv(-1, &piece, 1), -EBADF);
  EXPECT_EQ(calls.writev(-1, &piece, 1), -EBADF);
  EXPECT_EQ(calls.close(-1), -EBADF);
  EXPECT_EQ(calls.dup(-1), -EBADF);
  EXPECT_EQ(calls.dup3(-1, 0, 0), -EBADF);
  EXPECT_EQ(calls.fcntl(-1, F_GETFD, 0), -EBADF);
  EXPECT_EQ(calls.ioctl(-1, FIONREAD, &value), -EBADF);
  EXPECT_EQ(calls.timerfd_settime(-1, 0, &time, nullptr), -EBADF);
  EXPECT_EQ(calls.timerfd_gettime(-1, &time), -EBADF);
  EXPECT_EQ(calls.epoll_ctl(-1, EPOLL_CTL_DEL, -1, nullptr), -EBADF);
  EXPECT_EQ(calls.bind(-1, stored, size), -EBADF);
  EXPECT_EQ(calls.listen(-1, 1), -EBADF);
  EXPECT_EQ(calls.accept4(-1, stored, &size, 0), -EBADF);
  EXPECT_EQ(calls.connect(-1, stored, size), -EBADF);
  EXPECT_EQ(calls.recvmsg(-1, &message, 0), -EBADF);
  EXPECT_EQ(calls.sendmsg(-1, &message, 0), -EBADF);
  EXPECT_EQ(calls.recv(-1, &byte, 1, 0), -EBADF);
  EXPECT_EQ(calls.send(-1, &byte, 1, 0), -EBADF);
  EXPECT_EQ(calls.shutdown(-1, SHUT_WR), -EBADF);
  EXPECT_EQ(calls.getsockname(-1, stored, &size), -EBADF);
  EXPECT_EQ(calls.getpeername(-1, stored, &size), -EBADF);
  EXPECT_EQ(calls.getsockopt(-1, SOL_SOCKET, SO_ERROR, &value, &value_size), -EBADF);
  EXPECT_EQ(calls.setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &value, value_size), -EBADF);
  EXPECT_EQ(calls.socket(-1, SOCK_STREAM, 0), -EAFNOSUPPORT);
  EXPECT_EQ(calls.pipe2(nullptr, -1), -EINVAL);
  EXPECT_EQ(calls.eventfd(0, -1), -EINVAL);
  EXPECT_EQ(calls.timerfd_create(-1, 0), -EINVAL);
  EXPECT_EQ(calls.epoll_create1(-1), -EINVAL);
}

TEST(LinuxCallsTest, MoveBytesOfDescriptorsOfEachKind) {
  linux_calls calls;
  const linked pipe(calls);
  char bytes[8] = {};
  const iovec out[2] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cd"), 2}};
  const iovec in[2] = {{bytes, 1}, {bytes + 1, 7}};
  EXPECT_EQ(calls.writev(pipe.fds[1], out, 2), 4);
  int waiting = 0;
  EXPECT_EQ(calls.ioctl(pipe.fds[0], FIONREAD, &waiting), 0);
  EXPECT_EQ(waiting, 4);
  EXPECT_EQ(calls.readv(pipe.fds[0], in, 2), 4);
  EXPECT_STREQ(bytes, "abcd");

  const int event = calls.eventfd(3, EFD_CLOEXEC);
  std::uint64_t count = 0;
  EXPECT_EQ(calls.read(event, &count, sizeof count), 8);
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(calls.read(event, &count, sizeof count), -EAGAIN);
  const int copy = calls.dup(event);
  EXPECT_EQ(calls.write(copy, &count, sizeof count), 8);
  pollfd asked{event, POLLIN, 0};
  EXPECT_EQ(calls.poll(&asked, 1), 1);
  EXPECT_EQ(asked.revents, POLLIN);

  const int epoll = calls.epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  EXPECT_EQ(calls.epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted), 0);
  EXPECT_EQ(calls.epoll_wait(epoll, &wanted, 1), 1);
  EXPECT_EQ(calls.read(event, &count, sizeof count), 8);
  EXPECT_EQ(calls.epoll_wait(epoll, &wanted, 1), 0);

  const int timer = calls.timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  itimerspec far{};
  far.it_value.tv_sec = 1'000'000;
  EXPECT_EQ(calls.timerfd_settime(timer, 0, &far, nullptr), 0);
  EXPECT_EQ(calls.read(timer, &count, sizeof count), -EAGAIN);
  itimerspec left{};
  EXPECT_EQ(calls.timerfd_gettime(timer, &left), 0);
  EXPECT_GT(left.it_value.tv_sec, 0);
  for (const int fd : {event, copy, epoll, timer}) EXPECT_EQ(calls.close(fd), 0);
}

TEST(LinuxCallsTest, NeverWait) {
  linux_calls calls;
  const linked pipe(calls);
  char bytes[4096] = {};
  EXPECT_EQ(calls.read(pipe.fds[0], bytes, 1), -EAGAIN);
  std::int64_t written = 0;
  while (written >= 0) written = calls.write(pipe.fds[1], bytes, sizeof bytes);
  EXPECT_EQ(written, -EAGAIN);
  EXPECT_EQ(calls.fcntl(pipe.fds[0], F_GETFL, 0) & O_NONBLOCK, 0);  // as its owner has it
  const pair_of_sockets sockets(calls);
  EXPECT_EQ(calls.recv(sockets.fds[0], bytes, 1, 0), -EAGAIN);
  while (written >= 0 || written == -EAGAIN) {
    written = calls.send(sockets.fds[1], bytes, sizeof bytes, 0);
    if (written == -EAGAIN) break;
  }
  iovec piece{bytes, sizeof bytes};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  EXPECT_EQ(calls.sendmsg(sockets.fds[1], &message, 0), -EAGAIN);
  EXPECT_EQ(calls.recvmsg(sockets.fds[1], &message, 0), -EAGAIN);

  const int listener = calls.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const stored = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  EXPECT_EQ(calls.bind(listener, stored, size), 0);
  EXPECT_EQ(calls.listen(listener, 1), 0);
  EXPECT_EQ(calls.getsockname(listener, stored, &size), 0);
  EXPECT_EQ(calls.accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), -EAGAIN);
  const int client = calls.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(calls.connect(client, stored, size), -EINPROGRESS);
  const int server = calls.accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(server, 0);
  EXPECT_EQ(calls.getpeername(client, stored, &size), 0);
  for (const int fd : {listener, client, server}) EXPECT_EQ(calls.close(fd), 0);
}

TEST(LinuxCallsTest, RaiseNoSigpipe) {
  linux_calls calls;
  linked pipe(calls);
  const iovec piece{const_cast<char*>("x"), 1};
  EXPECT_EQ(calls.close(std::exchange(pipe.fds[0], -1)), 0);
  EXPECT_EQ(calls.write(pipe.fds[1], "x", 1), -EPIPE);  // would end this process
  EXPECT_EQ(calls.writev(pipe.fds[1], &piece, 1), -EPIPE);
  pair_of_sockets sockets(calls);
  EXPECT_EQ(calls.close(std::exchange(sockets.fds[0], -1)), 0);
  EXPECT_EQ(calls.write(sockets.fds[1], "x", 1), -EPIPE);
  EXPECT_EQ(calls.send(sockets.fds[1], "x", 1, 0), -EPIPE);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

// -- watches ----------------------------------------------------------------------------------------------------------

TEST(LinuxCallsTest, TellAWatchAsLongAsItsDescriptorIsReady) {
  linux_calls calls;
  const linked pipe(calls);
  told_watch watch;
  EXPECT_EQ(calls.descriptor(), -1);
  calls.deliver();
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, watch), 0);
  EXPECT_TRUE(calls.watching());
  EXPECT_GE(calls.descriptor(), 0);
  calls.deliver();
  EXPECT_EQ(watch.told, 0);
  EXPECT_EQ(calls.write(pipe.fds[1], "x", 1), 1);
  pollfd asked{calls.descriptor(), POLLIN, 0};
  EXPECT_EQ(calls.poll(&asked, 1), 1);
  calls.deliver();
  calls.deliver();
  EXPECT_EQ(watch.told, 2);
  char byte;
  EXPECT_EQ(calls.read(pipe.fds[0], &byte, 1), 1);
  calls.deliver();
  EXPECT_EQ(watch.told, 2);
  calls.unwatch(watch);
  EXPECT_FALSE(calls.watching());
}

TEST(LinuxCallsTest, TellOnlyThoseWhoWantWhatHasCome) {
  linux_calls calls;
  pair_of_sockets sockets(calls);
  told_watch reader;
  told_watch writer;
  told_watch neither;
  EXPECT_EQ(calls.watch(sockets.fds[0], POLLIN, reader), 0);
  EXPECT_EQ(calls.watch(sockets.fds[0], 0, neither), 0);
  calls.deliver();
  EXPECT_EQ(reader.told, 0);
  EXPECT_EQ(calls.watch(sockets.fds[0], POLLOUT, writer), 0);
  calls.deliver();
  EXPECT_EQ(writer.told, 1);
  EXPECT_EQ(reader.told, 0);
  calls.unwatch(writer);
  calls.deliver();  // it is still writable, which nobody wants to know
  pollfd asked{calls.descriptor(), POLLIN, 0};
  EXPECT_EQ(calls.poll(&asked, 1), 0);
  EXPECT_EQ(calls.close(std::exchange(sockets.fds[1], -1)), 0);
  calls.deliver();
  EXPECT_EQ(reader.told, 1);
  EXPECT_EQ(neither.told, 1);  // of the end, which everybody is told of
  EXPECT_EQ(writer.told, 1);
  calls.unwatch(reader);
  calls.unwatch(neither);
}

TEST(LinuxCallsTest, ForgetAReadyDescriptorThatNobodyWatches) {
  linux_calls calls;
  const linked pipe(calls);
  const linked quiet(calls);
  told_watch watch;
  told_watch other;
  EXPECT_EQ(calls.watch(quiet.fds[0], POLLIN, other), 0);
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, watch), 0);
  calls.unwatch(watch);
  EXPECT_EQ(calls.write(pipe.fds[1], "x", 1), 1);
  pollfd asked{calls.descriptor(), POLLIN, 0};
  EXPECT_EQ(calls.poll(&asked, 1), 1);
  calls.deliver();
  EXPECT_EQ(calls.poll(&asked, 1), 0);  // or the loop would never rest
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, watch), 0);
  calls.deliver();
  EXPECT_EQ(watch.told, 1);
  calls.unwatch(watch);
  calls.unwatch(other);
}

TEST(LinuxCallsTest, LetAWatchTakeOffItselfAndOthers) {
  linux_calls calls;
  const linked pipe(calls);
  std::vector<int> order;
  told_watch third([&] { order.push_back(3); });
  told_watch second([&] { order.push_back(2); });
  told_watch* self = nullptr;
  told_watch late([&] { order.push_back(4); });
  told_watch first([&] {
    order.push_back(1);
    calls.unwatch(*self);
    calls.unwatch(second);
    EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, late), 0);
  });
  self = &first;
  for (told_watch* each : {&first, &second, &third}) EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, *each), 0);
  EXPECT_EQ(calls.write(pipe.fds[1], "x", 1), 1);
  calls.deliver();
  EXPECT_THAT(order, ElementsAre(1, 3));
  calls.deliver();
  EXPECT_THAT(order, ElementsAre(1, 3, 3, 4));
  calls.unwatch(third);
  calls.unwatch(late);
}

TEST(LinuxCallsTest, TellOfADescriptorThatIsClosed) {
  linux_calls calls;
  linked pipe(calls);
  linked other(calls);
  told_watch a;
  told_watch b;
  told_watch c;
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, a), 0);
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, b), 0);
  EXPECT_EQ(calls.watch(other.fds[0], POLLIN, c), 0);
  EXPECT_EQ(calls.close(std::exchange(pipe.fds[0], -1)), 0);
  EXPECT_EQ(a.closed, 1);
  EXPECT_EQ(b.closed, 1);
  EXPECT_FALSE(a.linked());
  EXPECT_EQ(calls.dup3(pipe.fds[1], other.fds[0], O_CLOEXEC), other.fds[0]);  // which closes that
  EXPECT_EQ(c.closed, 1);
  EXPECT_FALSE(calls.watching());
  EXPECT_EQ(a.told + b.told + c.told, 0);
}

TEST(LinuxCallsTest, LetAWatchCloseTheDescriptor) {
  linux_calls calls;
  linked pipe(calls);
  told_watch first([&] { EXPECT_EQ(calls.close(std::exchange(pipe.fds[0], -1)), 0); });
  told_watch second;
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, first), 0);
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, second), 0);
  EXPECT_EQ(calls.write(pipe.fds[1], "x", 1), 1);
  calls.deliver();
  EXPECT_EQ(first.closed, 1);
  EXPECT_EQ(second.closed, 1);
  EXPECT_EQ(second.told, 0);
  EXPECT_FALSE(calls.watching());
}

// Of code that knows nothing of these calls.
TEST(LinuxCallsTest, WatchANumberAgainThatWasClosedBehindThem) {
  linux_calls calls;
  told_watch watch;
  linked pipe(calls);
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, watch), 0);
  calls.unwatch(watch);
  const linked other(calls);
  EXPECT_EQ(::dup2(other.fds[0], pipe.fds[0]), pipe.fds[0]);
  EXPECT_EQ(calls.watch(pipe.fds[0], POLLIN, watch), 0);
  EXPECT_EQ(calls.write(other.fds[1], "x", 1), 1);
  calls.deliver();
  EXPECT_EQ(watch.told, 1);
  calls.unwatch(watch);
}

TEST(LinuxCallsTest, RefuseToWatchWhatEpollRefuses) {
  linux_calls calls;
  told_watch watch;
  const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int folder = ::open("/", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(calls.watch(file, POLLIN, watch), -EPERM);
  EXPECT_EQ(calls.watch(folder, POLLIN, watch), -EPERM);
  EXPECT_EQ(calls.watch(-1, POLLIN, watch), -EBADF);
  EXPECT_FALSE(calls.watching());
  EXPECT_FALSE(watch.linked());
  ::close(file);
  ::close(folder);
}

// -- in a world -------------------------------------------------------------------------------------------------------

// Waits until there is something to read.
class readable final : public primitive<readable>, private readiness_watch {
 public:
  explicit readable(int fd) : primitive(operation_kind::read_socket), fd_(fd) {}
  bool try_now() const noexcept { return false; }
  void enqueue() noexcept override { EXPECT_EQ(current_system().watch(fd_, POLLIN, *this), 0); }
  void withdraw() noexcept override { current_system().unwatch(*this); }
  void result() const noexcept {}

 private:
  void may_be_ready() noexcept override {
    current_system().unwatch(*this);
    detail::current_context->owner->grant(*this);
  }
  void was_closed() noexcept override {}

  int fd_;
};

task<void> wait_until_readable(int fd) { co_await readable(fd); }

TEST(LinuxCallsInAWorldTest, KeepARunAliveAsLongAsAWatchIsOn) {
  world world;
  const auto main = []() -> task<void> {
    system_calls& calls = current_system();
    const int timer = calls.timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    itimerspec soon{};
    soon.it_value.tv_nsec = 1'000'000;
    EXPECT_EQ(calls.timerfd_settime(timer, 0, &soon, nullptr), 0);
    co_await wait_until_readable(timer);  // for nothing that the loop knows of
    std::uint64_t count = 0;
    EXPECT_EQ(calls.read(timer, &count, sizeof count), 8);
    EXPECT_EQ(calls.close(timer), 0);
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(LinuxCallsInAWorldTest, AreNoReasonToWaitWhenNoWatchIsOn) {
  world world;
  linux_calls calls;
  const linked pipe(calls);
  const auto main = [&]() -> task<void> {
    auto reader = spawn(wait_until_readable(pipe.fds[0]), "reader");
    co_await settle();
    co_await sleep_for(std::chrono::nanoseconds(1));
    reader.cancel();
    static_cast<void>(co_await as_result(reader.join()));
    event never;
    co_await never.wait();
  };
  for (int runs = 0; runs < 2; ++runs) {
    EXPECT_THROW(world.run(main()), misuse);
    ASSERT_EQ(world.verdicts().size(), 1U);
    EXPECT_EQ(world.verdicts().front().kind, verdict_kind::deadlock);
  }
}

TEST(LinuxCallsInAWorldTest, LeaveNothingBehindWhenTheRunEnds) {
  world world;
  linux_calls calls;
  const linked pipe(calls);
  const auto main = [&]() -> task<void> {
    spawn_daemon(wait_until_readable(pipe.fds[0]));
    for (int turns = 0; turns < 3; ++turns) co_await yield();
  };
  world_options how;
  how.clock.exact = true;  // the system is asked after each turn
  world.run(main(), how);
  EXPECT_THAT(world.verdicts(), IsEmpty());
  world.io_context().restart();
  world.io_context().run();  // returns, as nothing is left to wait for
}

TEST(LinuxCallsInAWorldTest, OutliveIt) {
  std::shared_ptr<system_calls> kept;
  int fds[2];
  {
    world world;
    const auto main = [&]() -> task<void> {
      kept = current_system().shared_from_this();
      EXPECT_EQ(kept->pipe2(fds, O_CLOEXEC), 0);
      auto reader = spawn(wait_until_readable(fds[0]));
      EXPECT_EQ(kept->write(fds[1], "x", 1), 1);
      co_await reader.join();
    };
    world.run(main());
  }
  EXPECT_EQ(kept->close(fds[0]), 0);
  EXPECT_EQ(kept->close(fds[1]), 0);
}

}  // namespace
}  // namespace lockstep::real
