#include "in_world.hpp"

#include <lockstep/sim/epoll.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <vector>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// An epoll and pipes, in a world.
class fixture {
 public:
  explicit fixture(system_calls& of) : system(of), epoll(of.epoll_create1(0)) {}

  int control(int operation, int fd, std::uint32_t events = EPOLLIN, int by = -1) {
    epoll_event event{events, {}};
    event.data.fd = fd;
    return system.epoll_ctl(by < 0 ? epoll : by, operation, fd, &event);
  }
  int add(int fd, std::uint32_t events = EPOLLIN, int by = -1) { return control(EPOLL_CTL_ADD, fd, events, by); }
  std::vector<int> wait(int most = 16, int by = -1) {
    epoll_event events[16];
    const int count = system.epoll_wait(by < 0 ? epoll : by, events, most);
    std::vector<int> fds;
    for (int i = 0; i < count; ++i) fds.push_back(events[i].data.fd);
    return fds;
  }
  descriptor_pair pipe() {
    descriptor_pair made;
    system.pipe2(made.fds, 0);
    return made;
  }
  void close_all() {
    for (int fd = 0; fd < 99; ++fd) system.close(fd);
  }

  system_calls& system;
  int epoll;
};

void with_epoll(void (*body)(fixture&)) {
  in_world([body](system_calls& system) {
    fixture given(system);
    body(given);
    given.close_all();
  });
}

TEST(EpollTest, ReportsALevelUntilItIsGone) {
  with_epoll([](fixture& with) {
    const descriptor_pair pipe = with.pipe();
    EXPECT_EQ(with.add(pipe[0]), 0);
    EXPECT_THAT(with.wait(), IsEmpty());
    write_text(with.system, pipe[1], "a");
    EXPECT_THAT(with.wait(), ElementsAre(pipe[0]));
    EXPECT_THAT(with.wait(), ElementsAre(pipe[0]));
    read_text(with.system, pipe[0], 1);
    EXPECT_THAT(with.wait(), IsEmpty());
  });
}

TEST(EpollTest, ReportsAnEdgeOnce) {
  with_epoll([](fixture& with) {
    const descriptor_pair pipe = with.pipe();
    with.add(pipe[0], EPOLLIN | EPOLLET);
    with.add(pipe[1], EPOLLOUT | EPOLLET);
    EXPECT_THAT(with.wait(), ElementsAre(pipe[1]));
    EXPECT_THAT(with.wait(), IsEmpty());
    write_text(with.system, pipe[1], "aa");
    EXPECT_THAT(with.wait(), ElementsAre(pipe[0]));
    read_text(with.system, pipe[0], 1);
    EXPECT_THAT(with.wait(), IsEmpty());
    write_text(with.system, pipe[1], "a");
    EXPECT_THAT(with.wait(), ElementsAre(pipe[0]));
    with.control(EPOLL_CTL_MOD, pipe[0], EPOLLIN | EPOLLET);
    EXPECT_THAT(with.wait(), ElementsAre(pipe[0])) << "changing it looks again";
  });
}

