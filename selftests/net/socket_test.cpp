#include <lockstep/net/socket.hpp>

#include "in_both_worlds.hpp"
#include "scripted_calls.hpp"

#include <lockstep/system/current.hpp>

#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

namespace lockstep {
namespace {

using detail::open_socket;

struct socket_pair {
  std::unique_ptr<open_socket> a;
  std::unique_ptr<open_socket> b;
};

socket_pair make_pair_of_sockets() {
  system_calls& calls = current_system();
  int fds[2];
  detail::checked(calls.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), "socketpair");
  const auto owned = [&calls](int fd) {
    auto made = std::make_unique<open_socket>("pair", calls.shared_from_this(), std::nullopt);
    made->hold(fd, source::current());
    return made;
  };
  return {owned(fds[0]), owned(fds[1])};
}

task<void> closes_when_it_dies() {
  auto [a, b] = make_pair_of_sockets();
  const int fd = a->fd();
  const std::shared_ptr<system_calls> calls = a->shared_calls();
  EXPECT_GE(calls->fcntl(fd, F_GETFD, 0), 0);
  a.reset();
  EXPECT_EQ(calls->fcntl(fd, F_GETFD, 0), -EBADF);
  EXPECT_GE(b->fd(), 0);
  b->close();
  EXPECT_EQ(b->fd(), -1);
  b->close();
  co_return;
}

TEST(OpenSocketTest, ClosesItsDescriptorWhenItDies) { run_in_both_worlds(closes_when_it_dies); }

task<void> names_what_failed() {
  auto [a, b] = make_pair_of_sockets();
  EXPECT_EQ(a->described_with_ends(), "pair");
  a->close();
  EXPECT_EQ(a->described_with_ends(), "pair, which is closed");
  char byte[1];
  try {
    co_await detail::reading_some(*a, std::as_writable_bytes(std::span(byte)));
    ADD_FAILURE();
  } catch (const std::system_error& failed) {
    EXPECT_EQ(failed.code(), std::error_code(EBADF, std::system_category()));
    EXPECT_STREQ(failed.what(), "read from pair, which is closed: Bad file descriptor");
  }
  try {
    a->local();
    ADD_FAILURE();
  } catch (const std::system_error& failed) {
    EXPECT_STREQ(failed.what(), "address of pair: Bad file descriptor");
  }
  EXPECT_THROW(a->option(SOL_SOCKET, SO_SNDBUF), std::system_error);
  EXPECT_THROW(b->set_option(SOL_SOCKET, -1, 1), std::system_error);
}

TEST(OpenSocketTest, NamesWhatFailed) { run_in_both_worlds(names_what_failed); }

task<std::string> read_from(open_socket& from) {
  char bytes[16];
  const std::size_t count = co_await detail::reading_some(from, std::as_writable_bytes(std::span(bytes)));
  co_return std::string(bytes, count);
}

task<void> calls_again() {
  auto [a, b] = make_pair_of_sockets();
  auto first = spawn(read_from(*b), "first");
  auto second = spawn(read_from(*b), "second");
  co_await settle();
  co_await detail::writing_all(*a, std::as_bytes(std::span("one", 3)));
  EXPECT_EQ(co_await first.join(), "one");  // the second was asked too, and found nothing
  EXPECT_FALSE(second.done());
  co_await detail::writing_all(*a, std::as_bytes(std::span("two", 3)));
  EXPECT_EQ(co_await second.join(), "two");
}

TEST(SocketWaitTest, CallsAgainUntilThereIsSomething) { run_in_both_worlds(calls_again); }

task<void> outlives_its_socket() {
  auto [a, b] = make_pair_of_sockets();
  auto reader = spawn(read_from(*b), "reader");
  co_await settle();
  a.reset();  // which is the end of the stream
  co_await yield();
  b.reset();  // the reader has its answer, perhaps, and has not returned
  EXPECT_EQ(co_await reader.join(), "");
}

TEST(SocketWaitTest, ReturnsWhatItWasGivenAfterItsSocketHasDied) { run_in_both_worlds(outlives_its_socket); }

task<void> fails_without_its_socket() {
  auto [a, b] = make_pair_of_sockets();
  auto reader = spawn(error_of_task(read_from(*b)), "reader");
  co_await settle();
  b->close();
  b.reset();
  EXPECT_EQ(co_await reader.join(), ECANCELED);
}

TEST(SocketWaitTest, FailsAfterItsSocketHasDied) { run_in_both_worlds(fails_without_its_socket); }

struct scripted_socket {
  std::shared_ptr<scripted_calls> calls = std::make_shared<scripted_calls>();
  open_socket socket{"scripted", calls, std::nullopt};

