#include <lockstep/testing/worker_process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace lockstep::detail {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(MessageTest, IsReadInTheOrderInWhichItWasWritten) {
  message written;
  written.add(std::uint64_t{7}).add(std::string_view("two\nlines")).add(0.25).add(std::string_view());
  message read(written.bytes());
  EXPECT_EQ(read.number(), 7u);
  EXPECT_EQ(read.text(), "two\nlines");
  EXPECT_EQ(read.real(), 0.25);
  EXPECT_TRUE(read.more());
  EXPECT_EQ(read.text(), "");
  EXPECT_FALSE(read.more());
}

TEST(MessageTest, TheRestOfOneThatWasCutOffIsZeros) {
  message written;
  written.add(std::string_view("a text")).add(std::uint64_t{7});
  message read(written.bytes().substr(0, 10));
  EXPECT_EQ(read.text(), "a ");
  EXPECT_EQ(read.number(), 0u);
  EXPECT_EQ(read.text(), "");
  EXPECT_FALSE(read.more());
}

TEST(WorkerProcessTest, SendsMoreThanAPipeHolds) {
  const std::string much(300'000, 'x');
  worker_process worker([&](const sender& send) {
    send(much);
    send("end");
  });
  EXPECT_FALSE(worker.wait().died);
  EXPECT_EQ(worker.sent(), much + "end");
}

TEST(WorkerProcessTest, SharesMemory) {
  const shared_object<std::atomic<int>> shared(8);
  worker_process worker([&](const sender&) {
    *shared = 5;
    *shared.behind() = std::byte{6};
  });
  EXPECT_FALSE(worker.wait().died);
  EXPECT_EQ(*shared, 5);
  EXPECT_EQ(*shared.behind(), std::byte{6});
}

TEST(WorkerProcessTest, TellsHowItDied) {
  worker_process killed([](const sender& send) {
    send("before");
    ::kill(::getpid(), SIGKILL);
  });
  const worker_end end = killed.wait();
  EXPECT_TRUE(end.died);
  EXPECT_EQ(end.signature, "crash: SIGKILL");
  EXPECT_EQ(end.text, "crash of the process: SIGKILL");
  EXPECT_EQ(killed.sent(), "before");
}

TEST(WorkerProcessTest, ShowsTheEndOfWhatItHadWritten) {
  worker_process worker([](const sender&) {
    for (int i = 0; i < 2'000; ++i) std::fprintf(stderr, "line %d\n", i);
    ::_exit(4);
  });
  const worker_end end = worker.wait();
  EXPECT_EQ(end.signature, "crash: exit status 4");
  EXPECT_THAT(end.text, EndsWith("\nline 1999"));
  EXPECT_THAT(end.text, Not(HasSubstr("line 0\n")));
  EXPECT_LT(end.text.size(), 9'000u);
}

TEST(WorkerProcessTest, IsKnownByTheSummaryOfASanitizersReport) {
  worker_process worker([](const sender&) {
    std::fprintf(stderr,
                 "=1=ERROR\nSUMMARY: AddressSanitizer: heap-use-after-free cache.cpp:41:3 in fetch()\n=1=END\n");
    ::_exit(1);
  });
  EXPECT_EQ(worker.wait().signature, "crash: AddressSanitizer: heap-use-after-free cache.cpp:41:3 in fetch()");
}

TEST(WorkerProcessTest, WhatItPrintsDoesNotAppear) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  worker_process worker([](const sender&) {
    std::puts("to nobody");
    std::fputs("to its parent\n", stderr);
    std::fflush(stdout);
  });
  EXPECT_FALSE(worker.wait().died);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(WorkerProcessTest, EndsWithItsOwner) {
  pid_t process = 0;
  {
    const shared_object<std::atomic<pid_t>> shared;
    worker_process worker([&](const sender& send) {
      *shared = ::getpid();
      send("ready");
      for (;;) ::pause();
    });
    ASSERT_TRUE(worker.take());
    process = *shared;
    ASSERT_EQ(::kill(process, 0), 0);
  }
  EXPECT_EQ(::kill(process, 0), -1);
}

}  // namespace
}  // namespace lockstep::detail