TEST(EpollTest, ReportsAnEdgeOfAPipeWhenAPageIsFreeAgain) {
  with_epoll([](fixture& with) {
    const descriptor_pair pipe = with.pipe();
    write_text(with.system, pipe[1], std::string(70'000, 'x'));
    with.add(pipe[1], EPOLLOUT | EPOLLET);
    EXPECT_THAT(with.wait(), IsEmpty());
    read_text(with.system, pipe[0], 4095);
    EXPECT_THAT(with.wait(), IsEmpty());
    read_text(with.system, pipe[0], 1);
    EXPECT_THAT(with.wait(), ElementsAre(pipe[1]));
    read_text(with.system, pipe[0], 4096);
    EXPECT_THAT(with.wait(), IsEmpty()) << "it was not full";
  });
}

TEST(EpollTest, DisablesAfterOneShot) {
  with_epoll([](fixture& with) {
    const descriptor_pair pipe = with.pipe();
    with.add(pipe[0], EPOLLIN | EPOLLONESHOT);
    write_text(with.system, pipe[1], "a");
    EXPECT_THAT(with.wait(), ElementsAre(pipe[0]));
    write_text(with.system, pipe[1], "a");
    with.system.close(pipe[1]);
    EXPECT_THAT(with.wait(), IsEmpty()) << "not even POLLHUP";
    with.control(EPOLL_CTL_MOD, pipe[0], EPOLLIN | EPOLLONESHOT);
    EXPECT_THAT(with.wait(), ElementsAre(pipe[0]));
  });
}

TEST(EpollTest, TakesTurnsInTheOrderOfReadiness) {
  with_epoll([](fixture& with) {
    descriptor_pair pipes[4];
    for (descriptor_pair& each : pipes) {
      each = with.pipe();
      with.add(each[0]);
    }
    for (const int i : {2, 0, 3, 1}) write_text(with.system, pipes[i][1], "a");
    const int at[] = {pipes[0][0], pipes[1][0], pipes[2][0], pipes[3][0]};
    EXPECT_THAT(with.wait(2), ElementsAre(at[2], at[0]));
    EXPECT_THAT(with.wait(2), ElementsAre(at[3], at[1]));
    EXPECT_THAT(with.wait(3), ElementsAre(at[2], at[0], at[3]));
    EXPECT_THAT(with.wait(3), ElementsAre(at[1], at[2], at[0]));
    read_text(with.system, at[3], 1);
    EXPECT_THAT(with.wait(), ElementsAre(at[1], at[2], at[0]));
    write_text(with.system, pipes[3][1], "a");
    EXPECT_THAT(with.wait(), ElementsAre(at[1], at[2], at[0], at[3]));
  });
}

TEST(EpollTest, KnowsItsItemsByDescriptorAndFile) {
  with_epoll([](fixture& with) {
    const descriptor_pair first = with.pipe();
    with.add(first[0]);
    const int copy = with.system.dup(first[0]);
    EXPECT_EQ(with.add(copy), 0);
    write_text(with.system, first[1], "a");
    with.system.close(first[0]);
    EXPECT_THAT(with.wait(), ElementsAre(copy, first[0])) << "the file is open";
    EXPECT_EQ(with.control(EPOLL_CTL_DEL, first[0]), -EBADF);
    const descriptor_pair second = with.pipe();
    ASSERT_EQ(second[0], first[0]);
    EXPECT_EQ(with.add(second[0]), 0);
    EXPECT_EQ(with.wait().size(), 2u);
    write_text(with.system, second[1], "a");
    EXPECT_EQ(with.wait().size(), 3u);
    with.system.close(copy);
    EXPECT_THAT(with.wait(), ElementsAre(second[0]));
  });
}

TEST(EpollTest, RefusesAsLinuxDoes) {
  with_epoll([](fixture& with) {
    const descriptor_pair pipe = with.pipe();
    EXPECT_EQ(with.add(pipe[0]), 0);
    EXPECT_EQ(with.add(pipe[0]), -EEXIST);
    EXPECT_EQ(with.control(EPOLL_CTL_DEL, pipe[1]), -ENOENT);
    EXPECT_EQ(with.control(EPOLL_CTL_MOD, pipe[1]), -ENOENT);
    EXPECT_EQ(with.control(7, pipe[0]), -EINVAL);
    EXPECT_EQ(with.add(with.epoll), -EINVAL);
    EXPECT_EQ(with.add(pipe[1], EPOLLIN, pipe[0]), -EINVAL);
    EXPECT_EQ(with.add(99), -EBADF);
    EXPECT_EQ(with.add(pipe[1], EPOLLIN, 99), -EBADF);
    EXPECT_EQ(with.system.epoll_ctl(99, EPOLL_CTL_ADD, 98, nullptr), -EFAULT);
    EXPECT_EQ(with.system.epoll_ctl(with.epoll, EPOLL_CTL_DEL, pipe[0], nullptr), 0);
    epoll_event event;
    EXPECT_EQ(with.system.epoll_wait(with.epoll, &event, 0), -EINVAL);
    EXPECT_EQ(with.system.epoll_wait(pipe[0], &event, 1), -EINVAL);
    EXPECT_EQ(with.system.epoll_wait(99, &event, 0), -EBADF);
    EXPECT_EQ(with.system.epoll_create1(1), -EINVAL);
    EXPECT_EQ(read_text(with.system, with.epoll, 1), "-22");
  });
}

TEST(EpollTest, TakesExclusiveOnlyAsAdded) {
  with_epoll([](fixture& with) {
    const descriptor_pair pipe = with.pipe();
    EXPECT_EQ(with.add(pipe[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), -EINVAL);
    EXPECT_EQ(with.add(pipe[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP), -EINVAL);
    EXPECT_EQ(with.add(pipe[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLET), 0);
    EXPECT_EQ(with.control(EPOLL_CTL_MOD, pipe[0], EPOLLIN), -EINVAL);
    EXPECT_EQ(with.control(EPOLL_CTL_MOD, pipe[0], EPOLLIN | EPOLLEXCLUSIVE), -EINVAL);
    const int other = with.system.epoll_create1(0);
    EXPECT_EQ(with.add(other, EPOLLIN | EPOLLEXCLUSIVE), -EINVAL);
    write_text(with.system, pipe[1], "a");
    EXPECT_THAT(with.wait(), ElementsAre(pipe[0]));
  });
}

// A file that is always ready, such as one on a disk.
class plain_file final : public open_file {
 public:
  plain_file() : open_file(1, O_RDWR) {}
  unsigned ready() const noexcept override { return POLLIN | POLLOUT; }
  bool can_be_polled() const noexcept override { return false; }
  std::string described() const override { return "file"; }
};

TEST(EpollTest, TakesNoFileThatCannotBePolled) {
  with_epoll([](fixture& with) {
    const int fd = here().descriptors().add(new plain_file, false);
    EXPECT_EQ(with.add(fd), -EPERM);
    EXPECT_EQ(with.add(fd, EPOLLIN, fd), -EPERM);
  });
}

TEST(EpollTest, Nests) {
  with_epoll([](fixture& with) {
    const int outer = with.system.epoll_create1(0);
    const descriptor_pair pipe = with.pipe();
    with.add(with.epoll, EPOLLIN | EPOLLET, outer);
    with.add(pipe[0]);
    counting_watch watch;
    with.system.watch(outer, POLLIN, watch);
    EXPECT_EQ(ready(with.system, outer), 0u);
    write_text(with.system, pipe[1], "a");
    EXPECT_EQ(watch.told, 1);
    with.system.unwatch(watch);
    EXPECT_EQ(ready(with.system, outer), static_cast<unsigned>(POLLIN));
    EXPECT_THAT(with.wait(9, outer), ElementsAre(with.epoll));
    EXPECT_THAT(with.wait(9, outer), IsEmpty());
    write_text(with.system, pipe[1], "a");
    EXPECT_THAT(with.wait(9, outer), ElementsAre(with.epoll));
    read_text(with.system, pipe[0], 2);
    EXPECT_EQ(ready(with.system, with.epoll), 0u);
    with.system.close(with.epoll);
    EXPECT_THAT(with.wait(9, outer), IsEmpty());
  });
}

TEST(EpollTest, NestsFourDeepAndInNoCycle) {
  with_epoll([](fixture& with) {
    std::vector<int> chain;
    for (int i = 0; i < 6; ++i) chain.push_back(with.system.epoll_create1(0));
    const auto add = [&](int outer, int inner) {
      return with.add(chain[static_cast<std::size_t>(inner)], EPOLLIN, chain[static_cast<std::size_t>(outer)]);
    };
    EXPECT_EQ(add(0, 1), 0);
    EXPECT_EQ(add(1, 0), -ELOOP);
    EXPECT_EQ(add(3, 4), 0);
    EXPECT_EQ(add(2, 3), 0);
    EXPECT_EQ(add(1, 2), 0);
    EXPECT_EQ(add(4, 5), -ELOOP);
    EXPECT_EQ(add(5, 0), -ELOOP);
    EXPECT_EQ(add(4, 0), -ELOOP);
    with.system.close(chain[0]);
    EXPECT_EQ(add(4, 5), 0) << "the chain is shorter";
  });
}

TEST(EpollTest, ForgetsWhatIsClosedWhileItIsReady) {
  with_epoll([](fixture& with) {
    const descriptor_pair one = with.pipe();
    const descriptor_pair other = with.pipe();
    with.add(one[0]);
    with.add(other[0]);
    write_text(with.system, one[1], "a");
    write_text(with.system, other[1], "a");
    with.system.close(one[0]);
    EXPECT_THAT(with.wait(), ElementsAre(other[0]));
    with.system.close(with.epoll);
    write_text(with.system, other[1], "a");
  });
}

}  // namespace
}  // namespace lockstep::sim