  scripted_socket() { socket.hold(3, source::current()); }
};

task<void> fails_where_it_cannot_wait() {
  scripted_socket scripted;
  scripted.calls->watch_result = -ENOSPC;
  EXPECT_EQ(co_await error_of_task(read_from(scripted.socket)), ENOSPC);
  char bytes[4];
  const std::span<std::byte> into = std::as_writable_bytes(std::span(bytes));
  try {
    co_await select(detail::reading_some(scripted.socket, into), sleep_for(std::chrono::hours(1)));
    ADD_FAILURE();
  } catch (const std::system_error& failed) {
    EXPECT_EQ(failed.code().value(), ENOSPC);
  }
}

TEST(SocketWaitTest, FailsWhereItCannotWait) { run_in_both_worlds(fails_where_it_cannot_wait); }

// As when what the call frees lets a peer send at once.
task<void> is_told_within_its_call() {
  scripted_socket scripted;
  auto reader = spawn(read_from(scripted.socket), "reader");
  co_await settle();
  readiness_watch* const watch = scripted.calls->watching();
  EXPECT_NE(watch, nullptr);
  int called = 0;
  scripted.calls->on_recv = [&]() -> std::int64_t {
    if (++called == 2) return 5;
    watch->may_be_ready();
    return -EAGAIN;
  };
  watch->may_be_ready();
  EXPECT_EQ(called, 2);
  EXPECT_EQ(scripted.calls->watching(), nullptr);
  EXPECT_EQ((co_await reader.join()).size(), 5U);
}

TEST(SocketWaitTest, CallsAgainIfItIsToldWithinItsCall) { run_in_both_worlds(is_told_within_its_call); }

task<void> is_told_for_nothing() {
  scripted_socket scripted;
  auto reader = spawn(read_from(scripted.socket), "reader");
  co_await settle();
  scripted.calls->watching()->may_be_ready();
  co_await settle();
  EXPECT_FALSE(reader.done());
  EXPECT_NE(scripted.calls->watching(), nullptr);
  reader.cancel();
  EXPECT_TRUE((co_await as_result(reader.join())).was_cancelled());
  EXPECT_EQ(scripted.calls->watching(), nullptr);
}

TEST(SocketWaitTest, WaitsOnIfItIsToldForNothing) { run_in_both_worlds(is_told_for_nothing); }

// It was given an answer, and is cancelled before it has run.
task<void> gives_back_what_was_not_seen() {
  scripted_socket scripted;
  {
    auto reader = spawn(read_from(scripted.socket), "reader");
    co_await settle();
    scripted.calls->on_recv = [] { return 3; };
    scripted.calls->watching()->may_be_ready();
    reader.cancel();
    EXPECT_TRUE((co_await as_result(reader.join())).was_cancelled());
  }
  scripted.calls->on_recv = [] { return -ECONNRESET; };
  EXPECT_EQ((co_await read_from(scripted.socket)).size(), 3U);
  EXPECT_EQ(co_await error_of_task(read_from(scripted.socket)), ECONNRESET);
}

TEST(SocketWaitTest, GivesBackWhatItsTaskHasNotSeen) { run_in_both_worlds(gives_back_what_was_not_seen); }

// An error is told once, so it cannot be given back: the cancellation waits.
task<void> keeps_an_error() {
  scripted_socket scripted;
  const auto tell = [](open_socket& from, int& told) -> task<void> { told = co_await error_of_task(read_from(from)); };
  int told = 0;
  auto reader = spawn(tell(scripted.socket, told), "reader");
  co_await settle();
  scripted.calls->on_recv = [] { return -ECONNRESET; };
  scripted.calls->watching()->may_be_ready();
  reader.cancel();
  EXPECT_TRUE((co_await as_result(reader.join())).was_cancelled());
  EXPECT_EQ(told, ECONNRESET);
}

TEST(SocketWaitTest, KeepsAnErrorForTheTask) { run_in_both_worlds(keeps_an_error); }

}  // namespace
}  // namespace lockstep
