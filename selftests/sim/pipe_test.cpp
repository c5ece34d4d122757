#include "in_world.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/pipe.hpp>

#include <sys/ioctl.h>

namespace lockstep::sim {
namespace {

constexpr std::size_t page = pipe_buffers::page;

descriptor_pair make_pipe(system_calls& system, int flags = 0) {
  descriptor_pair made;
  EXPECT_EQ(system.pipe2(made.fds, flags), 0);
  return made;
}

std::string text_of(std::size_t size) { return std::string(size, 'x'); }

TEST(PipeTest, CarriesBytesInOrder) {
  in_world([](system_calls& system) {
    const descriptor_pair pipe = make_pipe(system);
    EXPECT_EQ(read_text(system, pipe[0], 9), "-11");
    EXPECT_EQ(write_text(system, pipe[1], "ab"), 2);
    EXPECT_EQ(write_text(system, pipe[1], "cde"), 3);
    EXPECT_EQ(read_text(system, pipe[0], 3), "abc");
    EXPECT_EQ(read_text(system, pipe[0], 9), "de");
    EXPECT_EQ(read_text(system, pipe[1], 9), "-9");
    EXPECT_EQ(write_text(system, pipe[0], "x"), -EBADF);
    EXPECT_EQ(write_text(system, pipe[1], ""), 0);
    pipe.close(system);
  });
}

TEST(PipeTest, CountsItsRoomInPages) {
  in_world([](system_calls& system) {
    const descriptor_pair pipe = make_pipe(system);
    for (int i = 0; i < 16; ++i) EXPECT_EQ(write_text(system, pipe[1], text_of(2049)), 2049);
    EXPECT_EQ(write_text(system, pipe[1], text_of(2048)), -EAGAIN) << "it is atomic";
    EXPECT_EQ(ready(system, pipe[1]), 0u);
    EXPECT_EQ(write_text(system, pipe[1], text_of(2047)), 2047) << "the last page has room";
    EXPECT_EQ(write_text(system, pipe[1], "x"), -EAGAIN);
    int held = 0;
    EXPECT_EQ(system.ioctl(pipe[1], FIONREAD, &held), 0);
    EXPECT_EQ(held, 17 * 2049 - 2);
    EXPECT_EQ(read_text(system, pipe[0], 2048).size(), 2048u);
    EXPECT_EQ(ready(system, pipe[1]), 0u) << "a byte is in that page yet";
    EXPECT_EQ(read_text(system, pipe[0], 1).size(), 1u);
    EXPECT_EQ(ready(system, pipe[1]), static_cast<unsigned>(POLLOUT));
    pipe.close(system);
  });
}

TEST(PipeTest, TakesThePartOfALargeWriteThatThereIsRoomFor) {
  in_world([](system_calls& system) {
    const descriptor_pair pipe = make_pipe(system);
    EXPECT_EQ(write_text(system, pipe[1], text_of(100)), 100);
    EXPECT_EQ(write_text(system, pipe[1], text_of(20 * page + 1)), static_cast<std::int64_t>(15 * page + 1));
    pipe.close(system);
  });
}

TEST(PipeTest, ChangesItsSize) {
  in_world([](system_calls& system) {
    const descriptor_pair pipe = make_pipe(system);
    EXPECT_EQ(system.fcntl(pipe[0], F_GETPIPE_SZ, 0), 65536);
    EXPECT_EQ(system.fcntl(pipe[0], F_SETPIPE_SZ, 0), 4096);
    EXPECT_EQ(write_text(system, pipe[1], text_of(100)), 100);
    EXPECT_EQ(write_text(system, pipe[1], text_of(5000)), 904) << "what is over a page comes first";
    EXPECT_EQ(read_text(system, pipe[0], 1004).size(), 1004u);
    EXPECT_EQ(write_text(system, pipe[1], text_of(5000)), 4096);
    counting_watch writer;
    EXPECT_EQ(system.watch(pipe[1], POLLOUT, writer), 0);
    EXPECT_EQ(system.fcntl(pipe[1], F_SETPIPE_SZ, 8193), 16384);
    EXPECT_EQ(writer.told, 1);
    system.unwatch(writer);
    EXPECT_EQ(write_text(system, pipe[1], text_of(8192)), 8192);
    EXPECT_EQ(system.fcntl(pipe[1], F_SETPIPE_SZ, 8192), -EBUSY);
    EXPECT_EQ(system.fcntl(pipe[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    EXPECT_EQ(system.fcntl(pipe[1], F_SETPIPE_SZ, (1 << 20) + 1), -EPERM);
    EXPECT_EQ(system.fcntl(pipe[1], F_SETPIPE_SZ, -1), -EINVAL);
    pipe.close(system);
    const int event = system.eventfd(0, 0);
    EXPECT_EQ(system.fcntl(event, F_GETPIPE_SZ, 0), -EBADF);
    system.close(event);
  });
}

TEST(PipeTest, EndsWhenItsWriterIsClosed) {
  in_world([](system_calls& system) {
    const descriptor_pair pipe = make_pipe(system);
    const int second = system.dup(pipe[1]);
    write_text(system, pipe[1], "ab");
    system.close(pipe[1]);
    EXPECT_EQ(ready(system, pipe[0]), static_cast<unsigned>(POLLIN));
    counting_watch reader;
    system.watch(pipe[0], 0, reader);
    system.close(second);
    EXPECT_EQ(reader.told, 1);
    system.unwatch(reader);
    EXPECT_EQ(ready(system, pipe[0]), static_cast<unsigned>(POLLIN | POLLHUP));
    EXPECT_EQ(read_text(system, pipe[0], 9), "ab");
    EXPECT_EQ(read_text(system, pipe[0], 9), "");
    EXPECT_EQ(ready(system, pipe[0]), static_cast<unsigned>(POLLHUP));
    system.close(pipe[0]);
  });
}

TEST(PipeTest, BreaksWhenItsReaderIsClosed) {
  in_world([](system_calls& system) {
    const descriptor_pair pipe = make_pipe(system);
    write_text(system, pipe[1], "ab");
    system.close(pipe[0]);
    EXPECT_EQ(ready(system, pipe[1]), static_cast<unsigned>(POLLOUT | POLLERR));
    EXPECT_EQ(write_text(system, pipe[1], "x"), -EPIPE);
    EXPECT_EQ(write_text(system, pipe[1], ""), 0);
    system.close(pipe[1]);
  });
}

TEST(PipeTest, CarriesPacketsWithDirect) {
  in_world([](system_calls& system) {
    const descriptor_pair pipe = make_pipe(system, O_DIRECT);
    EXPECT_EQ(system.fcntl(pipe[0], F_GETFL, 0), O_RDONLY);
    EXPECT_EQ(system.fcntl(pipe[1], F_GETFL, 0), O_WRONLY | O_DIRECT);
    write_text(system, pipe[1], "abc");
    write_text(system, pipe[1], "de");
    EXPECT_EQ(read_text(system, pipe[0], 2), "ab");
    EXPECT_EQ(read_text(system, pipe[0], 9), "de");
    EXPECT_EQ(write_text(system, pipe[1], text_of(page + 4)), static_cast<std::int64_t>(page + 4));
    EXPECT_EQ(read_text(system, pipe[0], 9999).size(), page);
    EXPECT_EQ(read_text(system, pipe[0], 9999).size(), 4u);
    for (int i = 0; i < 16; ++i) EXPECT_EQ(write_text(system, pipe[1], "a"), 1);
    EXPECT_EQ(write_text(system, pipe[1], "a"), -EAGAIN);
    pipe.close(system);
  });
}

TEST(PipeTest, NeedsTwoDescriptors) {
  in_world([](system_calls& system) {
    descriptor_pair made;
    EXPECT_EQ(system.pipe2(made.fds, O_APPEND), -EINVAL);
    here().descriptors().set_limit(4);
    EXPECT_EQ(system.pipe2(made.fds, 0), -EMFILE);
    EXPECT_EQ(made[0], -1);
    EXPECT_EQ(here().descriptors().count(), 0u);
    here().descriptors().set_limit(5);
    EXPECT_EQ(system.pipe2(made.fds, O_CLOEXEC), 0);
    EXPECT_EQ(made[0], 3);
    EXPECT_EQ(made[1], 4);
    EXPECT_EQ(system.fcntl(made[1], F_GETFD, 0), FD_CLOEXEC);
    made.close(system);
  });
}

TEST(PipeTest, ThatIsLeftOpenIsReported) {
  world world;
  const auto leave = []() -> task<void> {
    make_pipe(current_system());
    co_return;
  };
  world.run(leave());
  ASSERT_EQ(world.verdicts().size(), 2u);
  EXPECT_THAT(world.verdicts()[0].message, testing::HasSubstr("reading end of a pipe of host \"client\""));
}

}  // namespace
}  // namespace lockstep::sim
