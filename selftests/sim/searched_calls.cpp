// Whether a search that knows what calls touch comes to all that one comes to which tries every order of their steps.
#include "../explore/explored.hpp"
#include "unix_sockets.hpp"

#include <lockstep/base/hash.hpp>
#include <lockstep/lockstep.hpp>

#include <sys/epoll.h>

#include <array>
#include <vector>

namespace lockstep {
namespace {

// Files of each kind, and the calls that tasks make on them.
class shared_files {
 public:
  explicit shared_files(system_calls& system) : system_(system) {
    system.pipe2(pipe_.fds, 0);
    stream_ = pair_of_unix(system);
    datagrams_ = pair_of_unix(system, SOCK_DGRAM);
    receiver_ = system.socket(AF_UNIX, SOCK_DGRAM, 0);
    bind_to(system, receiver_, "/tmp/receiver");
    sender_ = system.socket(AF_UNIX, SOCK_DGRAM, 0);
    for (int i = 0; i < 10; ++i) send_to(system, sender_, "/tmp/receiver", "x");
    connect_to(system, sender_, "/tmp/receiver");
    event_ = system.eventfd(0, 0);
    listener_ = listening_unix(system, "@listener", 0);
    epoll_ = system.epoll_create1(0);
    for (const int each : {pipe_[0], stream_[1], event_, listener_}) {
      epoll_event asked{EPOLLIN, {}};
      asked.data.fd = each;
      system.epoll_ctl(epoll_, EPOLL_CTL_ADD, each, &asked);
    }
  }

  // Any of them, and what it came to.
  std::string call(std::uint64_t which) {
    switch (which % 16) {
      case 0: return fmt::format("{}", write_text(system_, pipe_[1], "ab"));
      case 1: return read_text(system_, pipe_[0], 1);
      case 2: return fmt::format("{:x}", ready(system_, pipe_[0]));
      case 3: return fmt::format("{}", system_.fcntl(pipe_[1], F_SETPIPE_SZ, 8192));
      case 4: return fmt::format("{}", write_text(system_, stream_[0], "c"));
      case 5: return fmt::format("{:x}", ready(system_, stream_[1]));
      case 6: return fmt::format("{}", system_.shutdown(stream_[1], SHUT_RD));
      case 7: return fmt::format("{}", write_text(system_, sender_, "d"));
      case 8: return fmt::format("{:x}", ready(system_, sender_));
      case 9: return read_text(system_, receiver_, 1);
      case 10: return fmt::format("{}", system_.shutdown(receiver_, SHUT_RD));
      case 11: return fmt::format("{:x}", ready(system_, epoll_));
      case 12: return waited();
      case 13: {
        const std::uint64_t one = 1;
        return fmt::format("{}", system_.write(event_, &one, sizeof one));
      }
      case 14: return connected();
      default: return accepted();
    }
  }

  void close_all() {
    for (int fd = 0; fd < 32; ++fd) system_.close(fd);
    here().unlinkat(AT_FDCWD, "/tmp/receiver", 0);
  }

 private:
  std::string waited() {
    epoll_event events[4];
    const int count = system_.epoll_wait(epoll_, events, 4);
    std::string text;
    for (int i = 0; i < count; ++i) text += fmt::format("{}:{:x} ", int{events[i].data.fd}, unsigned{events[i].events});
    return text;
  }
  // Not which number it got, which a search does not see.
  std::string connected() {
    const int client = system_.socket(AF_UNIX, SOCK_STREAM, 0);
    return fmt::format("{}", connect_to(system_, client, "@listener"));
  }
  std::string accepted() { return system_.accept4(listener_, nullptr, nullptr, 0) >= 0 ? "accepted" : "none"; }

  system_calls& system_;
  descriptor_pair pipe_;
  descriptor_pair stream_;
  descriptor_pair datagrams_;
  int receiver_ = -1;
  int sender_ = -1;
  int event_ = -1;
  int listener_ = -1;
  int epoll_ = -1;
};

// What each of two tasks calls.
using calls_of_tasks = std::array<std::vector<std::uint64_t>, 2>;

searched_program program_of(calls_of_tasks calls) {
  return [calls](std::string& outcome) -> task<void> {
    shared_files files(current_system());
    std::array<std::string, 2> came_to;
    const auto work = [&](std::size_t which) -> task<void> {
      for (const std::uint64_t each : calls[which]) {
        co_await yield();
        came_to[which] += files.call(each) + ' ';
      }
    };
    {
      auto one = spawn(work(0));
      auto other = spawn(work(1));
      co_await one.join();
      co_await other.join();
    }
    outcome = came_to[0] + "/ " + came_to[1];
    files.close_all();
  };
}

// How many outcomes there are.
std::size_t expect_all_found(const calls_of_tasks& calls) {
  sim::world world;
  const explored all = explore_all(world, program_of(calls), {.reduced_by = reduction::none});
  const explored some = explore_all(world, program_of(calls), {.all_shared_declared = true});
  EXPECT_TRUE(all.complete && some.complete);
  EXPECT_EQ(some.outcomes, all.outcomes);
  EXPECT_LE(some.runs, all.runs);
  return all.outcomes.size();
}

TEST(SearchedCalls, ComeToAllThatTheirOrdersComeTo) {
  std::size_t several = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    calls_of_tasks calls;
    for (std::uint64_t i = 0; i < 6; ++i) {
      const std::uint64_t kind = hash_of(seed, i) % 3;  // few different ones, so that they meet
      calls[i / 3].push_back(hash_of(seed, 100 + kind));
    }
    if (expect_all_found(calls) > 1) ++several;
  }
  EXPECT_GT(several, 15u);
}

// What is ready of it goes without a word to the epoll.
TEST(SearchedCalls, SeeThatAnEpollDependsOnItsFiles) {
  EXPECT_EQ(expect_all_found({{{1}, {0, 1, 11}}}), 4u);
  EXPECT_EQ(expect_all_found({{{1}, {0, 1, 12}}}), 4u);
}

TEST(SearchedCalls, SeeThatASenderDependsOnItsReceiver) {
  EXPECT_EQ(expect_all_found({{{9}, {7, 8}}}), 2u);
  EXPECT_EQ(expect_all_found({{{9}, {7, 7}}}), 2u);
  EXPECT_EQ(expect_all_found({{{10}, {7}}}), 2u);
}

}  // namespace
}  // namespace lockstep
